import Glibc

/// The CPU time of one cgroup, read again and again from a file that stays open: with a thousand jobs, opening each of
/// theirs by name every second would cost more than all the rest of metering.
package final class CgroupCPUClock: Sendable {
    private let file: Descriptor
    private let lease: DescriptorBudget.Lease?

    /// - Parameter lease: what allows to keep the file open.
    package init(_ cgroup: Cgroup, lease: DescriptorBudget.Lease? = nil) throws(LinuxError) {
        file = try Descriptor.open(cgroup.path + "/cpu.stat", O_RDONLY)
        self.lease = lease
    }

    /// Of everything that ever ran in the cgroup and below, in µs; nil once it is removed, or if the file says nothing of it.
    package func microseconds() -> UInt64? {
        withUnsafeTemporaryAllocation(byteCount: 1024, alignment: 1) { buffer in
            let count = pread(file.raw, buffer.baseAddress, buffer.count, 0)
            return count > 0 ? Self.usage(in: buffer[..<count]) : nil
        }
    }

    /// The number after `usage_usec ` at the beginning of a line.
    private static func usage(in text: Slice<UnsafeMutableRawBufferPointer>) -> UInt64? {
        var rest = text
        while !rest.isEmpty {
            let end = rest.firstIndex(of: UInt8(ascii: "\n")) ?? rest.endIndex
            let line = rest[..<end]
            if line.starts(with: "usage_usec ".utf8) {
                var value: UInt64 = 0
                let digits = line.dropFirst(11)
                for byte in digits {
                    guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return nil }
                    let (tens, overflow) = value.multipliedReportingOverflow(by: 10)
                    let (next, carry) = tens.addingReportingOverflow(UInt64(byte - UInt8(ascii: "0")))
                    guard !overflow, !carry else { return nil }
                    value = next
                }
                return digits.isEmpty ? nil : value
            }
            rest = end < rest.endIndex ? rest[rest.index(after: end)...] : rest[rest.endIndex...]
        }
        return nil
    }
}
