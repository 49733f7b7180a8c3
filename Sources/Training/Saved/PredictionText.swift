/// A prediction as a person reads it: the likeliest class and how likely it is, or the numbers.
package enum PredictionText {
    package static func line(_ output: [Float], classes: [String]?) -> String {
        guard let classes, output.count == classes.count || (output.count == 1 && classes.count == 2) else {
            return output.map { "\($0)" }.joined(separator: " ")
        }
        if output.count == 1 {
            // One probability for two classes: that of the second.
            return output[0] > 0.5
                ? "\(classes[1]) \(fixed(Double(output[0]), 4))" : "\(classes[0]) \(fixed(Double(1 - output[0]), 4))"
        }
        let best = output.indices.max { output[$0] < output[$1] } ?? 0
        return "\(classes[best]) \(fixed(Double(output[best]), 4))"
    }
}
