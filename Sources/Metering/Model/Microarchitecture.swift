package import LinuxSystem

/// The processor generations of the watts table, by the names its source uses.
package enum Microarchitecture: String, Sendable, Hashable, CaseIterable {
    case sandyBridge = "Sandy Bridge"
    case ivyBridge = "Ivy Bridge"
    case haswell = "Haswell"
    case broadwell = "Broadwell"
    case skylake = "Skylake"
    case cascadeLake = "Cascade Lake"
    case coffeeLake = "Coffee Lake"
    case epyc1 = "EPYC 1st Gen"
    case epyc2 = "EPYC 2nd Gen"
    case epyc3 = "EPYC 3rd Gen"
    case graviton = "Graviton"
    case graviton2 = "Graviton2"

    package enum Maker: String, Sendable { case intel = "Intel", amd = "AMD", arm = "Arm" }

    package var maker: Maker {
        switch self {
        case .epyc1, .epyc2, .epyc3: .amd
        case .graviton, .graviton2: .arm
        default: .intel
        }
    }

    /// The generation of a CPU; nil when the table has none like it. The numbers decide where the kernel gives them, since a
    /// virtual machine often hides the name; otherwise the model name does.
    package init?(_ cpu: CPUIdentity) {
        let match =
            cpu.family != nil && cpu.model != nil
            ? Self.byNumbers(cpu) : Self.byArmPart(cpu) ?? Self.byName(cpu.modelName)
        guard let match else { return nil }
        self = match
    }

    private static func byNumbers(_ cpu: CPUIdentity) -> Microarchitecture? {
        switch (cpu.vendor, cpu.family, cpu.model) {
        case ("GenuineIntel", 6, 42), ("GenuineIntel", 6, 45): .sandyBridge
        case ("GenuineIntel", 6, 58), ("GenuineIntel", 6, 62): .ivyBridge
        case ("GenuineIntel", 6, 60), ("GenuineIntel", 6, 63), ("GenuineIntel", 6, 69), ("GenuineIntel", 6, 70):
            .haswell
        case ("GenuineIntel", 6, 61), ("GenuineIntel", 6, 71), ("GenuineIntel", 6, 79), ("GenuineIntel", 6, 86):
            .broadwell
        // One model number holds three server generations; the stepping tells them apart (10 and 11: Cooper Lake).
        case ("GenuineIntel", 6, 85):
            (cpu.stepping ?? 4) <= 4 ? .skylake : (cpu.stepping ?? 4) <= 7 ? .cascadeLake : nil
        case ("GenuineIntel", 6, 78), ("GenuineIntel", 6, 94): .skylake
        case ("GenuineIntel", 6, 158): (cpu.stepping ?? 0) >= 10 ? .coffeeLake : nil
        // Zen and Zen+, Zen 2, Zen 3. Zen 4 shares the family of Zen 3.
        case ("AuthenticAMD", 23, 1), ("AuthenticAMD", 23, 8): .epyc1
        case ("AuthenticAMD", 23, 49), ("AuthenticAMD", 23, 96), ("AuthenticAMD", 23, 113): .epyc2
        case ("AuthenticAMD", 25, 1), ("AuthenticAMD", 25, 33), ("AuthenticAMD", 25, 80): .epyc3
        default: nil
        }
    }

    private static func byArmPart(_ cpu: CPUIdentity) -> Microarchitecture? {
        switch (cpu.armImplementer, cpu.armPart) {
        case (0x41, 0xd08): .graviton
        case (0x41, 0xd0c): .graviton2
        default: nil
        }
    }

    private static func byName(_ name: String) -> Microarchitecture? {
        let name = name.lowercased()
        let words = name.split { !($0.isLetter || $0.isNumber) }
        if words.contains("epyc") {
            // EPYC 7xx1, 7xx2, 7xx3 (and cloud makes such as 7R32): the fourth sign is the generation.
            let number = words.first { $0.count >= 4 && $0.hasPrefix("7") }
            return number.flatMap { ["1": epyc1, "2": epyc2, "3": epyc3][String($0.prefix(4).suffix(1))] }
        }
        guard words.contains("xeon") || words.contains("core") else { return nil }
        let spelled: [(String, Microarchitecture)] = [
            ("sandybridge", .sandyBridge), ("ivybridge", .ivyBridge), ("haswell", .haswell), ("broadwell", .broadwell),
            ("skylake", .skylake), ("cascadelake", .cascadeLake), ("coffeelake", .coffeeLake),
        ]
        let joined = words.joined()
        for (word, match) in spelled where joined.contains(word) { return match }
        if words.contains(where: { ["platinum", "gold", "silver", "bronze"].contains($0) }) {
            // Xeon Scalable: the second digit is the generation, 8168 and 8171M Skylake, 8272CL Cascade Lake.
            let number = words.first { $0.count >= 4 && $0.prefix(4).allSatisfy(\.isNumber) }
            return number.flatMap { ["1": skylake, "2": cascadeLake][String($0.dropFirst().prefix(1))] }
        }
        if words.contains("e5") {
            let versions: [(Substring, Microarchitecture)] = [
                ("v2", .ivyBridge), ("v3", .haswell), ("v4", .broadwell),
            ]
            for (word, match) in versions where words.contains(word) { return match }
            return words.contains("v1") || !words.contains { $0.first == "v" && $0.count == 2 } ? .sandyBridge : nil
        }
        return nil
    }
}
