import CLinux
import Glibc

/// What `/proc/cpuinfo` says of the first processor; the others of a machine are the same.
package struct CPUIdentity: Sendable, Hashable {
    /// `AMD EPYC 7763 64-Core Processor`; empty where the kernel gives no name (most ARM machines).
    package var modelName: String
    /// `GenuineIntel`, `AuthenticAMD`; empty on ARM.
    package var vendor: String
    package var family: Int?
    package var model: Int?
    package var stepping: Int?
    /// ARM: who designed the core (0x41 is Arm) and which core it is (0xd0c is Neoverse N1).
    package var armImplementer: Int?
    package var armPart: Int?

    package init(
        modelName: String = "", vendor: String = "", family: Int? = nil, model: Int? = nil, stepping: Int? = nil,
        armImplementer: Int? = nil, armPart: Int? = nil
    ) {
        self.modelName = modelName
        self.vendor = vendor
        self.family = family
        self.model = model
        self.stepping = stepping
        self.armImplementer = armImplementer
        self.armPart = armPart
    }

    package init(roots: SystemRoots) throws(SystemFileError) {
        try self.init(parsing: SystemFile.firstLines(roots.procfs + "/cpuinfo", limit: 32 * 1024))
    }

    /// A field that is absent or malformed stays empty: an unknown CPU is a lawful answer.
    package init(parsing text: String) {
        var fields: [String: String] = [:]
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            if line.isEmpty, !fields.isEmpty { break }
            let parts = line.split(separator: ":", maxSplits: 1)
            guard parts.count == 2 else { continue }
            fields[Self.trimmed(parts[0])] = String(Self.trimmed(parts[1]).prefix(128))
        }
        self.init(
            modelName: fields["model name"] ?? "", vendor: fields["vendor_id"] ?? "",
            family: fields["cpu family"].flatMap { Int($0) }, model: fields["model"].flatMap { Int($0) },
            stepping: fields["stepping"].flatMap { Int($0) },
            armImplementer: fields["CPU implementer"].flatMap(Self.hexadecimal),
            armPart: fields["CPU part"].flatMap(Self.hexadecimal))
    }

    private static func trimmed(_ text: Substring) -> String {
        var slice = text
        while let last = slice.last, last.isWhitespace { slice.removeLast() }
        while let first = slice.first, first.isWhitespace { slice.removeFirst() }
        return String(slice)
    }

    private static func hexadecimal(_ text: String) -> Int? {
        text.hasPrefix("0x") ? Int(text.dropFirst(2), radix: 16) : nil
    }
}

package enum CPUTopology {
    /// The CPUs this process may run on, from its affinity mask: always of the real machine, since jobs run on it.
    package static func usableCPUs() -> Int {
        let count = Int(mld_usable_cpus())
        return count > 0 ? count : max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))
    }

    /// The CPUs of a list as the kernel writes it: `0,16`, `0-1`, both mixed. Nil for anything else, and for more CPUs than
    /// any kernel has (8,192).
    package static func list(_ text: String) -> [Int]? {
        var cpus: [Int] = []
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            let ends = part.split(separator: "-", omittingEmptySubsequences: false).map { UInt16($0) }
            guard ends.count <= 2, let first = ends.first ?? nil, let last = ends.last ?? nil, first <= last,
                last < 8192
            else { return nil }
            cpus += (first...last).map { Int($0) }
            if cpus.count > 8192 { return nil }
        }
        return cpus
    }
}
