import JobAPI

extension EventWriter {
    /// Writes what the trained model scores.
    func report(_ evaluation: Evaluation, split: String, epoch: Int? = nil) {
        var words = split
        if let loss = evaluation.loss {
            words += "  loss \(fixed(loss, 4))"
            write(.metric(Metric(name: "loss", split: split, value: loss, epoch: epoch)))
        }
        for (name, value) in evaluation.values {
            write(.metric(Metric(name: name, split: split, value: value, epoch: epoch)))
            words += "  \(name) \(fixed(value, 4))"
        }
        say(words)
        guard let confusion = evaluation.confusion, confusion.count <= 20 else { return }
        say("confusion: a row for each class, a column for each prediction")
        let width = confusion.joined().reduce(0) { max($0, "\($1)".count) }
        for row in confusion {
            say(
                "  " + row.map { String(repeating: " ", count: width - "\($0)".count) + "\($0)" }.joined(separator: " ")
            )
        }
    }
}
