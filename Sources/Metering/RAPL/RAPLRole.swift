/// What a RAPL counter is of, by the kernel's name for it; in the order in which domains are decided on: whether a package
/// can be read decides about the platform.
enum RAPLRole: CaseIterable {
    case package, memory, platform
    /// Lies inside a package: `core`, `uncore`.
    case part

    init(name: String) {
        if name.hasPrefix("package") {
            self = .package
        } else if name == "dram" || name.hasPrefix("dram-") {
            self = .memory
        } else if name.hasPrefix("psys") || name.hasPrefix("platform") {
            self = .platform
        } else {
            self = .part
        }
    }

    var kind: DomainKind {
        switch self {
        case .package, .part: .cpu
        case .memory: .memory
        case .platform: .platform
        }
    }

    /// More than such hardware draws, in watts.
    var bound: Double {
        switch self {
        case .package, .part: PowerBound.package
        case .memory: PowerBound.memory
        case .platform: PowerBound.platform
        }
    }
}
