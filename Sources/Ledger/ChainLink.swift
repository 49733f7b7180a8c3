import FoundationEssentials
import GRDB
import Units

/// The fingerprint of the rows of one range: what an entry of the chain says of them.
struct RowsDigest {
    /// The first eight bytes of each row's SHA-256, in order: they tell *which* row was changed.
    private(set) var checks: [UInt8] = []
    private(set) var count = 0
    private var whole = SHA256()
    /// See ``SealedTable/addedColumns``.
    private let added: Int

    static let checkLength = 8

    init(of table: SealedTable) { added = table.addedColumns }

    mutating func add(_ row: Row) {
        var hash = SHA256()
        hash.update(Self.encoding(of: row, added: added))
        let digest = hash.digest()
        checks += digest.prefix(Self.checkLength)
        whole.update(digest)
        count += 1
    }

    /// SHA-256 over the rows' SHA-256.
    func digest() -> [UInt8] {
        var whole = whole
        return whole.digest()
    }

    func check(of row: Row) -> [UInt8] {
        var hash = SHA256()
        hash.update(Self.encoding(of: row, added: added))
        return Array(hash.digest().prefix(Self.checkLength))
    }

    /// The values of a row so that no two different rows look the same: a letter for the type, and texts with their length.
    /// - Parameter added: so many values at the end are left out where they, and all after them, are null.
    static func encoding(of row: Row, added: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(256)
        var count = row.count
        while count > row.count - added, row.hasNull(atIndex: count - 1) { count -= 1 }
        // By index: names would be made anew for every row.
        for index in 0..<count {
            let value: DatabaseValue = row[index]
            switch value.storage {
            case .null: bytes.append(UInt8(ascii: "n"))
            case .int64(let number): append("i", number, to: &bytes)
            case .double(let number): append("r", Int64(bitPattern: number.bitPattern), to: &bytes)
            case .string:
                // Its bytes as they are in the file: a string ends at a zero, behind which anything could be hidden.
                let text: Data = row[index]
                append("t", Int64(text.count), to: &bytes)
                bytes += text
            case .blob(let data):
                append("b", Int64(data.count), to: &bytes)
                bytes += data
            }
        }
        return bytes
    }

    /// A letter and eight bytes, the lowest first.
    private static func append(_ kind: Unicode.Scalar, _ number: Int64, to bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: kind))
        withUnsafeBytes(of: number.littleEndian) { bytes += $0 }
    }
}

/// One entry of the chain. Its hash covers the hash of the entry before, so that none can be changed, taken out or put in
/// without changing every later one.
struct ChainLink {
    var seq: Int64
    var at: Int64
    var source: String
    var first: Int64
    var last: Int64
    var rows: Int
    var note: String
    var digest: [UInt8]

    func hash(after previous: [UInt8]) -> [UInt8] {
        var hash = SHA256()
        hash.update(previous)
        hash.update("\(seq);\(at);\(source);\(first);\(last);\(rows);\(note.utf8.count):\(note);".utf8)
        hash.update(digest)
        return hash.digest()
    }
}
