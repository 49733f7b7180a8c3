import ConfigFile
import Datasets
import Glibc

extension IDXSource {
    init(reading reader: ConfigReader) {
        self.init()
        let files = DataFiles(reader, example: "/usr/share/datasets/fashion-mnist")
        if let kind: Normalization.Kind = reader.choice("normalize") { normalization = kind }
        func file(_ key: String, _ standard: String) -> (path: String, isNamed: Bool) {
            if let path = files.optional(key) { return (path, true) }
            let plain = files.directory + "/" + standard
            return (access(plain + ".gz", F_OK) == 0 ? plain + ".gz" : plain, false)
        }
        trainImages = file("train-images", "train-images-idx3-ubyte").path
        trainLabels = file("train-labels", "train-labels-idx1-ubyte").path
        let images = file("test-images", "t10k-images-idx3-ubyte")
        let labels = file("test-labels", "t10k-labels-idx1-ubyte")
        let isNamed = images.isNamed || labels.isNamed
        split = SplitRule(reading: reader, test: isNamed ? "test-images" : nil, stratifies: true)
        // A data set without a test part is fine, unless the job speaks of one.
        if isNamed || !split.holdsOutTest && (access(images.path, F_OK) == 0 || access(labels.path, F_OK) == 0) {
            test = (images.path, labels.path)
        }
        if let table = reader.table("augment") {
            var change = Augmentation()
            if let flips = table.boolean("flip-horizontal") { change.flipHorizontal = flips }
            if let shift = table.integer("shift", in: 0...1000) { change.shift = shift }
            table.finish()
            augmentation = change
        }
    }
}
