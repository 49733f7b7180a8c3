import Glibc
import JobAPI

/// Writes events as JSON lines on the descriptor that `MLD_EVENTS_FD` names, else on standard output.
///
/// Nobody listening is no reason to stop training: after the first failure it says so once and falls silent.
package final class EventWriter {
    private let descriptor: Int32
    private var hasFailed = false
    /// Events have a descriptor of their own, so standard output is for people.
    package let isSeparate: Bool

    /// - Parameter number: the value of `MLD_EVENTS_FD`.
    /// - Throws: `start` if it is no open descriptor.
    package init(descriptor number: String?) throws(TrainingError) {
        guard let number else {
            descriptor = STDOUT_FILENO
            isSeparate = false
            return
        }
        guard let value = Int32(number), value >= 0, fcntl(value, F_GETFD) >= 0 else {
            throw TrainingError(.start, "MLD_EVENTS_FD is \"\(number)\", which is no open descriptor")
        }
        descriptor = value
        isSeparate = value != STDOUT_FILENO
    }

    func write(_ event: TrainingEvent) {
        if hasFailed { return }
        do {
            let line = Array((try JSON.text(event) + "\n").utf8)
            if let number = writeAll(descriptor, line) { fail(String(cString: strerror(number))) }
        } catch {
            fail("\(error)")
        }
    }

    /// A line for people.
    package func say(_ line: String) {
        // Not worth an event, and nothing to be done about.
        _ = writeAll(isSeparate ? STDOUT_FILENO : STDERR_FILENO, Array((line + "\n").utf8))
    }

    private func fail(_ why: String) {
        hasFailed = true
        _ = writeAll(STDERR_FILENO, Array("mltrain: events are lost from here on: \(why)\n".utf8))
    }
}

/// - Returns: the error number if not all could be written.
func writeAll(_ descriptor: Int32, _ bytes: [UInt8]) -> Int32? {
    bytes.withUnsafeBytes { writeAll(descriptor, $0) }
}

func writeAll(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer) -> Int32? {
    var written = 0
    while written < bytes.count {
        let count = Glibc.write(descriptor, bytes.baseAddress.map { $0 + written }, bytes.count - written)
        if count >= 0 {
            written += count
        } else if errno == EAGAIN {
            // A pipe that is full and does not block: its reader is slow.
            var poller = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
            if poll(&poller, 1, 10_000) == 0 { return EAGAIN }
        } else if errno != EINTR {
            return errno
        }
    }
    return nil
}
