import ArgumentParser
import JobAPI
import Training

struct Bench: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Measure how long steps take on this machine.",
        discussion: """
            Example: mltrain bench sentiment --threads 2 --seconds 5
            Workloads: \(Workload.all.map(\.name).joined(separator: ", ")), and gemm: what one thread's matrix products reach.
            """)

    @Argument(help: "What to run.")
    var workload: String

    @Option(help: "Threads to train with.")
    var threads = 1

    @Option(help: "Parts of a batch; part of the arithmetic, so the same for any number of threads.")
    var shards = 2

    @Option(help: "Seconds to measure for.")
    var seconds = 3.0

    @Option(help: "table or json.")
    var format = OutputFormat.table

    func validate() throws {
        guard (1...1024).contains(threads), (1...1024).contains(shards) else {
            throw ValidationError("--threads and --shards must be from 1 to 1024")
        }
        guard (0.01...86_400).contains(seconds) else {
            throw ValidationError("--seconds must be from 0.01 to 86400")
        }
        guard workload == "gemm" || Workload.all.contains(where: { $0.name == workload }) else {
            throw ValidationError("there is no workload \"\(workload)\"")
        }
    }

    func run() throws {
        try reporting {
            guard let chosen = Workload.all.first(where: { $0.name == workload }) else {
                let speed = try Measurement.gemmCeiling()
                print(
                    format == .json ? "{\"workload\": \"gemm\", \"gflops\": \(speed)}" : "gemm  \(Int(speed)) GFLOP/s")
                return
            }
            let result = try Measurement.run(chosen, threads: threads, shards: shards, seconds: seconds)
            if format == .json { return print(try JSON.text(result)) }
            print(
                "\(result.workload)  \(result.msPerStepMedian) ms per step (least \(result.msMin)), "
                    + "\(result.cpuMsMedian) ms of CPU, \(Int(result.rssPeakMb)) MB at most, \(result.heapGrowthBytes) bytes kept "
                    + "by the steps, first step after \(Int(result.firstStepMs)) ms, loss \(result.loss), \(result.kernels)"
            )
        }
    }
}
