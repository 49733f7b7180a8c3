import ConfigFile
import LinuxSystem
import Units

extension Calibration {
    /// The file's name in the configuration directory.
    package static let fileName = "calibration.toml"
    static let version = 1
    /// No machine under one system draws more; it keeps every later product finite.
    static let mostWatts = 1e6
    private static let mostCards = 256
    private static let advice = "run mld calibrate again, or remove the file"

    /// Reads the file that `mld calibrate` wrote.
    ///
    /// - Throws: everything wrong with it, each with file, line and key; or why it cannot be read.
    package static func read(_ file: String) throws -> Calibration {
        try Calibration(parsing: SystemFile.text(file, limit: 64 * 1024), file: file)
    }

    /// - Parameter file: how the text is called in messages.
    package init(parsing text: String, file: String) throws {
        let collector = ConfigReader.Collector()
        let reader = ConfigReader(try TOMLParser.parse(text, file: file), file: file, collector: collector)
        func need<T>(_ key: String, _ value: T?, in section: ConfigReader) -> T? {
            if value == nil, section.table[key] == nil {
                let place = section.name.isEmpty ? "" : " in [\(section.name)]"
                section.report(key, "\"\(key)\" is missing\(place)", hint: Self.advice)
            }
            return value
        }
        let version = need("version", reader.integer("version"), in: reader)
        if let version, version != Self.version {
            reader.report("version", "\"version\" is \(version); this mld reads \(Self.version)", hint: Self.advice)
            try collector.check()
        }
        let date = need("date", reader.timestamp("date"), in: reader)
        let source = need("source", reader.string("source"), in: reader)
        if let source, source.count > 200 { reader.report("source", "\"source\" is longer than 200 characters") }
        let coverage = need("covers", reader.choice("covers", Coverage.self), in: reader)
        let without = Set(reader.strings("without") ?? [])
        if without.count > Self.mostCards || without.contains(where: { $0.utf8.count > 100 }) {
            reader.report("without", "\"without\" names more cards than a machine has, or too long a one")
        }
        let mean = need("held-out-mean", reader.number("held-out-mean", in: 0...100), in: reader)
        let p90 = need("held-out-p90", reader.number("held-out-p90", in: 0...100), in: reader)
        let idle = need("idle-watts", reader.number("idle-watts", in: 0...Self.mostWatts), in: reader)
        let machine = need("machine", reader.table("machine"), in: reader)
        var cpu = CPUIdentity()
        var cpus: Int?
        var memory: Int?
        if let machine {
            cpu = Self.identity(machine)
            cpus = need("cpus", machine.integer("cpus", in: 1...1 << 16), in: machine)
            memory = need("memory-bytes", machine.integer("memory-bytes", in: 1...1 << 53), in: machine)
            machine.finish()
        }
        let points = reader.tables("points").compactMap { section -> CalibrationPoint? in
            let utilisation = need("utilisation", section.number("utilisation", in: 0...1), in: section)
            let watts = need("watts", section.number("watts", in: 1e-6...Self.mostWatts), in: section)
            let spread = section.number("spread", in: 0...Self.mostWatts) ?? 0
            section.finish()
            guard let utilisation, let watts else { return nil }
            return CalibrationPoint(utilisation: utilisation, watts: watts, spreadWatts: spread)
        }
        reader.finish()
        try collector.check()
        guard let date, let source, let coverage, let mean, let p90, let cpus, let memory, let idle,
            let calibration = Calibration(
                date: date, cpu: cpu, cpus: cpus, memoryBytes: Int64(memory), source: source, coverage: coverage,
                without: without, points: points, error: RelativeErrors(mean: mean, p90: p90))
        else {
            throw ConfigProblem(
                file: file, line: reader.line(of: "points"),
                message: "[[points]] must hold at least two of different utilisation", hint: Self.advice)
        }
        // Stated for people, who must not be told another figure than is used.
        guard abs(idle - calibration.idleWatts) <= 0.01 * calibration.idleWatts else {
            throw ConfigProblem(
                file: file, line: reader.line(of: "idle-watts"),
                message: "\"idle-watts\" is \(idle), but the points say \(significant(calibration.idleWatts))",
                hint: Self.advice)
        }
        self = calibration
    }

    private static func identity(_ section: ConfigReader) -> CPUIdentity {
        CPUIdentity(
            modelName: section.string("cpu") ?? "", vendor: section.string("vendor") ?? "",
            family: section.integer("family"), model: section.integer("model"), stepping: section.integer("stepping"),
            armImplementer: section.integer("arm-implementer"), armPart: section.integer("arm-part"))
    }

    /// The file's text, which ``init(parsing:file:)`` reads back.
    package var text: String {
        let numbers = [
            ("family", cpu.family), ("model", cpu.model), ("stepping", cpu.stepping),
            ("arm-implementer", cpu.armImplementer), ("arm-part", cpu.armPart),
        ]
        var lines = [
            "# Written by mld calibrate; the daemon reads it when it starts. Measure again rather than edit.",
            "version = \(Self.version)", "date = \(date)", "source = \(quoted(source))",
            "# What the watts held: cpu, cpu-and-memory, or board (everything, but for cards with meters of their own).",
            "covers = \(quoted(coverage.rawValue))",
            "# The cards that were taken off: these must have meters of their own whenever it is used, and no others.",
            "without = [\(without.sorted().map(quoted).joined(separator: ", "))]",
            "idle-watts = \(fixed(idleWatts, decimals: 6))",
            "# Relative errors at levels left out of the fit: their mean, and what nine tenths lie within.",
            "held-out-mean = \(fixed(error.mean, decimals: 6))", "held-out-p90 = \(fixed(error.p90, decimals: 6))",
            "", "[machine]", "cpu = \(quoted(cpu.modelName))", "vendor = \(quoted(cpu.vendor))",
        ]
        lines += numbers.compactMap { name, value in value.map { "\(name) = \($0)" } }
        lines += ["cpus = \(cpus)", "memory-bytes = \(memoryBytes)", ""]
        lines.append(
            "# Utilisation is busy CPU time / (CPUs x time); watts and spread are medians over the step's samples.")
        for point in points {
            lines += [
                "[[points]]", "utilisation = \(fixed(point.utilisation, decimals: 6))",
                "watts = \(fixed(point.watts, decimals: 6))", "spread = \(fixed(point.spreadWatts, decimals: 6))", "",
            ]
        }
        return lines.joined(separator: "\n")
    }

    /// A basic string of TOML.
    private func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"", "\\": result += "\\" + String(scalar)
            case _ where scalar.value < 0x20 || scalar.value == 0x7F:
                let digits = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}
