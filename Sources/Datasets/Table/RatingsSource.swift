import Tensors

/// Which number stands for which user and item.
package struct RatingsEncoding: Codable, Hashable, Sendable {
    package var userCount: Int
    package var itemCount: Int
    /// The names by their numbers, in the order of their first appearance; nil for generated ratings.
    package var users: [String]?
    package var items: [String]?
    /// Of generated ratings: the deviation of what cannot be predicted. No model has a mean squared error below its
    /// square on average.
    package var noise: Double?
}

/// Ratings of items by users: from a table, or generated from known factors.
package struct RatingsSource: DataSource {
    /// `rating = dot(user, item) / sqrt(rank) + noise`, where factors and noise are normal.
    package struct Generator: Hashable, Sendable {
        package var users = 1000
        package var items = 500
        package var rank = 8
        /// The deviation of the noise; that of the rest is 1.
        package var noise = 0.1
        package var ratings = 50_000
        package init() {}
    }

    package enum Origin: Hashable, Sendable {
        case generated(Generator)
        case table(file: String, user: String, item: String, rating: String)
    }

    package var origin = Origin.generated(Generator())
    package var split = SplitRule()

    package init() {}

    package let reader = "ratings"
    package var hasValidation: Bool { split.validation > 0 }
    package var files: [(role: String, path: String)] {
        if case .table(let file, _, _, _) = origin { [("ratings", file)] } else { [] }
    }

    package func outline(seed: UInt64) throws(DatasetError) -> DatasetOutline {
        guard case .generated(let generator) = origin else {
            let dataset = try load(seed: seed)
            return try DatasetOutline(dataset, loadingBytes: dataset.loadingBytes)
        }
        let parts = Split(count: generator.ratings, rule: split, seed: seed)
        let one = try arrays { () throws(TensorError) in try Shape([1]) }
        var outline = DatasetOutline(
            inputs: [one, one], targetShape: one, trainCount: parts.train.count,
            validationCount: parts.validation.count, testCount: parts.test.count, classes: nil,
            dataBytes: generator.ratings * 3 * MemoryLayout<Float>.stride,
            // A set of the pairs drawn, at its fullest twice over, beside the ratings and the factors.
            loadingBytes: generator.ratings * 48 + (generator.users + generator.items) * generator.rank * 4)
        outline.vocabularySizes = [generator.users, generator.items]
        return outline
    }

    package func load(seed: UInt64) throws(DatasetError) -> Dataset {
        let ratings: Ratings
        var encoding: RatingsEncoding
        var loadingBytes = 0
        switch origin {
        case .generated(let generator):
            ratings = try Ratings(generator, seed: seed)
            encoding = RatingsEncoding(userCount: generator.users, itemCount: generator.items)
            encoding.noise = generator.noise
        case .table(let file, let user, let item, let rating):
            let table = try CSVTable(file)
            loadingBytes = table.loadingBytes
            let columns = (try table.column(user), try table.column(item), try table.column(rating))
            var users = WordIndex()
            var items = WordIndex()
            var read = Ratings()
            for row in 0..<table.count {
                let names = (table.field(row, columns.0), table.field(row, columns.1))
                let value = table.field(row, columns.2)
                if names.0.isEmpty || names.1.isEmpty {
                    throw DatasetError(
                        .content, "a rating without a user or an item", path: file, line: table.lines[row])
                }
                guard let number = CSVTable.number(value) else {
                    throw DatasetError(
                        .content, "column \"\(rating)\": \"\(value.prefix(40))\" is not a number", path: file,
                        line: table.lines[row])
                }
                read.add(users.insert(String(names.0)), items.insert(String(names.1)), Float(number))
            }
            if read.values.isEmpty { throw DatasetError(.content, "there is no record in it", path: file) }
            // Numbers travel as floats, which hold them exactly up to 2^24.
            if max(users.count, items.count) > 1 << 24 {
                throw DatasetError(.size, "more than \(1 << 24) users or items", path: file)
            }
            ratings = read
            encoding = RatingsEncoding(userCount: users.count, itemCount: items.count)
            encoding.users = (0..<users.count).map { users.text($0) }
            encoding.items = (0..<items.count).map { items.text($0) }
        }
        let parts = Split(count: ratings.values.count, rule: split, seed: seed)
        try requireParts(parts, split, path: files.first?.path)
        var preprocessing = Preprocessing(reader: reader, inputShapes: [[1], [1]])
        preprocessing.ratings = encoding
        var dataset = Dataset(try ratings.samples(), parts, classes: nil, preprocessing: preprocessing)
        dataset.vocabularySizes = [encoding.userCount, encoding.itemCount]
        dataset.loadingBytes = loadingBytes
        return dataset
    }
}

private struct Ratings {
    var users: [Int32] = []
    var items: [Int32] = []
    var values: [Float] = []

    init() {}

    /// Draws, from the stream 4 of the seed: the factors of all users, then of all items (normal, row by row); then for
    /// each rating a user and an item, again until the pair is new, and the noise.
    ///
    /// - Throws: `content` if there are fewer pairs than ratings.
    init(_ generator: RatingsSource.Generator, seed: UInt64) throws(DatasetError) {
        let (pairs, overflow) = generator.users.multipliedReportingOverflow(by: generator.items)
        guard generator.users > 0, generator.items > 0, generator.rank > 0, generator.ratings > 0,
            overflow || generator.ratings <= pairs
        else {
            throw DatasetError(
                .content,
                "\(generator.ratings) ratings of \(generator.items) items by \(generator.users) users: each pair is "
                    + "rated once at most")
        }
        var random = SplitMix64(seed: seed, stream: 4)
        let rank = generator.rank
        let userFactors = (0..<generator.users * rank).map { _ in random.normal() }
        let itemFactors = (0..<generator.items * rank).map { _ in random.normal() }
        var seen: Set<UInt64> = []
        seen.reserveCapacity(generator.ratings)
        while values.count < generator.ratings {
            let user = random.below(generator.users)
            let item = random.below(generator.items)
            guard seen.insert(UInt64(user) << 32 | UInt64(item)).inserted else { continue }
            var product = 0.0
            for k in 0..<rank {
                product += Double(userFactors[user * rank + k]) * Double(itemFactors[item * rank + k])
            }
            let noise = generator.noise * Double(random.normal())
            add(user, item, Float(product / Double(rank).squareRoot() + noise))
        }
    }

    mutating func add(_ user: Int, _ item: Int, _ value: Float) {
        users.append(Int32(clamping: user))
        items.append(Int32(clamping: item))
        values.append(value)
    }

    func samples() throws(DatasetError) -> Samples {
        try arrays { () throws(TensorError) in
            let features = try FloatBuffer(count: 2 * values.count)
            let targets = try FloatBuffer(count: values.count)
            for row in values.indices {
                features.base[2 * row] = Float(users[row])
                features.base[2 * row + 1] = Float(items[row])
                targets.base[row] = values[row]
            }
            let one = try Shape([1])
            return try Samples(
                count: values.count, inputs: [one, one], features: features, targetShape: one, targets: targets)
        }
    }
}
