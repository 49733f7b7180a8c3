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
    /// The version of the kernel's Landlock; nil where it has none of use.
    package var landlock: Int?
    package var landlockProblem: String?
    /// The directory of the jobs' cgroups.
    package var jobsCgroup: Cgroup?
    /// What the cgroups of jobs can be held by: names of controllers.
    package var controllers: Set<String> = []
    /// What of cgroups cannot be had.
    package var cgroupProblems: [String]
    /// Those that limits need which a job cannot get around.
    package static let neededControllers = ["cpu", "memory", "pids"]

    /// Files, processes, network and system calls can all be isolated. Landlock is a second wall for what these hold already,
    /// and not part of it.
    package var isolates: Bool { bubblewrap != nil && refusedCalls != nil }

    /// A job can be isolated, and held to all its limits.
    package var isFull: Bool { isolates && controllers.isSuperset(of: Self.neededControllers) }

    /// What is missing of the full sandbox, in words.
    package var missing: [String] {
        var problems: [String] = []
        if bubblewrap == nil { problems.append(bubblewrapProblem ?? "no bubblewrap") }
        if refusedCalls == nil { problems.append("no filter of system calls: \(seccompProblem ?? "no seccomp")") }
        let absent = Self.neededControllers.filter { !controllers.contains($0) }
        if !absent.isEmpty {
            problems.append(
                "no limits by the control group for want of \(absent.joined(separator: ", ")): "
                    + (cgroupProblems.isEmpty ? "no such controller" : cgroupProblems.joined(separator: ", ")))
        }
        return problems
    }

    package init(
        bubblewrap: String? = nil, bubblewrapProblem: String? = nil, refusedCalls: Int? = nil,
        seccompProblem: String? = nil, landlock: Int? = nil, landlockProblem: String? = nil, jobsCgroup: Cgroup? = nil,
        cgroupProblems: [String] = []
    ) {
        self.bubblewrap = bubblewrap
        self.bubblewrapProblem = bubblewrapProblem
        self.refusedCalls = refusedCalls
        self.seccompProblem = seccompProblem
        self.landlock = landlock
        self.landlockProblem = landlockProblem
        self.jobsCgroup = jobsCgroup
        self.cgroupProblems = cgroupProblems
    }
}

extension SandboxCapabilities {
    /// The standard filter of system calls as the kernel takes it, made once for all jobs.
    static func standardFilter(execPath: String) -> [UInt8]? {
        guard case .success(let text) = output(execPath, ["filter"], .here),
            let digits = value("seccomp-filter", in: text), digits.utf8.count % 16 == 0
        else { return nil }
        var bytes: [UInt8] = []
        var rest = Substring(digits)
        while !rest.isEmpty {
            guard let byte = UInt8(rest.prefix(2), radix: 16) else { return nil }
            bytes.append(byte)
            rest = rest.dropFirst(2)
        }
        return bytes.isEmpty ? nil : bytes
    }

    /// Runs the filter alone, then bubblewrap with the namespaces a job gets.
    static func probe(execPath: String, bubblewrapPath: String, spawner: Spawner) -> SandboxCapabilities {
        var found = SandboxCapabilities()
        let alone = ["exec", "--seccomp", "default", "--", execPath, "features"]
        switch output(execPath, alone, spawner) {
        case .success(let text):
            found.readLandlock(in: text)
            found.refusedCalls = value("seccomp-refused", in: text).flatMap { Int($0) }
            if found.refusedCalls == nil { found.seccompProblem = "unexpected answer \"\(text.prefix(200))\"" }
        case .failure(let problem):
            found.seccompProblem = problem.message
            if case .success(let text) = output(execPath, ["features"], spawner) { found.readLandlock(in: text) }
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
        switch output(bubblewrapPath, arguments + ["--", execPath, "features"], spawner) {
        case .success:
            if case .success(let text) = output(bubblewrapPath, ["--version"], spawner) {
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

    private static func output(
        _ path: String, _ arguments: [String], _ spawner: Spawner
    ) -> Result<String, Problem> {
        do throws(LinuxError) {
            let output = try spawner.run(path, arguments: arguments)
            if output.status == 0 { return .success(output.text) }
            let words = output.text.prefix(300).split(separator: "\n").joined(separator: "; ")
            return .failure(Problem(message: words.isEmpty ? "\(path) failed (wait status \(output.status))" : words))
        } catch {
            return .failure(Problem(message: error.description))
        }
    }

    private mutating func readLandlock(in text: String) {
        let numbers = Self.value("landlock", in: text)?.split(separator: " ").compactMap { Int($0) } ?? []
        if numbers.count == 2 {
            let (version, least) = (numbers[0], numbers[1])
            landlock = version >= least ? version : nil
            landlockProblem = version >= least ? nil : "version \(version) of the kernel's is of no use"
        } else {
            landlockProblem = Self.value("landlock-missing", in: text) ?? "unexpected answer \"\(text.prefix(200))\""
        }
    }

    private static func value(_ name: String, in text: String) -> String? {
        text.split(separator: "\n").first { $0.hasPrefix(name + " ") }.map { String($0.dropFirst(name.count + 1)) }
    }
}
