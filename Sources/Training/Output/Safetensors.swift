import FoundationEssentials
import JobAPI
import Learning
import Tensors

/// Weights in the safetensors format: the length of the header as a little-endian 64-bit number, the header in JSON
/// (padded with spaces to eight bytes), then the arrays, row-major little-endian floats, one after the other.
enum Safetensors {
    private struct Entry: Encodable {
        var dtype = "F32"
        var shape: [Int]
        var dataOffsets: [Int]
    }

    private struct Header: Encodable {
        var entries: [(name: String, entry: Entry)]
        var metadata: [String: String]

        private struct Key: CodingKey {
            var stringValue: String
            var intValue: Int? { nil }
            init(_ name: String) { stringValue = name }
            init?(stringValue: String) { self.init(stringValue) }
            init?(intValue: Int) { nil }
        }

        func encode(to encoder: any Encoder) throws {
            // As dictionaries, whose keys no key strategy rewrites.
            var container = encoder.singleValueContainer()
            var all: [String: Value] = ["__metadata__": .metadata(metadata)]
            for (name, entry) in entries { all[name] = .entry(entry) }
            try container.encode(all)
        }
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

    static func encode(_ runner: StepRunner, metadata: [String: String]) throws -> [UInt8] {
        var entries: [(name: String, entry: Entry)] = []
        var position = 0
        for parameter in runner.model.plan.parameters {
            let end = position + parameter.shape.count * 4
            entries.append((parameter.name, Entry(shape: parameter.shape.dimensions, dataOffsets: [position, end])))
            position = end
        }
        var header = Array(try JSON.encode(Header(entries: entries, metadata: metadata)))
        while header.count % 8 != 0 { header.append(UInt8(ascii: " ")) }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(8 + header.count + position)
        withUnsafeBytes(of: UInt64(header.count).littleEndian) { bytes.append(contentsOf: $0) }
        bytes += header
        for parameter in runner.model.plan.parameters {
            for index in 0..<parameter.shape.count {
                let bits = runner.parameters.base[parameter.offset + index].bitPattern.littleEndian
                withUnsafeBytes(of: bits) { bytes.append(contentsOf: $0) }
            }
        }
        return bytes
    }
}
