import FoundationEssentials
import LinuxSystem
import Metering

/// Power against load as RAPL showed it on one machine: one of CodeCarbon's `cpu_load_profiling` files.
struct LoadSweep {
    struct Point {
        /// Whether the generator ran; at load 0 the machine idled.
        var isLoaded: Bool
        /// What was busy, as measured, from 0 to 1.
        var utilisation: Double
        var watts: Double
        /// What CodeCarbon itself wrote down beside the measured figure.
        var recordedEstimate: Double
    }

    var cpu: String
    /// `all_cores`: every CPU busy for a part of the time. `some_cores`: some busy all the time.
    var kind: String
    var points: [Point]

    /// - Returns: nil for a file that is no sweep.
    init?(csv text: String) {
        let lines = text.split(whereSeparator: \.isNewline).map {
            $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        }
        guard let header = lines.first else { return nil }
        var points: [Point] = []
        var names: (cpu: String, kind: String)?
        for fields in lines.dropFirst() where fields.count == header.count {
            let row = Dictionary(zip(header, fields)) { first, _ in first }
            // "Load for 40 threads or % load on all_cores"
            let nominal = row["task_name"]?.split(separator: " ").compactMap { Int($0) }.first
            guard let nominal, let load = row["cpu_load"].flatMap(Double.init),
                let watts = row["rapl_power"].flatMap(Double.init),
                let estimate = row["estimated_power"].flatMap(Double.init), watts > 0, (0...100).contains(load),
                let cpu = row["cpu_name"], let kind = row["load_type"]
            else { return nil }
            names = (cpu, kind)
            points.append(
                Point(isLoaded: nominal > 0, utilisation: load / 100, watts: watts, recordedEstimate: estimate))
        }
        guard let names else { return nil }
        cpu = names.cpu
        kind = names.kind
        self.points = points
    }

    /// Every sweep in a directory, by file name.
    static func all(in directory: String) throws -> [LoadSweep] {
        try FileManager.default.contentsOfDirectory(atPath: directory).filter { $0.hasSuffix(".csv") }.sorted()
            .compactMap { name in
                let data = try Data(contentsOf: URL(filePath: directory + "/" + name))
                return LoadSweep(csv: String(decoding: data, as: UTF8.self))
            }
    }

    var calibration: [CalibrationPoint] {
        points.map { CalibrationPoint(utilisation: $0.utilisation, watts: $0.watts) }
    }

    /// The highest measured power.
    var peakWatts: Double { points.map(\.watts).max() ?? 0 }
}

/// What is published of a processor in the sweeps, beside what they measured.
struct SweptProcessor {
    var identity: CPUIdentity
    var threads: Int
    /// Thermal design power by the maker's data sheet, over all sockets, in watts.
    var tdp: Double

    /// The E5-2620 v3 has 12 threads and the sweep ran on 24: two sockets, for which CodeCarbon doubles the figure too.
    static func named(_ name: String) -> SweptProcessor? {
        func cpu(
            _ vendor: String, _ family: Int, _ model: Int, _ stepping: Int, threads: Int, tdp: Double
        ) -> SweptProcessor {
            let identity = CPUIdentity(
                modelName: name, vendor: vendor, family: family, model: model, stepping: stepping)
            return SweptProcessor(identity: identity, threads: threads, tdp: tdp)
        }
        if name.contains("EPYC 8024P") { return cpu("AuthenticAMD", 25, 160, 2, threads: 16, tdp: 90) }
        if name.contains("Threadripper 1950X") { return cpu("AuthenticAMD", 23, 1, 1, threads: 32, tdp: 180) }
        if name.contains("E5-2620 v3") { return cpu("GenuineIntel", 6, 63, 2, threads: 24, tdp: 2 * 85) }
        return nil
    }
}
