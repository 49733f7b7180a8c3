import ArgumentParser
import BenchmarkSupport
import Foundation
import JobAPI
import Policy
import Scheduling
import Simulation
import Units

/// How long a replay takes, and what backfilling is worth on a trace that nobody here chose.
struct SimulationBenchmark: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "simulation", abstract: "Time and memory of replays; backfilling on the NASA trace.",
        discussion: """
            With --data DIR, where DIR or DIR/../traces holds NASA-iPSC-1993-3.1-cln.swf.gz (Parallel Workloads Archive), that \
            is replayed too.
            """)

    @OptionGroup var options: BenchmarkOptions
    @Option(help: "Jobs of the made trace.") var jobs = 1_000_000
    @Option(help: "The seed of the made trace.") var seed: UInt64 = 1

    private static let nasa = "NASA-iPSC-1993-3.1-cln.swf.gz"

    func run() throws {
        var rows: [BenchmarkRow] = []
        try replayMade(&rows)
        if let directory = options.data { try replayNASA(in: directory, &rows) }
        try options.finish(rows)
    }

    private func replayMade(_ rows: inout [BenchmarkRow]) throws {
        let count = options.quick ? jobs / 10 : jobs
        complain("making \(count) jobs")
        let text = MadeTrace.text(jobs: count, seed: seed)
        complain("reading and replaying them")
        var log: ReplayLog?
        let time = try ContinuousClock().measure {
            log = Replay.run(try Trace.swf(text, file: "made"), under: .builtIn, on: machine(MadeTrace.processors))
        }
        guard let log, log.plans > 0 else { throw ValidationError("the replay planned nothing") }
        rows.append(
            BenchmarkRow(
                "\(count) jobs: read and replayed", time.seconds, unit: "s", atMost: 30 * Double(count) / 1_000_000))
        rows.append(BenchmarkRow("\(count) jobs: each plan", time.seconds / Double(log.plans) * 1e6, unit: "us"))
        rows.append(BenchmarkRow("\(count) jobs: most memory", try peakMiB(), unit: "MiB", atMost: 1024))
    }

    private func replayNASA(in directory: String, _ rows: inout [BenchmarkRow]) throws {
        let places = [directory, directory + "/traces", directory + "/../traces"].map { "\($0)/\(Self.nasa)" }
        guard let path = places.first(where: { FileManager.default.fileExists(atPath: $0) }) else {
            throw ValidationError("\(Self.nasa) is neither in \(directory) nor in its traces or ../traces")
        }
        let trace = try Trace.swf(unpacked(path), file: Self.nasa)
        let machine = machine(trace.processors ?? 128)
        let options = Replay.Options(limits: .exact)
        for load in [1.0, 0.6] {
            let trace = trace.squeezed(to: load)
            if load == 1 {
                let seconds = (0..<(self.options.quick ? 1 : 5)).map { _ in
                    ContinuousClock().measure { _ = Replay.run(trace, under: .builtIn, on: machine, options: options) }
                        .seconds
                }
                let median = seconds.sorted()[seconds.count / 2]
                rows.append(BenchmarkRow("NASA, \(trace.jobs.count) jobs: replayed", median, unit: "s", atMost: 2))
            }
            let waits = Comparison.run(
                trace, named: Self.nasa, under: [("built-in", .builtIn)], on: machine, options: options,
                showsFirstCome: true
            ).rows.map(\.figures.waitMeanS)
            guard waits.count == 2 else { throw ValidationError("the comparison has \(waits.count) rows") }
            rows.append(
                BenchmarkRow(
                    load == 1 ? "NASA: mean wait" : "NASA, arrivals \(load) times as far apart: mean wait",
                    waits[0], unit: "s", atMost: waits[1], peer: "first come, first served", peerValue: waits[1]))
        }
    }

    private func machine(_ processors: Int) -> SimulatedMachine {
        SimulatedMachine(capacity: MachineCapacity(cpus: processors, memory: .gibibytes(1 << 20), gpus: 0))
    }

    private func unpacked(_ path: String) throws -> String {
        let gzip = Process()
        gzip.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        gzip.arguments = ["gzip", "-dc", path]
        let pipe = Pipe()
        gzip.standardOutput = pipe
        try gzip.run()
        let bytes = try pipe.fileHandleForReading.readToEnd() ?? Data()
        gzip.waitUntilExit()
        guard gzip.terminationStatus == 0 else { throw ValidationError("gzip could not unpack \(path)") }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// The most that was resident since the program began.
    private func peakMiB() throws -> Double? {
        let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
        let line = status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
        return line?.split(separator: " ").dropFirst().first.flatMap { Double($0) }.map { $0 / 1024 }
    }
}

extension Trace {
    /// The same jobs with the times between their submissions multiplied: a busier machine below 1.
    fileprivate func squeezed(to factor: Double) -> Trace {
        guard factor != 1, let first = jobs.first?.submit else { return self }
        var trace = self
        trace.jobs = jobs.map { job in
            var job = job
            job.submit = first.advanced(by: .seconds(job.submit.since(first).seconds * factor))
            return job
        }
        return trace
    }
}
