import Glibc
import Tensors
import Testing

@testable import Datasets

/// A directory that goes when the test ends.
final class Scratch {
    let path: String

    init() {
        var name = Array("/tmp/mld-datasets-XXXXXX".utf8CString)
        path = name.withUnsafeMutableBufferPointer { buffer in
            buffer.baseAddress.flatMap { mkdtemp($0) }.map { String(cString: $0) } ?? "/nonexistent"
        }
    }

    deinit {
        guard let directory = opendir(path) else { return }
        while let entry = readdir(directory) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            unlink(path + "/" + name)
        }
        closedir(directory)
        rmdir(path)
    }

    @discardableResult
    func write(_ name: String, _ text: String) -> String { write(name, Array(text.utf8)) }

    @discardableResult
    func write(_ name: String, _ bytes: [UInt8]) -> String {
        let file = path + "/" + name
        let descriptor = open(file, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        _ = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
        close(descriptor)
        return file
    }
}

/// A gzip file of stored blocks: no compression, but a true checksum.
func stored(_ bytes: [UInt8]) -> [UInt8] {
    func word(_ value: UInt32) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) } }
    let length = UInt16(bytes.count)
    let both = word(UInt32(length) | UInt32(~length) << 16)
    return [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 1] + both + bytes + word(CRC32.checksum(bytes))
        + word(UInt32(bytes.count))
}

func idx(_ dimensions: [Int], _ bytes: [UInt8], type: UInt8 = 8) -> [UInt8] {
    [0, 0, type, UInt8(dimensions.count)]
        + dimensions.flatMap { d in (0..<4).map { UInt8(truncatingIfNeeded: d >> (24 - 8 * $0)) } } + bytes
}

@Suite struct IDXTests {
    let scratch = Scratch()

    @Test func plainAndCompressed() throws {
        let bytes = (0..<24).map { UInt8($0) }
        for file in [idx([2, 3, 4], bytes), stored(idx([2, 3, 4], bytes))] {
            let path = scratch.write("images", file)
            let images = try IDXFile.read(path)
            #expect(images.count == 2)
            #expect(images.shape.dimensions == [3, 4])
            #expect(Array(images.bytes) == bytes)
            let header = try IDXFile.readHeader(path)
            #expect(header.count == 2 && header.shape.dimensions == [3, 4])
        }
    }

    @Test(
        arguments: [
            [], [0, 0, 8], [1, 0, 8, 1, 0, 0, 0, 0], idx([2], [1]), idx([2], [1, 2, 3]),
            idx([2, 2], [1, 2, 3, 4], type: 13),
            [0, 0, 8, 0], [0, 0, 8, 255, 0, 0], idx([1, 0], []), idx([0xffff_ffff, 0xffff_ffff, 0xffff_ffff], [1]),
            idx([0xffff_ffff, 1 << 20, 1 << 20], [1]), Array("P5 not idx at all".utf8), [0x1f, 0x8b, 8],
        ] as [[UInt8]])
    func hostileHeadersAreErrorsWithThePath(bytes: [UInt8]) {
        let path = scratch.write("bad", bytes)
        let error = #expect(throws: DatasetError.self) { try IDXFile.read(path) }
        #expect(error?.description.hasPrefix(path + ": ") == true)
    }

    @Test func filesThatAreNotFiles() {
        let missing = #expect(throws: DatasetError.self) { try IDXFile.read(scratch.path + "/none") }
        #expect(missing?.code == .file)
        #expect(missing?.message.contains("No such file") == true)
        #expect(throws: DatasetError.self) { try IDXFile.read(scratch.path) }
        // A pipe that nobody writes would block for ever.
        let pipe = scratch.path + "/pipe"
        #expect(mkfifo(pipe, 0o600) == 0)
        #expect(throws: DatasetError.self) { try IDXFile.read(pipe) }
        let large = scratch.write("large", [UInt8](repeating: 0, count: 100))
        let error = #expect(throws: DatasetError.self) { try FileBytes.read(large, limit: 99) }
        #expect(error?.code == .size)
    }

    @Test func imagesNeedAsManyLabels() throws {
        let images = try IDXFile.read(scratch.write("i", idx([2, 1, 1], [7, 8])))
        let two = try IDXFile.read(scratch.write("l", idx([2], [0, 3])))
        let three = try IDXFile.read(scratch.write("m", idx([3], [0, 1, 2])))
        #expect(throws: DatasetError.self) { try LabelledImages(images: images, labels: three, path: "") }
        #expect(throws: DatasetError.self) { try LabelledImages(images: images, labels: images, path: "") }
        let set = try LabelledImages(images: images, labels: two, path: "")
        #expect(set.classes == 4)
        let samples = try set.samples(Normalization(.scale, bytes: images.bytes, width: 1, indices: [0, 1]))
        #expect(samples.features.values == [7 / 255, 8 / 255])
        #expect(samples.targets.values == [0, 3])
    }

    /// Debian's package, where it is installed; the formats above are tested without it.
    @Test(.enabled(if: access("/usr/share/datasets/fashion-mnist/t10k-images-idx3-ubyte.gz", R_OK) == 0))
    func theRealTestImages() throws {
        let directory = "/usr/share/datasets/fashion-mnist/"
        let images = try IDXFile.read(directory + "t10k-images-idx3-ubyte.gz")
        #expect(images.count == 10_000 && images.shape.dimensions == [28, 28])
        let labels = try IDXFile.read(directory + "t10k-labels-idx1-ubyte.gz")
        #expect((0..<10).allSatisfy { label in labels.bytes.filter { $0 == label }.count == 1000 })
    }
}
