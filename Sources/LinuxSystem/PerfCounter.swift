import CLinux
import Glibc

extension Descriptor {
    /// A counter of one performance event on one CPU, for all processes; perf_event_open(2).
    /// - Parameters:
    ///   - type: of the event's device, from its `type` file.
    ///   - config: the event's number on that device.
    package static func perfCounter(type: UInt32, config: UInt64, cpu: Int32) throws(LinuxError) -> Descriptor {
        let raw = mld_perf_open(type, config, cpu)
        guard raw >= 0 else { throw LinuxError("perf_event_open") }
        return Descriptor(owning: raw)
    }

    /// What a performance event has counted since it was opened. The kernel gives nothing once its hardware went away.
    package func perfCount() throws(LinuxError) -> UInt64 {
        let bytes = try read(limit: 8)
        guard bytes.count == 8 else { throw LinuxError("read", code: ENODEV) }
        return bytes.withUnsafeBytes { $0.loadUnaligned(as: UInt64.self) }
    }
}
