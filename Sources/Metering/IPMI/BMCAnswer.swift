import LinuxSystem

/// What the board's management controller (BMC) said when it was asked for power.
enum BMCAnswer: Sendable, Hashable {
    /// Power at that moment, in watts.
    case watts(Double)
    /// The BMC can measure power but was told not to.
    case deactivated
    /// No figure, with the reason.
    case failed(String)

    /// Reads the output of `ipmitool dcmi power reading`: one `field: value` a line, of which two matter. Fields that are
    /// there twice, or not at all, are no answer.
    init(parsing text: String) {
        func value(_ field: String) -> Substring? {
            let lines = text.split(whereSeparator: \.isNewline).compactMap { line -> Substring? in
                let parts = line.split(separator: ":", maxSplits: 1)
                return parts.count == 2 && Self.trimmed(parts[0]) == field ? Self.trimmed(parts[1]) : nil
            }
            return lines.count == 1 ? lines.first : nil
        }
        guard let state = value("Power reading state is"), let reading = value("Instantaneous power reading") else {
            self = .failed("ipmitool said: \(Self.excerpt(text))")
            return
        }
        if state == "deactivated" {
            self = .deactivated
            return
        }
        let words = reading.split(separator: " ")
        guard state == "activated", words.count == 2, words[1] == "Watts", let watts = UInt32(words[0]) else {
            self = .failed("ipmitool said: \(Self.excerpt("\(state), \(reading)"))")
            return
        }
        switch Double(watts) {
        case 0: self = .failed("the BMC tells 0 W, which no running machine draws")
        case let power where power > PowerBound.platform:
            self = .failed("the BMC tells \(watts) W, more than the hardware can draw")
        case let power: self = .watts(power)
        }
    }

    /// Of a program that ended with a status of waitpid(2).
    init(_ output: ProcessSpawner.Output) {
        if output.status == 0 {
            self.init(parsing: output.text)
        } else {
            self = .failed("ipmitool failed: \(Self.excerpt(output.text))")
        }
    }

    private static func trimmed(_ text: Substring) -> Substring {
        var slice = text
        while slice.last?.isWhitespace == true { slice.removeLast() }
        while slice.first?.isWhitespace == true { slice.removeFirst() }
        return slice
    }

    /// The first line that says something, fit to be shown: the program may print anything.
    private static func excerpt(_ text: String) -> String {
        let line = text.split(whereSeparator: \.isNewline).lazy.map(trimmed).first { !$0.isEmpty } ?? "nothing"
        let printable = line.unicodeScalars.map { (0x20..<0x7f).contains($0.value) ? Character($0) : "?" }
        return String(printable.prefix(100))
    }
}
