/// What people call a job: `42`, or `42.7` for the element 7 of the array 42. `42` may also be a whole array.
package struct JobReference: Hashable, Sendable {
    package var number: Int64
    /// The element's index within the array.
    package var index: Int?

    package init(_ id: JobID) {
        number = id.number
    }

    package init(array: JobID, index: Int) {
        number = array.number
        self.index = index
    }

    /// Reads `42` and `42.7`; nil for anything else.
    package init?(_ text: String) {
        let parts = text.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        guard let id = JobID(String(parts[0])) else { return nil }
        number = id.number
        guard parts.count == 2 else { return }
        guard let index = Int(parts[1]), (0...JobArray.highestIndex).contains(index) else { return nil }
        self.index = index
    }

    /// The job or array of this number.
    package var id: JobID { JobID(number) }
}

extension JobReference: CustomStringConvertible {
    package var description: String { index.map { "\(number).\($0)" } ?? "\(number)" }
}

/// Where an element stands in its array.
package struct ArrayPlace: Hashable, Sendable, Codable {
    /// The array's number.
    package var id: JobID
    package var index: Int

    package init(id: JobID, index: Int) {
        self.id = id
        self.index = index
    }
}

/// A number or a name that stands for one job.
package protocol NamesJob: Sendable {
    var reference: JobReference { get }
}

extension JobReference: NamesJob {
    package var reference: JobReference { self }
}

extension JobID: NamesJob {
    package var reference: JobReference { JobReference(self) }
}
