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
    package static func header(_ arrays: [Array], metadata: [String: String]) throws -> [UInt8] {
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

extension Safetensors {
    /// A whole file in memory.
    package static func encode(_ arrays: [Array], metadata: [String: String]) throws -> [UInt8] {
        var bytes = try header(arrays, metadata: metadata)
        bytes.reserveCapacity(bytes.count + arrays.reduce(0) { $0 + $1.values.count * 4 })
        for array in arrays { append(array.values, to: &bytes) }
        return bytes
    }

    private static func append(_ values: UnsafeBufferPointer<Float>, to bytes: inout [UInt8]) {
        #if _endian(little)
            bytes.append(contentsOf: UnsafeRawBufferPointer(values))
        #else
            for value in values { withUnsafeBytes(of: value.bitPattern.littleEndian) { bytes.append(contentsOf: $0) } }
        #endif
    }
}
