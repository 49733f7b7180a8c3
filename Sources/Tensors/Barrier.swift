import CKernels
import Glibc
import Synchronization

/// A point that a fixed number of threads pass together, again and again.
///
/// A step of a small model takes less than a millisecond, so arrivals spin for a few microseconds before they sleep:
/// long enough for a peer that is at work, short enough that waiting costs no energy worth metering. Nothing here
/// allocates.
///
/// `@unchecked Sendable`: the mutex and the condition are made to be shared; they live at a fixed address.
package final class Barrier: @unchecked Sendable {
    private let parties: Int
    private let arrived = Atomic<Int>(0)
    private let generation = Atomic<Int>(0)
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private let spins: Int

    package init(parties: Int) {
        self.parties = parties
        // With more threads than processors the awaited one may not even be running: sleep at once.
        spins = parties <= Processor.usableCount ? 2000 : 0
        mutex.initialize(to: pthread_mutex_t())
        condition.initialize(to: pthread_cond_t())
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(condition, nil)
    }

    deinit {
        pthread_cond_destroy(condition)
        pthread_mutex_destroy(mutex)
        condition.deallocate()
        mutex.deallocate()
    }

    /// Stands in for parties that will never come; at least one must still call `wait`.
    package func arrive(parties count: Int) {
        arrived.add(count, ordering: .acquiringAndReleasing)
    }

    /// Returns when all parties have called. What each did before happens before what any does after.
    package func wait() {
        let current = generation.load(ordering: .acquiring)
        if arrived.add(1, ordering: .acquiringAndReleasing).newValue == parties {
            arrived.store(0, ordering: .relaxed)
            pthread_mutex_lock(mutex)
            generation.store(current &+ 1, ordering: .releasing)
            pthread_cond_broadcast(condition)
            pthread_mutex_unlock(mutex)
            return
        }
        for _ in 0..<spins {
            if generation.load(ordering: .acquiring) != current { return }
            mld_pause()
        }
        pthread_mutex_lock(mutex)
        while generation.load(ordering: .acquiring) == current { pthread_cond_wait(condition, mutex) }
        pthread_mutex_unlock(mutex)
    }
}
