import ConfigFile
import Foundation
import Testing
import Units

@testable import JobAPI

@Suite struct JobSpecFileTests {
    private func parse(_ text: String) throws -> JobSpec {
        try JobSpec.parse(text, file: "job.toml", directory: "/home/ada/lab", home: "/home/ada")
    }

    @Test func aCommandJob() throws {
        let spec = try parse(
            """
            name = "hello"
            queue = "batch"
            [resources]
            cpus = 2
            memory = "2 GiB"
            time = "1 h"
            [sandbox]
            read-write = ["~/results", "out"]
            [command]
            argv = ["python3", "train.py"]
            env = { SEED = "1" }
            """)
        #expect(spec.resources == .init(cpus: 2, memory: .gibibytes(2), timeLimit: 3600))
        #expect(spec.sandbox.readWrite == ["/home/ada/results", "/home/ada/lab/out"])
        #expect(spec.sandbox.workdir == "/home/ada/lab")
        #expect(spec.command == .init(argv: ["python3", "train.py"], env: ["SEED": "1"]))
        #expect(spec.kind == "command")
    }

    @Test func aWarningByNameAndTime() throws {
        let text = "[schedule]\nwarn-before = \"5 min\"\nwarn-signal = \"sigusr1\"\n[command]\nargv = [\"a\"]"
        let schedule = try parse(text).schedule
        #expect(schedule.warnBefore == 300 && schedule.warnSignal == .usr1)
        let wire = try JSON.text(schedule)
        #expect(wire.contains("\"warn_signal\":\"USR1\"") && wire.contains("\"warn_before_s\":300"), "\(wire)")
        #expect(try JSON.decode(JobSpec.Schedule.self, from: Data(wire.utf8)) == schedule)
        let defaults = try parse("[command]\nargv = [\"a\"]").schedule
        #expect(defaults.warnBefore == nil && defaults.warnSignal == nil)
    }

