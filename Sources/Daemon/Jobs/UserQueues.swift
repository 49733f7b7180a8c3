@preconcurrency import Dispatch
import Synchronization

/// Work that may have to wait for what a user has in hand, such as a file system of theirs or a process that runs as them.
///
/// Not on Swift's own threads, which are as few as the CPUs. And one after the other for each user, so that somebody who makes it
/// wait holds up nobody else, and takes one thread.
final class UserQueues: Sendable {
    private let queues = Mutex<[UInt32: DispatchQueue]>([:])

    func run<Answer: Sendable>(for uid: UInt32, _ work: @escaping @Sendable () -> Answer) async -> Answer {
        let queue = queues.withLock { queues in
            let queue = queues[uid] ?? DispatchQueue(label: "user \(uid)")
            queues[uid] = queue
            return queue
        }
        return await withCheckedContinuation { continuation in
            queue.async { continuation.resume(returning: work()) }
        }
    }
}
