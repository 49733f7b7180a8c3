/// A file to write: bytes, and after them arrays as they lie in memory, which need not be copied for it.
struct OutputFile {
    let name: String
    let bytes: [UInt8]
    /// Valid until the file is written.
    let arrays: [UnsafeBufferPointer<Float>]

    init(_ name: String, _ bytes: [UInt8], arrays: [UnsafeBufferPointer<Float>] = []) {
        self.name = name
        self.bytes = bytes
        self.arrays = arrays
    }
}
