import Glibc

/// Whole files as bytes.
package enum FileBytes {
    /// - Throws: `file` with the system's reason, or `size` beyond `limit` bytes.
    package static func read(_ path: String, limit: Int = 1 << 32) throws(DatasetError) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw failure("cannot open it", path) }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw failure("cannot look at it", path) }
        // A pipe or a device could give bytes for ever.
        guard status.st_mode & S_IFMT == S_IFREG else { throw DatasetError(.file, "not a regular file", path: path) }
        guard status.st_size <= limit else {
            throw DatasetError(.size, "\(status.st_size) bytes; at most \(limit) are read", path: path)
        }
        let size = Int(status.st_size)
        var failed = false
        var errorNumber: Int32 = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
            while count < size {
                let got = Glibc.read(descriptor, buffer.baseAddress.map { $0 + count }, size - count)
                if got > 0 {
                    count += got
                } else if got == 0 {
                    break
                } else if errno != EINTR {
                    failed = true
                    errorNumber = errno
                    break
                }
            }
        }
        if failed { throw failure("cannot read it", path, errorNumber) }
        return bytes
    }

    /// The size of a file in bytes, 0 where there is none.
    package static func size(_ path: String) -> Int {
        var status = stat()
        return stat(path, &status) == 0 ? Int(status.st_size) : 0
    }

    /// The names in a directory, in the order of their bytes; hidden ones and those that are not UTF-8 are left out.
    package static func names(in path: String) throws(DatasetError) -> [String] {
        guard let directory = opendir(path) else { throw failure("cannot open it", path) }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                String(validating: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if let name, !name.hasPrefix(".") { names.append(name) }
        }
        return names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }

    private static func failure(_ what: String, _ path: String, _ number: Int32 = errno) -> DatasetError {
        DatasetError(.file, what + ": " + String(cString: strerror(number)), path: path)
    }
}
