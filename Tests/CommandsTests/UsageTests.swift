import Glibc
import JobAPI
import Testing

@testable import Commands

@Suite struct UsageTests {
    @Test(arguments: [
        ["frobnicate"], ["list", "--bogus"], ["show"], ["show", "x"], ["show", "-1"], ["list", "--limit", "0"],
        ["list", "--format", "xml"], ["wait"], ["cancel"], ["policy", "check"], ["completions", "tcsh"], ["submit"],
        ["--bogus"], ["policy", "simulate"], ["policy", "tune", "--trace", "t.swf"],
    ])
    func statusTwo(arguments: [String]) async {
        let outcome = await Terminal().run(arguments, socket: "/nonexistent/mld.sock")
        #expect(outcome.status == 2)
        #expect(outcome.out.isEmpty)
        #expect(outcome.err.contains("Usage: mlctl") || outcome.err.contains("USAGE: mlctl"))
    }

    static let reaching: [[String]] = [
        ["list"], ["show", "7"], ["why", "7"], ["logs", "7"], ["logs", "7", "-f"], ["wait", "7"], ["cancel", "7"],
        ["devices"], ["report"], ["policy", "show"], ["run", "--", "true"],
    ]

    @Test(arguments: reaching) func noDaemonIsStatusThree(arguments: [String]) async {
        let outcome = await Terminal().run(arguments, socket: "/nonexistent/mld.sock")
        #expect(outcome.status == 3)
        #expect(outcome.out.isEmpty)
        #expect(outcome.err.contains("/nonexistent/mld.sock"))
        for advice in ["systemctl start mld", "user mode", "MLD_SOCKET"] { #expect(outcome.err.contains(advice)) }
    }

    @Test func socketIsChosenInOrder() throws {
        let directory = try temporaryDirectory()
        defer { removeDirectory(directory) }
        func choice(_ environment: [String: String]) -> String {
            GlobalOptions.socketPath(environment: environment, uid: 4_000_000_000)
        }
        #expect(choice(["MLD_SOCKET": "/b", "XDG_RUNTIME_DIR": directory]) == "/b")
        #expect(choice(["MLD_SOCKET": "", "XDG_RUNTIME_DIR": "/nonexistent"]) == "/run/mld/mld.sock")
        // The user's own daemon, once its socket is there.
        let environment = ["XDG_RUNTIME_DIR": directory]
        #expect(choice(environment) == "/run/mld/mld.sock")
        #expect(mkdir(directory + "/mld", 0o700) == 0)
        try write("", to: directory + "/mld/mld.sock")
        #expect(choice(environment) == directory + "/mld/mld.sock")
        removeDirectory(directory + "/mld")
    }

    /// Every verb, by the words that name it.
    static let verbs = [
        ["run"], ["submit"], ["list"], ["show"], ["why"], ["logs"], ["wait"], ["cancel"], ["devices"], ["report"],
        ["policy"], ["policy", "show"], ["policy", "check"], ["policy", "simulate"],
        ["policy", "tune"],
        ["completions"], [],
    ]

    @Test(arguments: verbs) func helpHasAnExample(verb: [String]) async {
        let outcome = await Terminal().run(verb + ["--help"])
        #expect(outcome.status == 0)
        #expect(outcome.err.isEmpty)
        #expect(outcome.out.contains("EXAMPLE\n"))
        #expect(outcome.out.contains("  mlctl " + verb.joined(separator: " ")))
    }

    @Test func versionAndCompletions() async {
        #expect(await Terminal().run(["--version"]).out == "mlctl \(mldVersion)\n")
        for (shell, mark) in [("bash", "complete -o filenames -F"), ("zsh", "#compdef mlctl"), ("fish", "-c 'mlctl'")] {
            let outcome = await Terminal().run(["completions", shell])
            #expect(outcome.status == 0)
            #expect(outcome.out.contains(mark), "\(shell)")
        }
    }
}
