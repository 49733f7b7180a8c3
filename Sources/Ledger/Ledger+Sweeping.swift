import Glibc

/// What was done about files that killed processes left beside the ledger.
package struct LedgerSweep: Sendable {
    package var removed: [String] = []
    /// Files that could not be removed. They cost room, and are no reason not to go on.
    package var problems: [LedgerError] = []
}

extension Ledger {
    /// Removes what killed copies and restores left beside the ledger: each may be as large as it is, and a start that is killed is tried
    /// again without end. A restore that was killed on its last step has not been.
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
                    if try remove(Leftover(name, beside: ledger), directory + name, ledger: path) {
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

    private static func remove(_ leftover: Leftover?, _ file: String, ledger: String) throws(LedgerError) -> Bool {
        switch leftover {
        case .unfinished: return try LedgerFile.remove(file)
        case .replaced where isSame(file, ledger):
            // A restore was killed before the new ledger took the name. Opened by both its names the file would be damaged.
            // What was moved away with it is the ledger's again.
            for end in ["-wal", "-shm"] where access(ledger + end, F_OK) != 0 && access(file + end, F_OK) == 0 {
                guard rename(file + end, ledger + end) == 0 else { throw LedgerFile.failure("move \(file + end) back") }
            }
            return try LedgerFile.remove(file)
        case .replaced, nil: return false
        }
    }

    private static func isSame(_ one: String, _ other: String) -> Bool {
        var (first, second) = (stat(), stat())
        return lstat(one, &first) == 0 && lstat(other, &second) == 0 && first.st_dev == second.st_dev
            && first.st_ino == second.st_ino
    }
}
