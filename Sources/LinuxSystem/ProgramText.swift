import Glibc

/// The code of this program, as it is mapped from its file.
package enum ProgramText {
    /// Unmaps the pages of code that were used until now; those that are used again come back from the page cache.
    ///
    /// What a daemon does as it starts it does once: until then half of what it is charged for is code that it never runs again.
    /// Only what may be executed and not written is let go, which is as it is in the file.
    /// Where the kernel does not tell what is mapped nothing changes.
    /// - Returns: how many bytes of code are mapped.
    @discardableResult
    package static func letGo() -> Int {
        guard let maps = try? SystemFile.firstLines("/proc/self/maps", limit: 256 << 10) else { return 0 }
        return areas(of: maps).reduce(0) { sum, area in
            guard let start = UnsafeMutableRawPointer(bitPattern: area.lowerBound),
                madvise(start, area.count, MADV_DONTNEED) == 0
            else { return sum }
            return sum + area.count
        }
    }

    /// Those of files, in the words of proc_pid_maps(5): `55e0-55f0 r-xp 00001000 fe:00 1234 /usr/bin/mld`.
    static func areas(of maps: String) -> [Range<UInt>] {
        maps.split(separator: "\n").compactMap { line in
            let fields = line.split(separator: " ", maxSplits: 5)
            guard fields.count == 6, fields[1] == "r-xp", fields[5].drop(while: { $0 == " " }).first == "/" else {
                return nil
            }
            let ends = fields[0].split(separator: "-").compactMap { UInt($0, radix: 16) }
            return ends.count == 2 && ends[0] < ends[1] ? ends[0]..<ends[1] : nil
        }
    }
}
