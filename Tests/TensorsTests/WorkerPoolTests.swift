import Synchronization
import Testing

@testable import Tensors

@Suite struct WorkerPoolTests {
    /// Each worker adds its number, meets the others, and reads the sum.
    private final class Sum: PoolTask {
        let sum = Atomic<Int>(0)
        let wrong = Atomic<Int>(0)
        let expected: Int

        init(workers: Int) { expected = workers * (workers + 1) / 2 }

        func run(worker: Int, of workers: Int, barrier: Barrier) {
            sum.add(worker + 1, ordering: .relaxed)
            barrier.wait()
            if sum.load(ordering: .relaxed) != expected { wrong.add(1, ordering: .relaxed) }
            barrier.wait()
            if worker == 0 { sum.store(0, ordering: .relaxed) }
        }
    }

    @Test(arguments: [1, 2, 3, 8]) func allWorkersMeetAgainAndAgain(workers: Int) throws {
        let pool = try WorkerPool(workers: workers)
        let task = Sum(workers: workers)
        for _ in 0..<500 { pool.run(task) }
        #expect(task.wrong.load(ordering: .relaxed) == 0)
    }

    @Test func aPoolThatNeverRanEnds() throws {
        for _ in 0..<20 { _ = try WorkerPool(workers: 3) }
    }

    /// Halves the least normal number: 0 where denormals are flushed.
    private final class Halve: PoolTask {
        let flushed = Atomic<Int>(0)
        let smallest: Float

        init(_ smallest: Float) { self.smallest = smallest }

        func run(worker: Int, of workers: Int, barrier: Barrier) {
            if smallest * 0.5 == 0 { flushed.add(1, ordering: .relaxed) }
        }
    }

    @Test func everyWorkerFlushesDenormalsAndTheCallerGetsItsModeBack() throws {
        // Not a constant, or the compiler would do the arithmetic.
        let smallest = Float(bitPattern: UInt32(CommandLine.arguments.isEmpty ? 1 : 0x0080_0000))
        #expect(smallest * 0.5 > 0)
        let task = Halve(smallest)
        try WorkerPool(workers: 3).run(task)
        #expect(task.flushed.load(ordering: .relaxed) == 3)
        #expect(smallest * 0.5 > 0)
    }
}
