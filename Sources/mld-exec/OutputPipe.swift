import CLinux
import Glibc

/// A pipe a job writes into; we read it, whoever runs the job.
struct OutputPipe {
    let reader: Int32
    private(set) var writer: Int32
    /// Nobody has the other end any more.
    private(set) var isClosed = false
    /// The last bytes that came, to quote a sandbox that could not be built.
    private(set) var tail: [UInt8] = []

    /// - Parameter owner: whose it is: programs open `/dev/stdout` anew, with their own rights.
    init(owner: (uid: UInt32, gid: UInt32)?) throws(Failure) {
        var ends: [Int32] = [-1, -1]
        guard mld_pipe(&ends) == 0 else { throw Failure("pipe") }
        (reader, writer) = (ends[0], ends[1])
        // Fewer turns between writer and reader; where the kernel grants no more, the usual 64 KiB do.
        _ = fcntl(reader, 1031, 256 << 10)  // F_SETPIPE_SZ
        guard fcntl(reader, F_SETFL, O_NONBLOCK) == 0 else { throw Failure("fcntl") }
        if let owner, fchown(writer, owner.uid, owner.gid) != 0 { throw Failure("give the output pipe to its user") }
    }

    mutating func closeWriter() {
        close(writer)
        writer = -1
    }

    /// What one turn takes at most, so that a flood does not keep a signal waiting.
    private static let turn = 1 << 20

    /// Moves what is there into the log; a bounded part of it, if there is no end to it.
    mutating func drain(into log: inout JobLog, _ buffer: UnsafeMutableRawBufferPointer) {
        var moved = 0
        while moved < Self.turn, let count = take(into: &log, buffer) { moved += count }
    }

    /// Moves what is left when no process of the job lives any more: no more than the pipe can hold.
    mutating func drainRest(into log: inout JobLog, _ buffer: UnsafeMutableRawBufferPointer) {
        let capacity = Int(fcntl(reader, 1032))  // F_GETPIPE_SZ
        var moved = 0
        while moved < max(capacity, 64 << 10), let count = take(into: &log, buffer) { moved += count }
    }

    /// - Returns: how many bytes were moved; nil if there were none.
    private mutating func take(into log: inout JobLog, _ buffer: UnsafeMutableRawBufferPointer) -> Int? {
        while true {
            let count = read(reader, buffer.baseAddress, buffer.count)
            if count < 0, errno == EINTR { continue }
            if count == 0 { isClosed = true }
            guard count > 0 else { return nil }
            let bytes = UnsafeRawBufferPointer(rebasing: buffer[..<count])
            log.append(bytes)
            if count >= Self.tailLength { tail.removeAll(keepingCapacity: true) }
            tail += bytes.suffix(Self.tailLength)
            if tail.count > Self.tailLength { tail.removeFirst(tail.count - Self.tailLength) }
            return count
        }
    }

    private static let tailLength = 1000
}
