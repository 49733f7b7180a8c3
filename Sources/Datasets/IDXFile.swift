package import Tensors

/// An array of unsigned bytes in the IDX format of the MNIST family, plain or gzipped.
///
/// Two zero bytes, the element type (8: unsigned byte), the number of dimensions, each dimension as a big-endian 32-bit
/// number, then the elements. The header is hostile: nothing is allocated by what it says, it is only compared with
/// what is there.
package struct IDXFile: Sendable {
    /// The first dimension: the number of samples.
    package let count: Int
    /// The others: the shape of one sample.
    package let shape: Shape
    /// `[count][shape]`
    package let bytes: ArraySlice<UInt8>

    /// - Parameter limit: the most bytes a file may unfold to.
    /// - Throws: `file`, `format` or `size`, with the path.
    package static func read(_ path: String, limit: Int = 1 << 32) throws(DatasetError) -> IDXFile {
        do throws(DatasetError) {
            let file = try FileBytes.read(path, limit: limit)
            let bytes = Gzip.isGzip(file) ? try Gzip.unfold(file, limit: try claimedSize(file, limit: limit)) : file
            let header = try IDXHeader(bytes)
            let (size, overflow) = header.count.multipliedReportingOverflow(by: header.shape.count)
            guard !overflow, size == bytes.count - header.length else {
                throw DatasetError(
                    .format,
                    "its header tells of \(header.count) samples of \(header.shape), which is not the "
                        + "\(bytes.count - header.length) bytes that follow")
            }
            return IDXFile(count: header.count, shape: header.shape, bytes: bytes[header.length...])
        } catch {
            throw DatasetError(error.code, error.message, path: path)
        }
    }

    /// The whole size by the header's word: more than it claims is not unfolded, however much the file holds.
    private static func claimedSize(_ file: [UInt8], limit: Int) throws(DatasetError) -> Int {
        let header = try IDXHeader(try Gzip.prefix(file, count: IDXHeader.longest))
        let (size, overflow) = header.count.multipliedReportingOverflow(by: header.shape.count)
        return overflow ? limit : min(limit, header.length + size)
    }

    /// The bytes of a file of pictures.
    ///
    /// - Parameter pixels: `[count][height][width]`
    package static func encode(_ pixels: [UInt8], count: Int, height: Int, width: Int) -> [UInt8] {
        let dimensions = [count, height, width].flatMap { size in
            (0..<4).map { UInt8(truncatingIfNeeded: size >> (24 - 8 * $0)) }
        }
        return [0, 0, 8, 3] + dimensions + pixels
    }

    /// What the header claims, without unfolding the rest.
    package static func readHeader(_ path: String) throws(DatasetError) -> (count: Int, shape: Shape) {
        do throws(DatasetError) {
            let file = try FileBytes.read(path)
            let bytes = Gzip.isGzip(file) ? try Gzip.prefix(file, count: IDXHeader.longest) : file
            let header = try IDXHeader(bytes)
            return (header.count, header.shape)
        } catch {
            throw DatasetError(error.code, error.message, path: path)
        }
    }
}

private struct IDXHeader {
    static let longest = 4 + 4 * 255

    let count: Int
    let shape: Shape
    let length: Int

    init(_ bytes: [UInt8]) throws(DatasetError) {
        guard bytes.count >= 4, bytes[0] == 0, bytes[1] == 0 else {
            throw DatasetError(.format, "not an IDX file: it does not begin with two zero bytes")
        }
        guard bytes[2] == 8 else {
            throw DatasetError(.format, "IDX elements of type \(bytes[2]); only unsigned bytes (8) are read")
        }
        let rank = Int(bytes[3])
        guard rank >= 1, bytes.count >= 4 + 4 * rank else {
            throw DatasetError(.format, "an IDX header of \(rank) dimensions that is cut short")
        }
        let dimensions = (0..<rank).map { axis in
            (0..<4).reduce(0) { $0 << 8 | Int(bytes[4 + 4 * axis + $1]) }
        }
        do throws(TensorError) {
            shape = try Shape(Array(dimensions.dropFirst()))
        } catch {
            throw DatasetError(.format, "in its IDX header: \(error.message)")
        }
        count = dimensions[0]
        length = 4 + 4 * rank
    }
}
