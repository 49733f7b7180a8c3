import Tensors

/// How a recording becomes a row of a fixed number of samples.
package struct RecordingPreparation: Codable, Hashable, Sendable {
    package enum Loudness: String, Codable, CaseIterable, Sendable {
        /// As recorded.
        case none
        /// Divided by the largest absolute value.
        case peak
        /// Divided by the root of the mean square.
        case rms
    }

    package enum Alignment: String, Codable, CaseIterable, Sendable {
        /// The beginning of the recording is kept; zeros follow one that is too short.
        case start
        /// The middle is kept; zeros stand on both sides, the odd one at the end.
        case center
    }

    package var sampleRate: Int
    package var sampleCount: Int
    package var loudness: Loudness
    package var alignment: Alignment

    /// The row for one recording: `[sampleCount, 1]`.
    ///
    /// - Throws: `content` if it was recorded at another rate.
    package func encode(_ recording: WAVFile) throws(DatasetError) -> [Float] {
        if recording.sampleRate != sampleRate {
            throw DatasetError(.content, "\(recording.sampleRate) samples a second, not \(sampleRate)")
        }
        var row = [Float](repeating: 0, count: sampleCount)
        row.withUnsafeMutableBufferPointer { row in
            if let base = row.baseAddress { write(recording.samples, to: base) }
        }
        return row
    }

    /// Loudness is that of the whole recording, before anything is cut.
    ///
    /// - Parameter row: zeros.
    func write(_ samples: [Float], to row: FloatPointer) {
        let divisor: Float
        switch loudness {
        case .none: divisor = 1
        case .peak: divisor = samples.reduce(0) { max($0, abs($1)) }
        case .rms:
            let sum = samples.reduce(0.0) { $0 + Double($1) * Double($1) }
            divisor = Float((sum / Double(max(samples.count, 1))).squareRoot())
        }
        // Silence stays silence.
        let scale = divisor > 0 && divisor.isFinite ? 1 / divisor : 1
        let count = min(samples.count, sampleCount)
        var from = 0
        var to = 0
        if alignment == .center {
            from = (samples.count - count) / 2
            to = (sampleCount - count) / 2
        }
        for place in 0..<count { row[to + place] = samples[from + place] * scale }
    }
}
