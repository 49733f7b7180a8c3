package import Carbon
import Units

extension SignalSeries {
    /// When another step begins, or the first, or the last ends; nil when none does any more.
    func nextChange(after time: Timestamp) -> Timestamp? {
        if time < start { return start }
        return index(at: time).map { self.time(at: $0 + 1) }
    }

    /// What was read of a signal in slots: each has what is in force when it begins. Signals come with holes and in changing
    /// steps, which this closes as long as the beginning of every slot is told.
    /// - Parameters:
    ///   - points: by time.
    ///   - step: whole seconds; slots begin at whole multiples of it since 1970.
    /// - Throws: where the beginning of a slot between the first and the last point is not told.
    package init(sampling points: [SignalPoint], step: Duration) throws(CarbonError) {
        let length = step.components.seconds * 1_000_000
        guard step.components.attoseconds == 0, (1...86_400).contains(step.components.seconds),
            let first = points.first, let last = points.last
        else { throw CarbonError(.badSignal, "no figures, or a step that is not from 1 s to a day") }
        let rest = first.from.microseconds % length
        let begin = first.from.microseconds + (rest > 0 ? length - rest : -rest)
        guard last.to.microseconds > begin, (last.to.microseconds - begin) / length < Int64(Self.mostValues) else {
            throw CarbonError(.badSignal, "the figures fill no step, or too many")
        }
        var values: [Double] = []
        var index = 0
        for start in stride(from: begin, to: last.to.microseconds, by: Int(length)) {
            while index < points.count, points[index].to.microseconds <= start { index += 1 }
            guard index < points.count, points[index].from.microseconds <= start else {
                throw CarbonError(
                    .badSignal, "there is no figure for \(Timestamp(microseconds: start))",
                    hint: "give the signal without holes, or a longer step")
            }
            values.append(points[index].value)
        }
        try self.init(start: Timestamp(microseconds: begin), step: step, values: values)
    }
}
