import CLinux
import Glibc

/// `mld-exec hold`: keeps the cgroup of all jobs, and does nothing else.
///
/// A cgroup that hands controllers down may hold no processes, so systemd cannot start a service in it again: not while jobs of
/// before are still there. So jobs have a service of their own, whose one process has no reason to end, and both the daemon and
/// who starts jobs for it can be restarted at any time.
enum CgroupHolder {
    private static let leaf = "/daemon"

    static func run(_ arguments: ArraySlice<String>) throws(Failure) {
        guard let file = arguments.first, arguments.count == 1 else {
            throw Failure(status: 2, "hold: the file is needed into which the place is written")
        }
        guard let place = own() else { throw Failure(status: 1, "hold: there is no cgroup v2 hierarchy") }
        try makeRoom(place)
        try tell(place, in: file)
        guard mld_notify_ready() == 0 else { throw Failure("hold: tell systemd") }
        while true { pause() }
    }

    /// As `/proc/PID/cgroup` names it; nil where there is none.
    private static func own() -> String? {
        let file = open("/proc/self/cgroup", O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        let lines = String(decoding: readAll(file, limit: 64 * 1024), as: UTF8.self).split(separator: "\n")
        guard let line = lines.first(where: { $0.hasPrefix("0::/") }) else { return nil }
        let place = String(line.dropFirst(3))
        return place.hasSuffix(leaf) ? String(place.dropLast(leaf.count)) : place
    }

    /// Moves to a leaf, so that controllers can be handed down beside it.
    private static func makeRoom(_ place: String) throws(Failure) {
        let mounts = ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"]
        guard place != "/", let mount = mounts.first(where: { access($0 + "/cgroup.controllers", F_OK) == 0 }) else {
            throw Failure(status: 1, "hold: \(place) is no place for cgroups of jobs")
        }
        let home = mount + place + leaf
        guard mkdir(home, 0o755) == 0 || errno == EEXIST else { throw Failure("hold: make \(home)") }
        let file = open(home + "/cgroup.procs", O_WRONLY | O_CLOEXEC)
        guard file >= 0 else { throw Failure("hold: open \(home)/cgroup.procs") }
        defer { close(file) }
        guard writeAll(file, "0") else { throw Failure("hold: move to \(home)") }
    }

    private static func tell(_ place: String, in path: String) throws(Failure) {
        let file = open(path + ".new", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o644)
        guard file >= 0 else { throw Failure("hold: create \(path).new") }
        defer { close(file) }
        guard writeAll(file, place + "\n"), rename(path + ".new", path) == 0 else {
            throw Failure("hold: write \(path)")
        }
    }
}
