import CLinux
import Glibc

/// Who asks for something to be started. Only the daemon may, which is outside of all jobs: whoever else is of the same user could be
/// a job of that user that came by the socket.
struct SpawnPeer {
    /// The file in which `mld-exec hold` names the place of all jobs' cgroups; nil where it is not told.
    let placeFile: String?

    /// Why the process at the other end is refused; nil where it is not.
    func refusal(of connection: Int32) -> String? {
        guard mld_peer_uid(connection) == Int64(geteuid()) else { return "a process that is not this user's" }
        let pid = mld_peer_pid(connection)
        guard pid > 0 else { return "a process outside of this PID namespace" }
        let unknown = "process \(pid), which has ended or cannot be looked at,"
        guard let status = Self.lines("/proc/\(pid)/status"), let own = Self.lines("/proc/self/status"),
            let cgroups = Self.lines("/proc/\(pid)/cgroup")
        else { return unknown }
        guard let depth = Self.namespaces(status), let ownDepth = Self.namespaces(own) else { return unknown }
        if depth > ownDepth { return "process \(pid), which is in a PID namespace of its own as jobs are," }
        if let jobs, cgroups.contains(where: { $0.starts(with: "0::\(jobs)".utf8) }) {
            return "process \(pid), which is in a job's cgroup,"
        }
        // What was looked at is what asks, and not a later process of the same number.
        return mld_peer_has_ended(connection) == 0 ? nil : unknown
    }

    /// What the cgroups of jobs begin with. Read each time: the service that holds them may have been started anew.
    private var jobs: String? {
        guard let placeFile, let place = Self.lines(placeFile)?.first, place.first == UInt8(ascii: "/"), place.count > 1
        else { return nil }
        return String(decoding: place, as: UTF8.self) + "/jobs/"
    }

    /// Of how many PID namespaces it is a part that we see.
    private static func namespaces(_ status: [ArraySlice<UInt8>]) -> Int? {
        status.first { $0.starts(with: "NSpid:".utf8) }?.split(separator: UInt8(ascii: "\t")).dropFirst().count
    }

    /// By bytes: a name that ends in a carriage return makes one character of it and the line break. Nil where nothing can be read.
    private static func lines(_ path: String) -> [ArraySlice<UInt8>]? {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        let lines = readAll(file, limit: 64 * 1024).split(separator: UInt8(ascii: "\n"))
        return lines.isEmpty ? nil : lines
    }
}
