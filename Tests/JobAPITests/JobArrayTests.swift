import Testing

@testable import JobAPI

@Suite struct JobArrayTests {
    @Test(arguments: [
        ("1-4%2", [1, 2, 3, 4], 2), ("0-9:3", [0, 3, 6, 9], nil), ("1,4,7-9", [1, 4, 7, 8, 9], nil),
        ("5", [5], nil), ("7,5-7", [5, 6, 7], nil), ("3%9", [3], 9),
    ])
    func indicesAreReadInOrderEachOnce(text: String, indices: [Int], limit: Int?) throws {
        let array = try JobArray(text)
        #expect(array.indices == indices && array.limit == limit && array.text == text)
    }

    @Test(arguments: [
        "", "x", "1-", "-1", "4-1", "1-4%0", "1-4%", "1-4:0", "1,,2", "1-1000000001", "0-100000", "1-2-3", "1%2%3",
        "99999999999999999999", "0-99999,0-99999",
    ])
    func whatIsNoArrayIsRefused(text: String) {
        #expect(throws: JobArray.Problem.self) { try JobArray(text) }
    }

    @Test func referencesAreReadAsTheyArePrinted() throws {
        for text in ["42", "42.0", "42.1000000000"] {
            #expect(try #require(JobReference(text)).description == text)
        }
        for text in ["", "0", "-1", "42.", "42.x", "42.-1", "42.1000000001", ".7", "42.7.1", "4 2"] {
            #expect(JobReference(text) == nil, "\(text)")
        }
    }

    @Test func dependenciesSayWhenTheyAreMet() throws {
        #expect(Dependency("41") == Dependency(JobReference(JobID(41)), .succeeded))
        #expect(try #require(Dependency("42.7:failed")).description == "42.7:failed")
        for text in ["", "x", "41:", "41:done", ":ended", "41:ended:"] { #expect(Dependency(text) == nil, "\(text)") }
        let job = JobReference(JobID(41))
        for state in JobState.allCases where !state.isFinal {
            #expect(Dependency(job, .ended).verdict(on: state) == .pending)
        }
        #expect(Dependency(job, .succeeded).verdict(on: .succeeded) == .met)
        #expect(Dependency(job, .succeeded).verdict(on: .failed) == .impossible)
        #expect(Dependency(job, .failed).verdict(on: .timedOut) == .met)
        #expect(Dependency(job, .failed).verdict(on: .cancelled) == .impossible)
        #expect(Dependency(job, .ended).verdict(on: .cancelled) == .met)
        // Of an array, one that cannot be settles it.
        #expect(Dependency(job).verdict(on: [.succeeded, .running]) == .pending)
        #expect(Dependency(job).verdict(on: [.succeeded, .running, .failed]) == .impossible)
        #expect(Dependency(job).verdict(on: [.succeeded]) == .met)
    }
}
