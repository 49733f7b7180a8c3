import CLinux
import Glibc

/// Which CPUs the threads of another process may run on.
package enum ThreadAffinity {
    /// Keeps every thread of a process on these CPUs. What ended meanwhile is passed over.
    package static func keep(process: Int32, on cpus: [Int]) throws(LinuxError) {
        let path = "/proc/\(process)/task"
        guard let directory = opendir(path) else {
            if errno == ENOENT || errno == ESRCH { return }
            throw LinuxError("open", path: path)
        }
        defer { closedir(directory) }
        let numbers = cpus.map { Int32(clamping: $0) }
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            guard let thread = Int32(name) else { continue }
            if mld_keep_on_cpus(thread, numbers, Int32(clamping: numbers.count)) != 0, errno != ESRCH {
                throw LinuxError("sched_setaffinity of thread \(thread)")
            }
        }
    }
}
