import JobAPI
import JobClient
import Simulation
import Units

/// Reads the past of the daemon's machine, page by page; on a terminal a line tells how far it has come.
func loadHistory(
    _ global: GlobalOptions, since: Timestamp?, until: Timestamp?, in context: Context
) async throws -> History {
    defer { if context.errorIsTerminal { context.errors(Array("\r\u{1b}[2K".utf8)) } }
    return try await global.withClient(context) { client in
        var history = History()
        var after: JobID?
        while true {
            if context.errorIsTerminal {
                context.errors(Array("\r\u{1b}[2Kreading the ledger: \(history.jobs.count) jobs".utf8))
            }
            // All pages up to one moment: meanwhile jobs end.
            let page = try await client.history(
                since: since, until: history.until ?? until, after: after)
            guard let next = try described({ try history.add(page) }) else { return history }
            if let after, next <= after {
                throw Failure.failed("ledger: the daemon's pages come to no end at job \(next)")
            }
            after = next
        }
    }
}
