import Glibc
import LinuxSystem

/// Reads what has been appended to a file since the last time.
///
/// The file belongs to a job: it may be missing, truncated, replaced by a link or grow without bound. Links are not
/// followed, only regular files are read, and each call returns at most `limit` bytes.
struct FileTail {
    let path: String
    private(set) var offset: Int64
    /// The last read found no descriptor or memory to read with: there may be more.
    private(set) var isUnreadable = false

    init(path: String, offset: Int64 = 0) {
        self.path = path
        self.offset = offset
    }

    mutating func read(limit: Int = 256 << 10) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
        isUnreadable = descriptor < 0 && LinuxError.isTransient(errno)
        guard descriptor >= 0 else { return [] }
        defer { close(descriptor) }
        var info = stat()
        guard fstat(descriptor, &info) == 0, info.st_mode & S_IFMT == S_IFREG else { return [] }
        if Int64(info.st_size) < offset { offset = 0 }
        let available = min(Int(Int64(info.st_size) - offset), limit)
        guard available > 0 else { return [] }
        var code: Int32 = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: available) { buffer, count in
            let got = pread(descriptor, buffer.baseAddress, available, off_t(offset))
            code = got < 0 ? errno : 0
            count = max(got, 0)
        }
        isUnreadable = LinuxError.isTransient(code)
        offset += Int64(bytes.count)
        return bytes
    }
}

extension FileTail {
    /// How many bytes at the end are the beginning of a character whose rest is missing.
    static func incompleteSuffix(_ bytes: [UInt8]) -> Int {
        for back in 1...3 where back <= bytes.count {
            let byte = bytes[bytes.count - back]
            if byte & 0xC0 == 0x80 { continue }
            let length = byte >= 0xF0 ? 4 : (byte >= 0xE0 ? 3 : (byte >= 0xC0 ? 2 : 1))
            return length > back ? back : 0
        }
        return 0
    }
}

/// Splits appended bytes into whole lines; a line longer than the bound is dropped whole.
struct LineBuffer {
    private var pending: [UInt8] = []
    private var isSkipping = false
    private let limit: Int

    init(limit: Int = 64 << 10) {
        self.limit = limit
    }

    /// Bytes of a line that has not ended yet.
    var pendingCount: Int { pending.count }

    mutating func append(_ bytes: [UInt8]) -> [String] {
        var lines: [String] = []
        bytes.withUnsafeBytes { buffer in
            var start = 0
            // By whole stretches: a job can make this file as long as it likes, byte by byte is slow.
            while start < buffer.count {
                let rest = UnsafeRawBufferPointer(rebasing: buffer[start...])
                guard let base = rest.baseAddress else { break }
                let end = memchr(base, 0x0A, rest.count).map { base.distance(to: $0) }
                let part = rest[..<(end ?? rest.count)]
                if part.count > limit - pending.count { isSkipping = true }
                pending += part.prefix(limit - pending.count)
                guard let end else { break }
                if !isSkipping, !pending.isEmpty { lines.append(String(decoding: pending, as: UTF8.self)) }
                pending.removeAll(keepingCapacity: true)
                isSkipping = false
                start += end + 1
            }
        }
        return lines
    }
}
