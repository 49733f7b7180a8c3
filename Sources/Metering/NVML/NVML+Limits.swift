import LinuxSystem

// The power management limit of a card, in mW in the library and in watts here.
extension NVML {
    fileprivate typealias Get = @convention(c) (OpaquePointer, UnsafeMutablePointer<UInt32>) -> Int32
    fileprivate typealias GetRange =
        @convention(c) (OpaquePointer, UnsafeMutablePointer<UInt32>, UnsafeMutablePointer<UInt32>) -> Int32
    fileprivate typealias Set = @convention(c) (OpaquePointer, UInt32) -> Int32

    /// Optional: a library may lack each.
    struct LimitCalls: Sendable {
        fileprivate let get: Get?
        fileprivate let range: GetRange?
        fileprivate let set: Set?

        init(_ library: DynamicLibrary) {
            get = library.function("nvmlDeviceGetPowerManagementLimit", as: Get.self)
            range = library.function("nvmlDeviceGetPowerManagementLimitConstraints", as: GetRange.self)
            set = library.function("nvmlDeviceSetPowerManagementLimit", as: Set.self)
        }
    }

    func powerLimit(_ device: Device) throws(Failure) -> Double {
        guard let get = limitCalls.get else { throw failure(Failure.notSupported) }
        var milliwatts: UInt32 = 0
        try check(get(device.handle, &milliwatts))
        guard milliwatts > 0 else { throw failure(Failure.notSupported) }
        return Double(milliwatts) / 1000
    }

    func powerLimits(_ device: Device) throws(Failure) -> ClosedRange<Double> {
        guard let range = limitCalls.range, limitCalls.set != nil else { throw failure(Failure.notSupported) }
        var (least, most): (UInt32, UInt32) = (0, 0)
        try check(range(device.handle, &least, &most))
        guard least > 0, least <= most else { throw failure(Failure.notSupported) }
        return Double(least) / 1000...Double(most) / 1000
    }

    func setPowerLimit(_ device: Device, _ watts: Double) throws(Failure) {
        guard let set = limitCalls.set else { throw failure(Failure.notSupported) }
        try check(set(device.handle, UInt32(min(max(0, watts), 1e6) * 1000)))
    }
}
