import Glibc

// The two ends of a job's chain of processes. `supervise` stays outside the sandbox, outlives the daemon and writes down
// how the job ended; `exec` is the last step inside, which gives up what the job may not have and becomes its command.
// Single-threaded and without Foundation, since one or two of these run beside every job.

let usage = """
    usage: mld-exec supervise --record FILE [--cgroup DIR] [--time-limit SECONDS] [--grace SECONDS]
                              [--warn SECONDS] [--warn-signal N] [--stdout FILE] [--stderr FILE] [--log-limit BYTES]
                              [--log-owner UID:GID [--give PATH]...] [--memory-limit BYTES] [--pass COUNT] [--wrapped]
                              -- PROGRAM ARG...
           mld-exec exec [--init] [--status-fd N] [--env-fd N] [--verify DEV:INO:PATH]... [--chdir DIR]
                         [--rlimit NAME=VALUE]... [--cpus N,...] [--uid N --gid N [--groups N,...]]
                         [--close-fds-from N]
                         [--seccomp default [--refuse-call NAME]... [--allow-call NAME]... | --seccomp-fd N]
                         [--landlock [--grant-read PATH]... [--grant-use PATH]... [--grant-write PATH]... [--deny-tcp]]
                         -- COMMAND ARG...
           mld-exec resolve [--uid N --gid N [--groups N,...]] -- PATH...
           mld-exec serve [--jobs-cgroup FILE]
           mld-exec hold FILE
           mld-exec features
           mld-exec filter

    The last processes of a job, started by mld; of no use by hand but to try them.
    """

do throws(Failure) {
    let arguments = Array(CommandLine.arguments.dropFirst())
    switch arguments.first {
    case "supervise":
        var supervisor = Supervisor(options: try SuperviseOptions(arguments.dropFirst()))
        try supervisor.run()
    case "exec": try ExecStep(options: ExecOptions(arguments.dropFirst())).run()
    case "resolve": try ResolveStep.run(arguments.dropFirst())
    case "serve": try SpawnService.run(arguments.dropFirst())
    case "hold": try CgroupHolder.run(arguments.dropFirst())
    case "features": try Features.print()
    case "filter": try ExportedFilter.print()
    case "--help", "-h": print(usage)
    default: throw Failure(status: 2, usage)
    }
} catch {
    complain(error.message)
    exit(error.status)
}
