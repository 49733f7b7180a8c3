import ArgumentParser
import JobAPI
import JobClient
import Reporting

struct RunCommand: ContextCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Run a command as a job, follow its output, and exit with its status.",
        discussion: """
            The job's standard output and error come out here as they are written. Its environment holds nothing \
            of yours but what --env gives; its files are read-only but for the working directory and --read-write. \
            Ctrl-C asks once whether to cancel; the second one cancels at once.

            EXAMPLE
              mlctl run --cpus 2 --memory "2 GiB" --time "1 h" --env OMP_NUM_THREADS=2 -- python3 train.py
            """)

    @OptionGroup var global: GlobalOptions
    @OptionGroup var job: JobOptions

    func validate() throws {
        if job.command.isEmpty {
            throw ValidationError("name the command after --, as in: mlctl run -- python3 train.py")
        }
    }

    func run(in context: Context) async throws -> Int32 {
        let spec = try job.spec(context)
        return try await global.withClient(context) { client in
            let accepted = AcceptedJob()
            // From here on, so that a Ctrl-C between the job's acceptance and the following of it is not lost.
            let canceller = Canceller(client: client, job: accepted, context: context)
            let interrupts = context.interrupts()
            return try await withThrowingTaskGroup(of: JobRecord?.self) { group in
                group.addTask { try await submitAndFollow(spec, accepted, client, context) }
                group.addTask {
                    try await canceller.watch(interrupts)
                    return nil
                }
                defer { group.cancelAll() }
                while let ended = try await group.next() {
                    guard let ended else { continue }
                    context.note(summary(ended, now: context.now()))
                    return exitStatus(of: ended)
                }
                throw Failure.failed("nothing is known of the end of the job")
            }
        }
    }

    private func submitAndFollow(
        _ spec: JobSpec, _ accepted: AcceptedJob, _ client: JobClient, _ context: Context
    ) async throws -> JobRecord {
        let submitted = try await client.submit(spec)
        let id = submitted.id
        accepted.set(id)
        context.note(printable("job \(id) \(submitted.state.rawValue): \(submitted.reason)"))
        do {
            return try await Follower(
                client: client, id: id, logs: true, isKnown: true, note: { context.note($0) }
            ).run { event in
                guard event.type == .log, let text = event.text else { return }
                let bytes = Array(text.utf8)
                if event.stream == "stderr" { context.errors(bytes) } else { try context.output(bytes) }
            }
        } catch is OutputClosed {
            context.note("mlctl: nobody reads the output any more; job \(id) goes on")
            throw OutputClosed()
        } catch let error as ClientError {
            context.note("mlctl: job \(id) is accepted, but no longer followed: see mlctl show \(id)")
            throw error
        }
    }
}
