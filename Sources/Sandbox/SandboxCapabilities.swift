import Glibc
package import LinuxSystem

/// What this machine and this user can isolate, found out by trying it.
package struct SandboxCapabilities: Sendable, Hashable {
    /// The version of a bubblewrap that works here.
    package var bubblewrap: String?
    /// Why there is none.
    package var bubblewrapProblem: String?
    /// System calls the filter refuses; nil where it cannot be loaded.
    package var refusedCalls: Int?
    package var seccompProblem: String?
    /// The directory of the jobs' cgroups.
    package var jobsCgroup: Cgroup?
    /// What of cgroups cannot be had.
    package var cgroupProblems: [String]

    /// Files, processes, network and system calls can all be isolated.
    package var isFull: Bool { bubblewrap != nil && refusedCalls != nil }

    package init(
        bubblewrap: String? = nil, bubblewrapProblem: String? = nil, refusedCalls: Int? = nil,
        seccompProblem: String? = nil, jobsCgroup: Cgroup? = nil, cgroupProblems: [String] = []
    ) {
        self.bubblewrap = bubblewrap
        self.bubblewrapProblem = bubblewrapProblem
        self.refusedCalls = refusedCalls
        self.seccompProblem = seccompProblem
        self.jobsCgroup = jobsCgroup
        self.cgroupProblems = cgroupProblems
    }
}

extension SandboxCapabilities {
    /// Runs the filter alone, then bubblewrap with the namespaces a job gets.
    static func probe(execPath: String, bubblewrapPath: String) -> SandboxCapabilities {
        var found = SandboxCapabilities()
        let alone = ["exec", "--seccomp", "default", "--", execPath, "features"]
        switch output(execPath, alone) {
        case .success(let text):
            found.refusedCalls = refusedCalls(in: text)
            if found.refusedCalls == nil { found.seccompProblem = "unexpected answer \"\(text.prefix(200))\"" }
        case .failure(let problem): found.seccompProblem = problem.message
        }
        guard access(bubblewrapPath, X_OK) == 0 else {
            found.bubblewrapProblem = "\(bubblewrapPath) is not installed (package bubblewrap)"
            return found
        }
        var arguments = [
            "--unshare-ipc", "--unshare-pid", "--unshare-uts", "--unshare-net", "--die-with-parent", "--ro-bind", "/",
            "/",
            "--proc", "/proc", "--dev", "/dev",
        ]
        if geteuid() != 0 { arguments.append("--unshare-user") }
        switch output(bubblewrapPath, arguments + ["--", execPath, "features"]) {
        case .success:
            if case .success(let text) = output(bubblewrapPath, ["--version"]) {
                found.bubblewrap = text.split(whereSeparator: \.isWhitespace).last.map(String.init) ?? "?"
            } else {
                found.bubblewrapProblem = "\(bubblewrapPath) does not tell its version"
            }
        case .failure(let problem): found.bubblewrapProblem = problem.message
        }
        return found
    }

    private struct Problem: Error {
        var message: String
    }

    private static func output(_ path: String, _ arguments: [String]) -> Result<String, Problem> {
        do throws(LinuxError) {
            let output = try ProcessSpawner.run(path, arguments: arguments)
            if output.status == 0 { return .success(output.text) }
            let words = output.text.prefix(300).split(separator: "\n").joined(separator: "; ")
            return .failure(Problem(message: words.isEmpty ? "\(path) failed (wait status \(output.status))" : words))
        } catch {
            return .failure(Problem(message: error.description))
        }
    }

    private static func refusedCalls(in text: String) -> Int? {
        for line in text.split(separator: "\n") where line.hasPrefix("seccomp-refused ") {
            return Int(line.dropFirst("seccomp-refused ".count))
        }
        return nil
    }
}
