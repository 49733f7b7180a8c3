import LinuxSystem

/// Who is on a card, and how busy they keep it.
extension NVML {
    /// All optional: older drivers lack them.
    struct ProcessCalls: Sendable {
        typealias List =
            @convention(c) (OpaquePointer, UnsafeMutablePointer<UInt32>, UnsafeMutableRawPointer?) -> Int32
        typealias Samples =
            @convention(c) (OpaquePointer, UnsafeMutableRawPointer?, UnsafeMutablePointer<UInt32>, UInt64) -> Int32

        /// A list and how many 8-byte words its records have by the header.
        typealias Versioned = (call: List, words: Int)

        let compute: Versioned?
        let graphics: Versioned?
        let utilisation: Samples?

        init(_ library: DynamicLibrary) {
            func list(_ name: String) -> Versioned? {
                for (suffix, words) in [("_v3", 3), ("_v2", 3), ("", 2)] {
                    if let call = library.function(name + suffix, as: List.self) { return (call, words) }
                }
                return nil
            }
            compute = list("nvmlDeviceGetComputeRunningProcesses")
            graphics = list("nvmlDeviceGetGraphicsRunningProcesses")
            utilisation = library.function("nvmlDeviceGetProcessUtilization", as: Samples.self)
        }
    }

    /// More processes or samples than a card has; the driver's buffer holds some thousand.
    private static let mostRecords: UInt32 = 16_384

    /// Every process with a context on the card, for computing or for graphics.
    func running(_ device: Device) throws(Failure) -> CardProcesses.Running {
        guard let compute = processCalls.compute else { throw failure(Failure.notSupported) }
        var running = try list(compute, device)
        guard let graphics = processCalls.graphics else { return running }
        do throws(Failure) {
            // A process in both lists is told with all its memory in each.
            running.merge(try list(graphics, device)) { $0.combined($1, max) }
        } catch {
            // A card for computing alone.
            if error.code != Failure.notSupported { throw error }
        }
        return running
    }

    /// `nvmlProcessInfo_v1_t` is pid, padding and bytes; v2 has the numbers of its instance (MIG) after that. Some drivers
    /// of the 535 branch write one word more under the name `_v3`, so what was written decides where it can.
    private func list(_ list: ProcessCalls.Versioned, _ device: Device) throws(Failure) -> CardProcesses.Running {
        let records = try records { list.call(device.handle, $1, $0) }
        let written = (records.words.lastIndex { $0 != Self.untouched } ?? -1) + 1
        let size = [2, 3, 4].first { records.count * $0 == written } ?? list.words
        var running: CardProcesses.Running = [:]
        for start in 0..<records.count {
            let pid = records.half(start * size)
            let bytes = records.words[start * size + 1]
            guard let pid = Int32(exactly: pid), pid > 0 else { continue }
            // All ones means "not available".
            let held = CardProcesses.Holding(bytes: bytes == .max ? nil : Int64(clamping: bytes))
            // Once for each instance of a divided card.
            running.merge([pid: held]) { $0.combined($1) { Int64(clamping: UInt64($0) + UInt64($1)) } }
        }
        return running
    }

    /// How busy each process kept the card, in samples newer than `since` (µs since 1970). Whoever did nothing is left out.
    func utilisation(_ device: Device, since: UInt64) throws(Failure) -> [CardProcesses.Sample] {
        guard let call = processCalls.utilisation else { throw failure(Failure.notSupported) }
        let records = try records { call(device.handle, $0, $1, since) }
        return (0..<records.count).compactMap { record in
            // Unused places of the buffer are counted by some drivers; their pid is 0.
            guard let pid = Int32(exactly: records.half(record * 4)), pid > 0 else { return nil }
            // pid, padding, time; then compute units, memory, encoder and decoder.
            return CardProcesses.Sample(
                pid: pid, microseconds: records.words[record * 4 + 1], percent: records.half(record * 4 + 2))
        }
    }

    private struct Records {
        var words: [UInt64] = []
        var count = 0

        /// The first half of a word: an `unsigned int` as the C compiler lays it out.
        func half(_ word: Int) -> UInt32 {
            words.withUnsafeBytes { $0.load(fromByteOffset: word * 8, as: UInt32.self) }
        }
    }

    /// What no record holds; tells how far a call has written.
    private static let untouched: UInt64 = 0xA5A5_5A5A_C3C3_3C3C

    /// Asks how many records there are, then for them, as the header says. Processes may come meanwhile.
    private func records(
        _ call: (UnsafeMutableRawPointer?, UnsafeMutablePointer<UInt32>) -> Int32
    ) throws(Failure) -> Records {
        var records = Records()
        var count: UInt32 = 0
        var status = call(nil, &count)
        for _ in 0..<3 {
            // Some drivers answer the first question with success.
            let isWanting = status == Failure.insufficientSize || (status == 0 && records.words.isEmpty && count > 0)
            guard isWanting else { break }
            guard count <= Self.mostRecords else {
                throw Failure(code: -1, message: "NVML tells of \(count) processes on one card")
            }
            let room = Int(count) + 16
            // No record is longer than four words.
            records.words = Array(repeating: Self.untouched, count: room * 4)
            count = UInt32(room)
            status = records.words.withUnsafeMutableBytes { call($0.baseAddress, &count) }
            records.count = min(Int(count), room)
        }
        if status == Failure.notFound { return Records() }
        try check(status)
        return records
    }
}
