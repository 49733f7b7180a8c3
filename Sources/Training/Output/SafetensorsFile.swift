import Datasets
import FoundationEssentials
import Glibc
import JobAPI
package import Tensors

/// A safetensors file that was read. It may come from anywhere: nothing in its header is believed before it is checked.
package struct SafetensorsFile: Sendable {
    package struct Array: Hashable, Sendable {
        package let shape: [Int]
        /// Where its bytes lie in the file.
        let bytes: Range<Int>
    }

    package let path: String
    package let metadata: [String: String]
    package let arrays: [String: Array]
    private let bytes: [UInt8]

    /// The format's own bound on headers.
    private static let headerLimit = 100 << 20

    /// - Throws: `output` with what is wrong, naming the file.
    package init(reading path: String) throws(TrainingError) {
        let bytes: [UInt8]
        do { bytes = try FileBytes.read(path) } catch { throw TrainingError(.weights, error.description) }
        try self.init(bytes, path: path)
    }

    package init(_ bytes: [UInt8], path: String) throws(TrainingError) {
        func wrong(_ what: String) -> TrainingError {
            TrainingError(.weights, "\(path): not a sound safetensors file: \(what)")
        }
        guard bytes.count >= 8 else { throw wrong("\(bytes.count) bytes") }
        let length = (0..<8).reduce(UInt64(0)) { $0 | UInt64(bytes[$1]) << (8 * UInt64($1)) }
        guard length <= UInt64(Self.headerLimit), Int(length) <= bytes.count - 8 else {
            throw wrong("a header of \(length) bytes in a file of \(bytes.count)")
        }
        let start = 8 + Int(length)
        let header: [String: HeaderEntry]
        do {
            header = try JSONDecoder().decode([String: HeaderEntry].self, from: Data(bytes[8..<start]))
        } catch { throw wrong("its header is no JSON of names and arrays") }
        var arrays: [String: Array] = [:]
        var metadata: [String: String] = [:]
        for (name, entry) in header {
            if name == "__metadata__" {
                metadata = entry.metadata
                continue
            }
            guard entry.dtype == "F32" else { throw wrong("\"\(name)\" holds \(entry.dtype ?? "?"), not F32") }
            guard let shape = entry.shape, let offsets = entry.offsets, offsets.count == 2 else {
                throw wrong("\"\(name)\" has no shape or no place")
            }
            var count = 1
            for dimension in shape {
                let (product, overflow) = count.multipliedReportingOverflow(by: dimension)
                guard dimension >= 0, !overflow, product <= Shape.maximumCount else {
                    throw wrong("the shape of \"\(name)\"")
                }
                count = product
            }
            guard offsets[0] >= 0, offsets[0] <= offsets[1], offsets[1] <= bytes.count - start,
                offsets[1] - offsets[0] == count * 4
            else { throw wrong("\"\(name)\" lies outside the file or is not as long as its shape says") }
            arrays[name] = Array(shape: shape, bytes: (start + offsets[0])..<(start + offsets[1]))
        }
        // Arrays that share bytes have no place in the format, and could make a small file look large.
        var end = start
        for array in arrays.values.sorted(by: { $0.bytes.lowerBound < $1.bytes.lowerBound }) {
            guard array.bytes.lowerBound == end else { throw wrong("its arrays overlap or leave gaps") }
            end = array.bytes.upperBound
        }
        guard end == bytes.count else { throw wrong("\(bytes.count - end) bytes belong to no array") }
        self.path = path
        self.metadata = metadata
        self.arrays = arrays
        self.bytes = bytes
    }

    /// - Throws: `weights` if the array is not there or has another shape.
    @discardableResult
    func check(_ name: String, shape: [Int]) throws(TrainingError) -> Array {
        guard let array = arrays[name] else { throw TrainingError(.weights, "\(path): there is no array \"\(name)\"") }
        guard array.shape == shape else {
            throw TrainingError(.weights, "\(path): \"\(name)\" has the shape \(array.shape), not \(shape)")
        }
        return array
    }

    /// Copies an array out.
    ///
    /// - Throws: `weights` if it is not there or has another shape.
    package func copy(_ name: String, shape: [Int], to pointer: FloatPointer) throws(TrainingError) {
        let array = try check(name, shape: shape)
        bytes.withUnsafeBytes { raw in
            for (index, place) in stride(from: array.bytes.lowerBound, to: array.bytes.upperBound, by: 4).enumerated() {
                pointer[index] = Float(
                    bitPattern: UInt32(littleEndian: raw.loadUnaligned(fromByteOffset: place, as: UInt32.self)))
            }
        }
    }
}

/// An array's entry in the header, or the strings of `__metadata__`.
private struct HeaderEntry: Decodable {
    var dtype: String?
    var shape: [Int]?
    var offsets: [Int]?
    var metadata: [String: String] = [:]

    private struct Key: CodingKey {
        var stringValue: String
        var intValue: Int? { nil }
        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Key.self)
        let keys = Set(container.allKeys.map(\.stringValue))
        if keys.contains("data_offsets") {
            dtype = try container.decode(String.self, forKey: Key(stringValue: "dtype"))
            shape = try container.decode([Int].self, forKey: Key(stringValue: "shape"))
            offsets = try container.decode([Int].self, forKey: Key(stringValue: "data_offsets"))
        } else {
            for key in container.allKeys { metadata[key.stringValue] = try container.decode(String.self, forKey: key) }
        }
    }
}
