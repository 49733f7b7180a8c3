package import Units

/// What came of a replay: the raw material of every figure.
package struct ReplayLog: Hashable, Sendable {
    /// What became of one job.
    package struct Run: Hashable, Sendable {
        package enum State: UInt8, Sendable {
            /// It never started: held, or too large by now.
            case waiting
            /// The policy did not take it.
            case refused
            case running
            case finished
            /// Its limit ended it before its work was done.
            case timedOut
        }

        package var state = State.waiting
        package var started: Timestamp?
        package var ended: Timestamp?
        package var suspensions: Int32 = 0
        package var preemptions: Int32 = 0
        /// The part of each of its GPUs that is its: of those that others could have too the part of the memory that it declared.
        package var gpuPart = 1.0

        /// It ran and is over.
        package var isOver: Bool { state == .finished || state == .timedOut }
    }

    /// A time through which one job computed without a break.
    package struct Segment: Hashable, Sendable {
        /// Its place in the trace.
        package var job: Int32
        package var from: Timestamp
        package var to: Timestamp
        /// The part of its CPUs it computed with, and of its power it drew.
        package var share = 1.0
    }

    /// A job went on after it had been suspended.
    package struct Resume: Hashable, Sendable {
        package var job: Int32
        package var at: Timestamp
    }

    /// One for each job of the trace, in its order.
    package var runs: [Run]
    /// In the order they ended.
    package var segments: [Segment] = []
    package var resumes: [Resume] = []
    /// Why jobs were refused, and how many for each reason; of many different reasons the first.
    package var refusals: [String: Int] = [:]
    /// When the first job was submitted and when the last thing happened.
    package var begin: Timestamp
    package var end: Timestamp
    /// The earliest start that a plan ever kept for a job, by its place in the trace; only where it was asked for.
    package var promises: [Int32: Timestamp] = [:]
    package var events = 0
    package var plans = 0
    /// How many jobs ran longer than their queue allows, because nobody had stated a limit.
    var longerThanQueue = 0
    package var notes: [String] = []

    init(jobs: Int, begin: Timestamp) {
        runs = Array(repeating: Run(), count: jobs)
        segments.reserveCapacity(jobs)
        self.begin = begin
        end = begin
    }
}
