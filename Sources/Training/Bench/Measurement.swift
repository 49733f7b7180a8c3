import Glibc
import Learning
import Tensors

/// How fast a workload's steps are on this machine.
package struct Measurement: Encodable, Sendable {
    package var workload: String
    package var framework = "mltrain"
    package var threads: Int
    package var msPerStepMedian: Double
    package var msMin: Double
    package var cpuMsMedian: Double
    package var steps: Int
    package var rssPeakMb: Double
    /// Bytes of heap that the measured steps kept.
    package var heapGrowthBytes: Int
    /// From the start of building the model to the first step's end.
    package var firstStepMs: Double
    package var loss: Double
    package var params: Int
    package var arenaMb: Double
    package var kernels: String

    /// Runs steps for so many seconds, at least five, after three that do not count.
    package static func run(
        _ workload: Workload, threads: Int, shards: Int, seconds: Double
    ) throws(TrainingError) -> Measurement {
        let clock = ContinuousClock()
        let start = clock.now
        let samples = try training { () throws(LearningError) in try workload.samples() }
        let pool = try training(arrays: { () throws(TensorError) in try WorkerPool(workers: threads) })
        let runner = try training { () throws(LearningError) in
            let model = try CompiledModel(
                network: workload.network(), loss: workload.loss, batchSize: workload.batchSize, shards: shards)
            return try StepRunner(model: model, optimizer: Adam(learningRate: 0.001), pool: pool, seed: 0)
        }
        let rows = (0..<Int32(workload.batchSize)).map { $0 }
        func step() throws(TrainingError) -> Double {
            try training { () throws(LearningError) in
                try rows.withUnsafeBufferPointer { rows throws(LearningError) in try runner.train(samples, rows) }
                    .meanLoss
            }
        }
        var loss = try step()
        let first = milliseconds(clock.now - start)
        for _ in 0..<3 { loss = try step() }
        let most = 2000
        var walls: [Double] = []
        var processors: [Double] = []
        walls.reserveCapacity(most)
        processors.reserveCapacity(most)
        let heap = Processor.heapInUse
        let begin = clock.now
        while walls.count < 5 || (clock.now - begin < .seconds(seconds) && walls.count < most) {
            let (wall, processor) = (clock.now, processTime())
            loss = try step()
            walls.append(milliseconds(clock.now - wall))
            processors.append((processTime() - processor) * 1000)
        }
        let growth = Processor.heapInUse - heap
        walls.sort()
        processors.sort()
        return Measurement(
            workload: workload.name, threads: threads, msPerStepMedian: walls[walls.count / 2], msMin: walls[0],
            cpuMsMedian: processors[processors.count / 2], steps: walls.count,
            rssPeakMb: Double(PeakMemory.bytes) / 1_048_576, heapGrowthBytes: growth,
            firstStepMs: first, loss: loss,
            params: runner.model.plan.learntCount,
            arenaMb: Double(runner.model.plan.arenaCount * shards * 4) / 1e6, kernels: OpenBLAS.coreName)
    }

    /// Billions of floating-point operations a second that one thread reaches in a large matrix product: the ceiling.
    package static func gemmCeiling() throws(TrainingError) -> Double {
        try training(arrays: { () throws(TensorError) in
            let n = 1024
            let (a, b, c) = (
                try FloatBuffer(count: n * n), try FloatBuffer(count: n * n), try FloatBuffer(count: n * n)
            )
            let clock = ContinuousClock()
            var best = Double.infinity
            for _ in 0..<20 {
                let start = clock.now
                try gemm(
                    MatrixView(a.base, rows: n, columns: n), MatrixView(b.base, rows: n, columns: n),
                    into: MatrixView(c.base, rows: n, columns: n))
                best = min(best, milliseconds(clock.now - start))
            }
            return 2 * Double(n * n * n) / best / 1e6
        })
    }

    private static func milliseconds(_ duration: Duration) -> Double {
        duration.inSeconds * 1e3
    }

    /// Seconds of processor time, all threads.
    private static func processTime() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
    }
}
