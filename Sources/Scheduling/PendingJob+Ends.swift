import JobAPI
import Units

extension PendingJob {
    /// A limit that is no number would be like no other, nor like itself.
    var shape: Shape {
        Shape(
            request: request, timeLimit: timeLimit.flatMap { $0.isNaN ? nil : $0 },
            mayPause: flexibility?.isInterruptible == true, likes: likes,
            array: arrayLimit == nil ? nil : array?.id)
    }

    /// Of one that may be suspended, if it started at `now`.
    func activeShift(from now: Timestamp) -> ActiveShift? {
        guard let flexibility, flexibility.isInterruptible, flexibility.end != nil else { return nil }
        return ActiveShift(
            flexibility: flexibility, remaining: flexibility.runTime,
            limitLeft: timeLimit.map { min(max(0, $0), 1e9) }, asOf: now)
    }

    /// When its time limit would end it, if it started at `now`.
    func expectedEnd(from now: Timestamp) -> Timestamp? { shape.expectedEnd(from: now) }

    /// The same, but nil for one that may be suspended: standing still does not count.
    func surelyEnds(from now: Timestamp) -> Timestamp? { shape.surelyEnds(from: now) }
}
