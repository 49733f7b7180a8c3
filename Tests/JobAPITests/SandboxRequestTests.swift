import ConfigFile
import FoundationEssentials
import JobAPI
import Testing
import Units

/// What a job asks of its sandbox, in a file and on the wire.
@Suite struct SandboxRequestTests {
    private func parse(_ section: String) throws(ConfigProblems) -> JobSpec {
        try JobSpec.parse(
            "[sandbox]\n\(section)\n[command]\nargv = [\"true\"]\n", file: "j.toml", directory: "/d", home: "/h")
    }

    @Test func allKeysOfAFile() throws {
        let request = try parse(
            """
            workdir = "~/x"
            devices = ["/dev/kfd"]
            max-processes = 64
            max-file-size = "10 GiB"
            max-open-files = 1024
            max-core-size = "0 B"
            """
        ).sandbox
        #expect(
            request
                == JobSpec.SandboxRequest(
                    workdir: "/h/x", devices: ["/dev/kfd"], maxProcesses: 64, maxFileSize: .gibibytes(10),
                    maxOpenFiles: 1024, maxCoreSize: .zero))
    }

    @Test func whatIsLeftOutIsThePolicys() throws {
        let request = try parse("").sandbox
        #expect(request.devices.isEmpty)
        #expect(request.maxProcesses == nil && request.maxFileSize == nil)
        #expect(request.maxOpenFiles == nil && request.maxCoreSize == nil)
    }

    @Test(arguments: [
        ("max-processes = 0", "j.toml:2: \"sandbox.max-processes\" is 0; it must be from 1 to 4194304"),
        ("max-open-files = 3", "j.toml:2: \"sandbox.max-open-files\" is 3; it must be from 16 to 1048576"),
        ("max-file-size = \"1 B\"", "j.toml:2: \"sandbox.max-file-size\" must be at least 1 MiB"),
        ("max-core-size = 5", "j.toml:2: \"sandbox.max-core-size\" must be a string in quotes, not an integer"),
        ("device = []", "j.toml:2: unknown key \"device\" in [sandbox]; did you mean \"devices\"?"),
    ])
    func mistakesNameTheirLine(text: String, expected: String) {
        let problems = #expect(throws: ConfigProblems.self) { try parse(text) }
        #expect(problems?.problems.map(\.description) == [expected])
    }

    @Test func theWireHasTheSameKeys() throws {
        let text = """
            {"command": {"argv": ["true"]}, "sandbox": {"devices": ["/dev/kfd"], "max_processes": 64,
             "max_file_size_bytes": 1048576, "max_open_files": 100, "max_core_size_bytes": 0}}
            """
        let spec = try JSON.decode(JobSpec.self, from: Data(text.utf8))
        #expect(
            spec.sandbox
                == JobSpec.SandboxRequest(
                    devices: ["/dev/kfd"], maxProcesses: 64, maxFileSize: .mebibytes(1), maxOpenFiles: 100,
                    maxCoreSize: .zero))
        let again = try JSON.decode(JobSpec.self, from: JSON.encode(spec))
        #expect(again == spec)
        #expect(throws: DecodingError.self) {
            try JSON.decode(JobSpec.self, from: Data(#"{"sandbox": {"max_file_size": 5}}"#.utf8))
        }
    }
}
