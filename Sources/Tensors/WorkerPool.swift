import CKernels
import Glibc

/// Work that all threads of a pool do together.
package protocol PoolTask: AnyObject, Sendable {
    /// Called once on each thread with its number in `0..<workers`. `barrier` joins all of them in the midst of the task;
    /// either all call it or none.
    func run(worker: Int, of workers: Int, barrier: Barrier)
}

/// A fixed set of threads that fork and join without allocating: the caller is worker 0.
///
/// Every worker treats denormal numbers as zero.
package final class WorkerPool: Sendable {
    package let workers: Int
    private let shared: Shared
    private let threads: [pthread_t]

    /// What the threads meet at.
    ///
    /// `@unchecked Sendable`: `task` is written by the caller of `run` alone, between two barriers that the workers wait at.
    private final class Shared: @unchecked Sendable {
        let edge: Barrier
        let inner: Barrier
        var task: (any PoolTask)?

        init(parties: Int) {
            edge = Barrier(parties: parties)
            inner = Barrier(parties: parties)
        }
    }

    private final class Start {
        let shared: Shared
        let worker: Int
        let workers: Int

        init(_ shared: Shared, _ worker: Int, _ workers: Int) {
            self.shared = shared
            self.worker = worker
            self.workers = workers
        }
    }

    /// - Parameter workers: the number of threads, the caller included; at least 1.
    /// - Throws: `thread` if the system gives no more threads.
    package init(workers: Int) throws(TensorError) {
        let workers = max(workers, 1)
        let shared = Shared(parties: workers)
        var threads: [pthread_t] = []
        for worker in 1..<workers {
            var thread = pthread_t()
            let start = Unmanaged.passRetained(Start(shared, worker, workers))
            let status = pthread_create(&thread, nil, { WorkerPool.main($0) }, start.toOpaque())
            if status != 0 {
                start.release()
                // Let those that did start through the barrier, to find that there is nothing to do and end.
                shared.edge.arrive(parties: workers - 1 - threads.count)
                shared.edge.wait()
                for started in threads { pthread_join(started, nil) }
                throw TensorError(
                    .thread, "cannot start thread \(worker + 1) of \(workers): \(String(cString: strerror(status)))")
            }
            threads.append(thread)
        }
        self.workers = workers
        self.shared = shared
        self.threads = threads
    }

    deinit {
        shared.task = nil
        shared.edge.wait()
        for thread in threads { pthread_join(thread, nil) }
    }

    /// Runs `task` on all threads and returns when all are done. Not to be called from two threads at once.
    package func run(_ task: any PoolTask) {
        Processor.flushingDenormals {
            if workers == 1 { return task.run(worker: 0, of: 1, barrier: shared.inner) }
            shared.task = task
            shared.edge.wait()
            task.run(worker: 0, of: workers, barrier: shared.inner)
            shared.edge.wait()
            shared.task = nil
        }
    }

    private static func main(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
        guard let argument else { return nil }
        let start = Unmanaged<Start>.fromOpaque(argument).takeRetainedValue()
        _ = mld_flush_denormals()
        while true {
            start.shared.edge.wait()
            guard let task = start.shared.task else { return nil }
            task.run(worker: start.worker, of: start.workers, barrier: start.shared.inner)
            start.shared.edge.wait()
        }
    }
}
