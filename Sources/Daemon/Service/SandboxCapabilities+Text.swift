import LinuxSystem
import Sandbox

extension SandboxCapabilities {
    /// For the log: what jobs on this machine are held by, and what cannot be had.
    var sentences: [String] {
        var lines: [String] = []
        if let bubblewrap { lines.append("bubblewrap \(bubblewrap)") }
        if let bubblewrapProblem { lines.append("no namespaces: \(bubblewrapProblem)") }
        if let refusedCalls { lines.append("seccomp refuses \(refusedCalls) system calls") }
        if let seccompProblem { lines.append("no seccomp: \(seccompProblem)") }
        if let landlock { lines.append("Landlock, version \(landlock)") }
        if let landlockProblem { lines.append("no Landlock: \(landlockProblem)") }
        if let jobsCgroup { lines.append("cgroups below \(jobsCgroup.path)") }
        return lines + cgroupProblems
    }
}
