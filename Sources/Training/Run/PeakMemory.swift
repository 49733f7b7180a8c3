import Glibc

/// The most memory that this process has had at once.
///
/// Not `ru_maxrss`: Linux keeps that across `execve`, so it begins with the size of the program that started this one.
/// `VmHWM` of proc(5) begins anew.
enum PeakMemory {
    static var bytes: Int {
        var usage = rusage()
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        // Where there is no /proc, better too much than nothing.
        return highWaterMark ?? usage.ru_maxrss * 1024
    }

    private static var highWaterMark: Int? {
        let descriptor = open("/proc/self/status", O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        // The whole file is shorter; the line stands in its first half.
        var block = [UInt8](repeating: 0, count: 8192)
        let count = read(descriptor, &block, block.count)
        guard count > 0 else { return nil }
        let text = String(decoding: block[..<count], as: UTF8.self)
        for line in text.split(separator: "\n") where line.hasPrefix("VmHWM:") {
            let digits = line.drop { !("0"..."9").contains($0) }.prefix { ("0"..."9").contains($0) }
            return Int(digits).map { $0 * 1024 }
        }
        return nil
    }
}
