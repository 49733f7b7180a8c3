import Synchronization

/// How many descriptors may be kept open for one purpose, so that many jobs cannot take those that all else needs.
package final class DescriptorBudget: Sendable {
    /// One of them; given back when its owner goes.
    package final class Lease: Sendable {
        private let budget: DescriptorBudget

        fileprivate init(_ budget: DescriptorBudget) {
            self.budget = budget
        }

        deinit {
            budget.left.withLock { $0 += 1 }
        }
    }

    private let left: Mutex<Int>

    package init(_ count: Int) {
        left = Mutex(count)
    }

    /// Nil when all are in use.
    package func take() -> Lease? {
        let isLeft = left.withLock { left in
            guard left > 0 else { return false }
            left -= 1
            return true
        }
        return isLeft ? Lease(self) : nil
    }
}
