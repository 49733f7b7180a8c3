import FoundationEssentials
import JobAPI

/// Arrays by name in the safetensors format: the length of the header as a little-endian 64-bit number, the header in
/// JSON (padded with spaces to eight bytes), then the arrays, row-major little-endian floats, one after the other.
package enum Safetensors {
    /// An array to write.
    package struct Array {
        package var name: String
        package var shape: [Int]
        package var values: UnsafeBufferPointer<Float>

        package init(name: String, shape: [Int], values: UnsafeBufferPointer<Float>) {
            self.name = name
            self.shape = shape
            self.values = values
        }
    }

    private struct Entry: Encodable {
        var dtype = "F32"
        var shape: [Int]
        var dataOffsets: [Int]
    }

    private enum Value: Encodable {
        case metadata([String: String])
        case entry(Entry)

        func encode(to encoder: any Encoder) throws {
            switch self {
            case .metadata(let metadata): try metadata.encode(to: encoder)
            case .entry(let entry): try entry.encode(to: encoder)
            }
        }
    }

    /// The bytes before the arrays: the length, and the header.
    static func header(_ arrays: [Array], metadata: [String: String]) throws -> [UInt8] {
        // As a dictionary, whose keys no key strategy rewrites.
        var all: [String: Value] = ["__metadata__": .metadata(metadata)]
        var position = 0
        for array in arrays {
            let end = position + array.values.count * 4
            all[array.name] = .entry(Entry(shape: array.shape, dataOffsets: [position, end]))
            position = end
        }
        var header = [UInt8](try JSON.encode(all))
        while header.count % 8 != 0 { header.append(UInt8(ascii: " ")) }
        return withUnsafeBytes(of: UInt64(header.count).littleEndian) { [UInt8]($0) } + header
    }
}

#if !_endian(little)
    #error("a safetensors file holds little-endian numbers, which are written as they lie in memory")
#endif

extension Safetensors {
    /// - Parameter arrays: which must live until the file is written.
    static func file(_ name: String, _ arrays: [Array], metadata: [String: String]) throws -> OutputFile {
        OutputFile(name, try header(arrays, metadata: metadata), arrays: arrays.map(\.values))
    }
}
