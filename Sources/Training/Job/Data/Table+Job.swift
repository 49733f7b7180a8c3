import ConfigFile
import Datasets

extension CSVSource {
    init(reading reader: ConfigReader) {
        self.init()
        let files = DataFiles(reader, example: "tables")
        file = files.required("file", example: "patients.csv")
        target = reader.string("target") ?? ""
        if reader.table["target"] == nil { reader.missing("target", example: "\"diagnosis\"") }
        if let kind: TargetKind = reader.choice("target-type") { targetKind = kind }
        columns = reader.strings("columns")
        ignored = reader.strings("ignore") ?? []
        if let rule: TablePreparation.Missing = reader.choice("missing") { missing = rule }
        if let drops = reader.boolean("drop-duplicates") { dropsDuplicates = drops }
        if let kind: TablePreparation.Scaling = reader.choice("normalize") { scaling = kind }
        split = SplitRule(reading: reader, stratifies: targetKind == .class)
    }
}

extension RatingsSource {
    init(reading reader: ConfigReader) {
        self.init()
        if reader.table["file"] != nil {
            let files = DataFiles(reader, example: "ratings")
            origin = .table(
                file: files.required("file", example: "ratings.csv"), user: reader.string("user") ?? "user",
                item: reader.string("item") ?? "item", rating: reader.string("rating") ?? "rating")
        } else {
            var generator = Generator()
            let most = 1 << 24
            if let users = reader.integer("users", in: 1...most) { generator.users = users }
            if let items = reader.integer("items", in: 1...most) { generator.items = items }
            if let rank = reader.integer("rank", in: 1...1024) { generator.rank = rank }
            if let noise = reader.number("noise", in: 0...1e6) { generator.noise = noise }
            if let ratings = reader.integer("ratings", in: 1...100_000_000) { generator.ratings = ratings }
            if generator.ratings > generator.users * generator.items {
                reader.report(
                    "ratings",
                    "\"data.ratings\" is \(generator.ratings), but there are only "
                        + "\(generator.users * generator.items) pairs of users and items")
            }
            origin = .generated(generator)
        }
        split = SplitRule(reading: reader)
    }
}
