import CLinux
import Glibc

/// What the last step inside the sandbox tells the supervisor, in lines: `started`, `failed EXITSTATUS MESSAGE`
/// (`failed-for-now` where the cause passes by itself), `ended WAITSTATUS`. The pipe is closed in the job itself.
struct StatusPipe {
    private var reader: Int32 = -1
    private(set) var writer: Int32 = -1
    private var bytes: [UInt8] = []

    mutating func open() throws(Failure) {
        var ends: [Int32] = [-1, -1]
        guard mld_pipe(&ends) == 0 else { throw Failure("pipe") }
        guard fcntl(ends[0], F_SETFL, O_NONBLOCK) == 0 else { throw Failure("fcntl") }
        reader = ends[0]
        writer = ends[1]
    }

    mutating func closeWriter() {
        close(writer)
        writer = -1
    }

    /// Takes what has been written so far; what is longer than a few lines is not from us.
    mutating func update() {
        if bytes.count < 4096 { bytes += readAll(reader, limit: 4096 - bytes.count) }
    }

    private var lines: [Substring] {
        String(decoding: bytes, as: UTF8.self).split(separator: "\n")
    }

    var started: Bool { lines.contains("started") }

    /// The job's own wait status, seen by its parent inside the sandbox.
    var ended: Int32? {
        lines.first { $0.hasPrefix("ended ") }.flatMap { Int32($0.dropFirst("ended ".count)) }
    }

    var failed: Failure? {
        for line in lines {
            let words = line.split(separator: " ", maxSplits: 2)
            guard words.count == 3, words[0] == "failed" || words[0] == "failed-for-now", let status = Int32(words[1]),
                (1...255).contains(status)
            else { continue }
            return Failure(status: status, String(words[2]), isTransient: words[0] == "failed-for-now")
        }
        return nil
    }
}
