import LinuxSystem

/// NVIDIA's management library, as far as meters need it: names, types and units after its public header `nvml.h`.
struct NVML: Sendable {
    /// A card, `nvmlDevice_t`: a pointer into the library that lives as long as the driver.
    ///
    /// `@unchecked Sendable`: it is only handed back to the library, whose calls are safe from any thread (`nvml.h`).
    struct Device: @unchecked Sendable {
        let handle: OpaquePointer
    }

    /// `nvmlReturn_t`, where it is not success.
    struct Failure: Error, Hashable {
        let code: Int32
        let message: String

        static let notSupported: Int32 = 3
        static let noPermission: Int32 = 4
        static let notFound: Int32 = 6
        static let insufficientSize: Int32 = 7
        static let gpuIsLost: Int32 = 15
    }

    private typealias Plain = @convention(c) () -> Int32
    private typealias Number = @convention(c) (UnsafeMutablePointer<UInt32>) -> Int32
    private typealias ByIndex = @convention(c) (UInt32, UnsafeMutablePointer<OpaquePointer?>) -> Int32
    private typealias Text = @convention(c) (OpaquePointer, UnsafeMutablePointer<CChar>, UInt32) -> Int32
    private typealias Small = @convention(c) (OpaquePointer, UnsafeMutablePointer<UInt32>) -> Int32
    private typealias Large = @convention(c) (OpaquePointer, UnsafeMutablePointer<UInt64>) -> Int32
    private typealias Pair =
        @convention(c) (OpaquePointer, UnsafeMutablePointer<UInt32>, UnsafeMutablePointer<UInt32>) -> Int32
    private typealias Record = @convention(c) (OpaquePointer, UnsafeMutableRawPointer) -> Int32
    private typealias ErrorText = @convention(c) (Int32) -> UnsafePointer<CChar>?

    private let countCall: Number
    private let handleCall: ByIndex
    private let uuidCall: Text
    private let nameCall: Text
    private let powerCall: Small?
    private let energyCall: Large?
    private let migCall: Pair?
    private let minorCall: Small?
    private let pciCall: Record?
    private let memoryCall: Record?
    private let errorCall: ErrorText?
    let processCalls: ProcessCalls
    let limitCalls: LimitCalls

    enum Opening: Error, Hashable {
        /// No such library: no NVIDIA driver.
        case absent
        case unusable(String)
    }

    /// Loads the library and starts it.
    init(library name: String) throws(Opening) {
        let library: DynamicLibrary
        do { library = try DynamicLibrary(name) } catch {
            throw error.isAbsent ? .absent : .unusable(error.message)
        }
        // Without these nothing can be told; the others came with later drivers.
        guard let start = library.function("nvmlInit_v2", as: Plain.self),
            let count = library.function("nvmlDeviceGetCount_v2", as: Number.self),
            let handle = library.function("nvmlDeviceGetHandleByIndex_v2", as: ByIndex.self),
            let uuid = library.function("nvmlDeviceGetUUID", as: Text.self),
            let text = library.function("nvmlDeviceGetName", as: Text.self)
        else { throw .unusable("it lacks functions that a meter needs") }
        (countCall, handleCall, uuidCall, nameCall) = (count, handle, uuid, text)
        powerCall = library.function("nvmlDeviceGetPowerUsage", as: Small.self)
        energyCall = library.function("nvmlDeviceGetTotalEnergyConsumption", as: Large.self)
        migCall = library.function("nvmlDeviceGetMigMode", as: Pair.self)
        minorCall = library.function("nvmlDeviceGetMinorNumber", as: Small.self)
        pciCall = library.function("nvmlDeviceGetPciInfo_v3", as: Record.self)
        memoryCall = library.function("nvmlDeviceGetMemoryInfo", as: Record.self)
        errorCall = library.function("nvmlErrorString", as: ErrorText.self)
        processCalls = ProcessCalls(library)
        limitCalls = LimitCalls(library)
        let status = start()
        if status != 0 { throw .unusable(failure(status).message) }
    }

    func failure(_ code: Int32) -> Failure {
        let words = errorCall?(code).map { String(cString: $0) } ?? ""
        return Failure(code: code, message: words.isEmpty ? "NVML error \(code)" : "NVML error \(code), \(words)")
    }

    func check(_ code: Int32) throws(Failure) { if code != 0 { throw failure(code) } }

    func count() throws(Failure) -> Int {
        var count: UInt32 = 0
        try check(countCall(&count))
        return Int(min(count, 1024))
    }

    func device(_ index: Int) throws(Failure) -> Device {
        var handle: OpaquePointer?
        try check(handleCall(UInt32(index), &handle))
        guard let handle else { throw Failure(code: -1, message: "NVML gave no handle for GPU \(index)") }
        return Device(handle: handle)
    }

    /// `GPU-` and 36 letters, the same after a restart.
    func uuid(_ device: Device) throws(Failure) -> String { try text(uuidCall, device, 96) }

    func name(_ device: Device) throws(Failure) -> String { try text(nameCall, device, 96) }

    private func text(_ call: Text, _ device: Device, _ size: Int) throws(Failure) -> String {
        var buffer = [CChar](repeating: 0, count: size)
        try check(call(device.handle, &buffer, UInt32(size)))
        return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// In mW; of most cards a mean over the last second or less.
    func power(_ device: Device) throws(Failure) -> UInt32 {
        guard let powerCall else { throw failure(Failure.notSupported) }
        var milliwatts: UInt32 = 0
        try check(powerCall(device.handle, &milliwatts))
        return milliwatts
    }

    /// Since the driver was loaded, in mJ; Volta and later.
    func energy(_ device: Device) throws(Failure) -> UInt64 {
        guard let energyCall else { throw failure(Failure.notSupported) }
        var millijoules: UInt64 = 0
        try check(energyCall(device.handle, &millijoules))
        return millijoules
    }

    /// The number of its device node: `/dev/nvidia` and this.
    func minorNumber(_ device: Device) throws(Failure) -> UInt32 {
        guard let minorCall else { throw failure(Failure.notSupported) }
        var number: UInt32 = 0
        try check(minorCall(device.handle, &number))
        return number
    }

    /// On the PCI bus, as sysfs writes it: `0000:03:00.0`. The function is always 0.
    func address(_ device: Device) throws(Failure) -> String {
        guard let pciCall else { throw failure(Failure.notSupported) }
        // `nvmlPciInfo_t`: 16 characters, then domain, bus and device as numbers; 68 bytes in all.
        var record = [UInt32](repeating: 0, count: 64)
        try check(pciCall(device.handle, &record))
        func hex(_ value: UInt32, _ digits: Int) -> String {
            let text = String(value, radix: 16)
            return String(repeating: "0", count: max(0, digits - text.count)) + text
        }
        return "\(hex(record[4], 4)):\(hex(record[5], 2)):\(hex(record[6], 2)).0"
    }

    /// The card's own memory, in bytes.
    func memory(_ device: Device) throws(Failure) -> Int64 {
        guard let memoryCall else { throw failure(Failure.notSupported) }
        // `nvmlMemory_t`: total, free and used.
        var record = [UInt64](repeating: 0, count: 8)
        try check(memoryCall(device.handle, &record))
        guard (1...(1 << 50)).contains(record[0]) else { throw failure(Failure.notSupported) }
        return Int64(record[0])
    }

    /// Whether the card is divided into instances; cards that cannot be are not.
    func isDivided(_ device: Device) -> Bool {
        var (current, pending): (UInt32, UInt32) = (0, 0)
        return migCall?(device.handle, &current, &pending) == 0 && current == 1
    }
}
