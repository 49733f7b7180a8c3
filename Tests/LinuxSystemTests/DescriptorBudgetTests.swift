import Glibc
import Testing

@testable import LinuxSystem

@Suite struct DescriptorBudgetTests {
    @Test func noMoreAreGivenThanThereAreAndEachComesBack() {
        let budget = DescriptorBudget(2)
        let first = budget.take()
        var second = budget.take()
        #expect(first != nil && second != nil)
        #expect(budget.take() == nil)
        second = nil
        #expect(second == nil && budget.take() != nil)
        #expect(DescriptorBudget(0).take() == nil)
    }

    @Test func whatIsUsedUpIsNoLastingFailure() {
        for code in [EMFILE, ENFILE, ENOMEM, EAGAIN, ENOSPC, EDQUOT] { #expect(LinuxError.isTransient(code)) }
        for code in [ENOENT, EACCES, ELOOP, EPERM, 0] { #expect(!LinuxError.isTransient(code)) }
    }
}
