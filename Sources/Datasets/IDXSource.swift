import Tensors

/// Images and labels in the format of MNIST and its kin.
package struct IDXSource: DataSource {
    package var trainImages = ""
    package var trainLabels = ""
    /// Absent when the job names none and the default ones do not exist, or when the split holds out test samples.
    package var test: (images: String, labels: String)?
    package var normalization: Normalization.Kind = .scale
    package var split = SplitRule()
    package var augmentation: Augmentation?

    package init() {}

    package let reader = "idx"
    package var hasValidation: Bool { split.validation > 0 }
    package var files: [(role: String, path: String)] {
        [("training images", trainImages), ("training labels", trainLabels)]
            + (test.map { [("test images", $0.images), ("test labels", $0.labels)] } ?? [])
    }

    /// Reads labels, which are few bytes, and of the images the header.
    package func outline(seed: UInt64) throws(DatasetError) -> DatasetOutline {
        let train = try IDXSource.head(trainImages, trainLabels)
        let parts = split(train.labels, seed)
        var outline = DatasetOutline(
            inputs: [train.shape], targetShape: try arrays { () throws(TensorError) in try Shape([]) },
            trainCount: parts.train.count, validationCount: parts.validation.count, testCount: parts.test.count,
            classes: IDXSource.classes(train.labels), dataBytes: 0,
            loadingBytes: train.labels.count * train.shape.count
                + files.reduce(0) { $0 + FileBytes.size($1.path) })
        if let test {
            let held = try IDXSource.head(test.images, test.labels)
            try IDXSource.compare(test: held.shape, train: train.shape, path: test.images)
            outline.testCount = held.labels.count
            outline.classes = max(IDXSource.classes(train.labels), IDXSource.classes(held.labels))
            outline.loadingBytes += held.labels.count * held.shape.count
        }
        outline.dataBytes = outline.count * (train.shape.count + 1) * MemoryLayout<Float>.stride
        return outline
    }

    package func load(seed: UInt64) throws(DatasetError) -> Dataset {
        let images = try IDXSource.read(trainImages, trainLabels)
        let parts = split(images.labels, seed)
        let scaling = Normalization(
            normalization, bytes: images.images.bytes, width: images.images.shape.count, indices: parts.train)
        var preprocessing = Preprocessing(reader: reader, inputShapes: [images.images.shape.dimensions])
        preprocessing.pixels = PixelScaling(scaling)
        let samples = try arrays { () throws(TensorError) in try images.samples(scaling) }
        var dataset = Dataset(samples, parts, classes: images.classes, preprocessing: preprocessing)
        if let test {
            let held = try IDXSource.read(test.images, test.labels)
            try IDXSource.compare(test: held.images.shape, train: images.images.shape, path: test.images)
            dataset.test = [.init(try arrays { () throws(TensorError) in try held.samples(scaling) })]
            dataset.classes = max(images.classes, held.classes)
        }
        dataset.preprocessing.classes = (0..<(dataset.classes ?? 0)).map { "\($0)" }
        if var augmentation {
            augmentation.fill = scaling.table[0]
            dataset.augmentation = augmentation
        }
        return dataset
    }

    private func split(_ labels: IDXFile, _ seed: UInt64) -> Split {
        Split(
            count: labels.count, rule: test == nil ? split : split.withoutTest, seed: seed,
            classes: split.isStratified ? labels.bytes.map { Int32($0) } : nil)
    }

    private static func classes(_ labels: IDXFile) -> Int { Int(labels.bytes.max() ?? 0) + 1 }

    private static func compare(test: Shape, train: Shape, path: String) throws(DatasetError) {
        if test != train {
            throw DatasetError(.content, "test images are \(test), training images \(train)", path: path)
        }
    }

    private static func head(
        _ images: String, _ labelFile: String
    ) throws(DatasetError) -> (shape: Shape, labels: IDXFile) {
        let header = try IDXFile.readHeader(images)
        let labels = try IDXFile.read(labelFile, limit: 1 << 31)
        guard labels.shape.rank == 0, labels.count == header.count, header.count > 0, header.count <= Int(Int32.max)
        else {
            throw DatasetError(.content, "\(header.count) images, but \(labels.count) labels", path: images)
        }
        return (header.shape, labels)
    }

    private static func read(_ images: String, _ labels: String) throws(DatasetError) -> LabelledImages {
        try LabelledImages(images: try IDXFile.read(images), labels: try IDXFile.read(labels), path: images)
    }
}
