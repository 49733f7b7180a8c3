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
            // Until then a Ctrl-C ends this, as nothing is submitted.
            try await client.reach()
            // From here on, so that a Ctrl-C between the job's acceptance and the following of it is not lost.
            let interrupts = context.interrupts()
            let submitted = try await client.submit(spec, within: .seconds(30))
            context.note(printable("job \(submitted.id) \(submitted.state.rawValue): \(submitted.reason)"))
            do {
                let job = try await follow(submitted.id, client, interrupts, context)
                context.note(summary(job, now: context.now()))
                return exitStatus(of: job)
            } catch is OutputClosed {
                context.note("mlctl: nobody reads the output any more; job \(submitted.id) goes on")
                throw OutputClosed()
            } catch let error as ClientError {
                context.note(
                    "mlctl: job \(submitted.id) is accepted, but no longer followed: see mlctl show \(submitted.id)")
                throw error
            }
        }
    }

    private func follow(
        _ id: JobID, _ client: JobClient, _ interrupts: AsyncStream<Context.Interrupt>, _ context: Context
    ) async throws -> JobRecord {
        try await withThrowingTaskGroup(of: JobRecord?.self) { group in
            group.addTask {
                try await Follower(
                    client: client, id: id, logs: true, isKnown: true, note: { context.note($0) }
                ).run { event in
                    guard event.type == .log, let text = event.text else { return }
                    let bytes = Array(text.utf8)
                    if event.stream == "stderr" { context.errors(bytes) } else { try context.output(bytes) }
                }
            }
            group.addTask {
                try await Canceller(client: client, id: id, context: context).watch(interrupts)
                return nil
            }
            defer { group.cancelAll() }
            while let ended = try await group.next() {
                if let ended { return ended }
            }
            throw Failure.failed("nothing is known of the end of job \(id)")
        }
    }
}
