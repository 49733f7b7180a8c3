/// What a file beside the ledger is by its name, where only a process that was killed can have left it.
enum Leftover: Equatable {
    /// Part of a copy that was never finished.
    case unfinished
    /// The ledger that a restore replaced, or was about to: then it is the ledger still, under a second name.
    case replaced

    /// - Parameter ledger: the name of the ledger's file.
    init?(_ name: String, beside ledger: String) {
        let beginning = ledger + "."
        guard name.hasPrefix(beginning) else { return nil }
        let rest = name.dropFirst(beginning.count)
        if rest.hasPrefix("replaced-") {
            guard Self.isNumber(rest.dropFirst("replaced-".count)) else { return nil }
            self = .replaced
            return
        }
        let file = Self.withoutEnd(rest)
        guard file == "restoring" else { return nil }
        self = .unfinished
    }

    private static func withoutEnd(_ name: Substring) -> Substring {
        for end in UnfinishedCopy.ends where !end.isEmpty && name.hasSuffix(end) { return name.dropLast(end.count) }
        return name
    }

    private static func isNumber(_ text: Substring) -> Bool {
        !text.isEmpty && text.utf8.allSatisfy { (0x30...0x39).contains($0) }
    }
}
