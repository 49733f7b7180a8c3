import ArgumentParser
import Daemon
import Glibc

/// Copies the ledger while mld runs.
struct BackupCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "backup",
        abstract: "Copy the ledger into one file, while mld runs or not, and audit the copy.",
        discussion: """
            The copy is the ledger as it is at one moment. It is whole and on the disk before it gets its name, and only its owner
            can read it. Keep the head of the chain that is printed somewhere else: it proves later that nothing was rewritten.
            The output of jobs lies in files below the state directory's jobs/, which any program can copy: those of jobs that have
            ended do not change. Copy the ledger first.
            Which ledger is meant --system, --state and --config say, as they do for mld itself.
            The exit status is 1 where the audit of the copy finds something; the copy is kept.

            EXAMPLE
              sudo mld --system backup /backup/mld-$(date +%F).db
              mld backup ledger-copy.db
            """)

    @Argument(help: "The file to write.")
    var file: String

    @ParentCommand var parent: MLD

    @Flag(help: "Replace a file of that name.")
    var replace = false

    func run() throws {
        do {
            let settings = try parent.ledgerSettings()
            let outcome = try LedgerKeeping.backUp(settings, to: file, isReplacing: replace)
            print(outcome.text)
            if !outcome.isSound { throw ExitCode(1) }
        } catch let code as ExitCode {
            throw code
        } catch {
            Daemon.complain("\(error)")
            throw ExitCode(1)
        }
    }
}

/// Puts a copy in place of the ledger.
struct RestoreCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "restore",
        abstract: "Put a copy that `mld backup` made in place of the ledger. mld must be stopped.",
        discussion: """
            The copy is audited first; a copy of an earlier release is brought up to date. The ledger that was there stays beside it.
            Which ledger is meant --system, --state and --config say, as they do for mld itself.
            Jobs that waited when the copy was made are held, for they may have run since, and numbers of jobs go on above the highest
            that was given out. Jobs that ran then are seen to their end by what they left in the state directory.

            EXAMPLE
              sudo systemctl stop mld.service mld.socket
              sudo mld --system restore /backup/mld-2026-11-26.db
              sudo systemctl start mld.socket mld.service
            """)

    @Argument(help: "The copy.")
    var file: String

    @ParentCommand var parent: MLD

    @Flag(help: "Also where the audit finds something, or where jobs run.")
    var force = false

    func run() async throws {
        do {
            let settings = try parent.ledgerSettings()
            print(try await LedgerKeeping.restore(settings, from: file, isForced: force).text)
        } catch {
            Daemon.complain("\(error)")
            throw ExitCode(1)
        }
    }
}

extension MLD {
    /// Which ledger is meant: `--system`, `--state` and `--config` are the daemon's own.
    fileprivate func ledgerSettings() throws -> Settings {
        var flags = Settings.Flags()
        flags.system = system
        flags.state = state
        flags.config = config
        return try Settings.resolve(
            flags, environment: Daemon.environment(), uid: geteuid(), executable: Daemon.executablePath())
    }
}
