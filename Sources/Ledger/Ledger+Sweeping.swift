import Glibc

/// What was done about files that killed processes left beside the ledger.
package struct LedgerSweep: Sendable {
    package var removed: [String] = []
    /// Files that could not be removed. They cost room, and are no reason not to go on.
    package var problems: [LedgerError] = []
}

extension Ledger {
    /// Removes what killed copies and restores left beside the ledger: each may be as large as it is, and a start that is killed is tried
    /// again without end.
    ///
    /// No other process may use the ledger, nor restore one: whoever calls this holds the lock of its directory.
    package static func sweep(beside path: String) -> LedgerSweep {
        var sweep = LedgerSweep()
        let directory = LedgerFile.directory(of: path)
        do throws(LedgerError) {
            // A backup into this directory may be going on: it holds no lock but its file's own.
            sweep.removed = try UnfinishedCopy.sweep(directory)
            let ledger = String(path[(path.lastIndex(of: "/").map { path.index(after: $0) } ?? path.startIndex)...])
            for name in try LedgerFile.names(in: directory).sorted() {
                do throws(LedgerError) {
                    if try remove(Leftover(name, beside: ledger), directory + name) {
                        sweep.removed.append(directory + name)
                    }
                } catch {
                    sweep.problems.append(error)
                }
            }
        } catch {
            sweep.problems.append(error)
        }
        return sweep
    }

    private static func remove(_ leftover: Leftover?, _ file: String) throws(LedgerError) -> Bool {
        switch leftover {
        case .unfinished: return try LedgerFile.remove(file)
        case .replaced, nil: return false
        }
    }
}