    @Test func gpusAreANumberOrATable() throws {
        func resources(_ gpus: String) throws -> JobSpec.Resources {
            try parse("[resources]\ngpus = \(gpus)\n[command]\nargv = [\"a\"]").resources
        }
        #expect(try resources("2") == .init(gpus: 2))
        let full = try resources("{ count = 2, memory = \"16 GiB\", model = \"A100\", share = false }")
        #expect(full == .init(gpus: 2, gpuMemory: .gibibytes(16), gpuModel: "A100", gpuShare: false))
        #expect(!full.mayShareGPUs)
        let part = try resources("{ memory = \"8 GiB\" }")
        #expect(part == .init(gpus: 1, gpuMemory: .gibibytes(8)) && part.mayShareGPUs)
        #expect(try resources("{ model = \"A100\" }").mayShareGPUs == false)
        #expect(full.gpuWords == "2 gpus of model A100 with 16 GiB each" && part.gpuWords == "1 gpu with 8 GiB")
        let wire = try JSON.text(full)
        #expect(
            wire.contains("\"gpus\":2") && wire.contains("\"gpu_memory_bytes\":17179869184")
                && wire.contains("\"gpu_model\":\"A100\"") && wire.contains("\"gpu_share\":false"), "\(wire)")
        #expect(try JSON.decode(JobSpec.Resources.self, from: Data(wire.utf8)) == full)
        // What earlier releases wrote, and what is said of jobs that ask for nothing.
        let old = "{\"cpus\":1,\"gpus\":1,\"memory_bytes\":1073741824}"
        #expect(try JSON.decode(JobSpec.Resources.self, from: Data(old.utf8)) == .init(gpus: 1))
        #expect(try JSON.text(JobSpec.Resources(gpus: 1)).contains("gpu_") == false)
    }

    @Test func aTrainJobKeepsItsSectionsAsTheyStand() throws {
        let spec = try parse("[train]\nepochs = 3\n[data]\npath = \"digits\"\n[[model.layer]]\ntype = \"dense\"\n")
        #expect(spec.kind == "train")
        #expect(spec.train?.train["epochs"]?.value == .integer(3))
        #expect(spec.train?.data["path"]?.value == .string("/home/ada/lab/digits"))
        let wire = try JSON.decode(JobSpec.self, from: JSON.encode(spec))
        guard case .array(let layers) = wire.train?.model["layer"]?.value, case .table(let layer) = layers.first?.value
        else {
            Issue.record("the layers did not survive the wire")
            return
        }
        #expect(layer["type"]?.value == .string("dense"))
    }

    @Test(arguments: [
        (
            "[resource]\ncpus = 1\n[command]\nargv = [\"a\"]",
            "job.toml:1: unknown key \"resource\" at the top level; did you mean \"resources\"?"
        ),
        (
            "[resources]\ncpu = 1\n[command]\nargv = [\"a\"]",
            "job.toml:2: unknown key \"cpu\" in [resources]; did you mean \"cpus\"?"
        ),
        (
            "[resources]\ncpus = \"two\"\n[command]\nargv = [\"a\"]",
            "job.toml:2: \"resources.cpus\" must be an integer, not a string"
        ),
        ("[command]\n", "job.toml:1: \"argv\" is missing in [command]; for example argv = [\"python3\", \"train.py\"]"),
        (
            "name = \"x\"",
            "job.toml:1: the job has neither [command] nor [train]; add [command] with argv = [\"python3\", \"train.py\"]"
        ),
        ("[command]\nargv = [\"a\"]\n[train]\n", "job.toml:3: a job has either [command] or [train], not both"),
        (
            "[resources]\nmemory = \"2\"\n[command]\nargv = [\"a\"]",
            "job.toml:2: \"resources.memory\": \"2\" is not a size such as \"2 GiB\""
        ),
        (
            "[resources]\ngpus = { count = 2000, memory = \"1 B\", model = \"--\", shared = true }\n[command]\nargv = [\"a\"]",
            """
            job.toml:2: "resources.gpus.count" is 2000; it must be from 0 to 1024
            job.toml:2: "resources.gpus.memory" must be at least 1 MiB
            job.toml:2: "resources.gpus.model" has no letters or digits; write for example "A100"
            job.toml:2: unknown key "shared" in [resources.gpus]; did you mean "share"?
            """
        ),
        (
            "[resources]\ngpus = { share = true }\n[command]\nargv = [\"a\"]",
            "job.toml:2: \"resources.gpus.share\" needs \"memory\"; say how much of each GPU's memory the job needs, for example memory = \"8 GiB\""
        ),
        (
            "[resources]\ngpus = \"two\"\n[command]\nargv = [\"a\"]",
            "job.toml:2: \"resources.gpus\" must be an integer, not a string"
        ),
        (
            "[resources]\nmemory = \"2000000 TiB\"\ntime = \"1000 y\"\n[schedule]\nretry-delay = \"32 y\"\n[command]\nargv = [\"a\"]",
            """
            job.toml:2: "resources.memory" must be less than 1048576 TiB
            job.toml:3: "resources.time" must be less than 1000000000 s (31 years)
            job.toml:5: "schedule.retry-delay" must be less than 1000000000 s (31 years)
            """
        ),
        (
            "[schedule]\nwarn-before = \"0 s\"\nwarn-signal = \"KILL\"\n[command]\nargv = [\"a\"]",
            """
            job.toml:2: "schedule.warn-before" must be at least 1 s
            job.toml:3: "schedule.warn-signal" is "KILL", which is not a signal to warn with; use one of HUP, INT, QUIT, USR1, USR2, TERM
            """
        ),
    ])
    func problemsNameTheLine(text: String, problem: String) {
        let problems = #expect(throws: ConfigProblems.self) { try parse(text) }
        #expect(problems?.description == problem)
    }
}
