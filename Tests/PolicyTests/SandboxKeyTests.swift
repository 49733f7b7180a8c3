import ConfigFile
import JobAPI
import Testing
import Units

@testable import Policy

/// The keys of `[sandbox.NAME]` that bound devices, limits, system calls and what is given unasked.
@Suite struct SandboxKeyTests {
    @Test func everyKeyIsReadWithItsLine() throws {
        let set = try policy(
            """
            [sandbox.default]
            bind = ["/srv/datasets"]
            devices = ["/dev/dri"]
            max-memory = "8 GiB"
            max-cpus = 3
            max-open-files = 100
            max-core-size = "1 MiB"
            refuse-syscalls = ["memfd_create"]
            allow-syscalls = ["keyctl"]
            landlock = "off"
            max-log-size = "2 MiB"
            """)
        let profile = try #require(set.sandbox("default"))
        #expect(profile.bind.value == ["/srv/datasets"])
        #expect(profile.devices.place == "p.toml:3")
        #expect(profile.maxMemory.value == .gibibytes(8))
        #expect(profile.maxCpus.value == 3)
        #expect(profile.maxOpenFiles.value == 100)
        #expect(profile.maxCoreSize.value == .mebibytes(1))
        #expect(profile.refuseSyscalls.value == ["memfd_create"])
        #expect(profile.allowSyscalls.value == ["keyctl"])
        #expect(profile.landlock.value == .off)
        #expect(profile.maxLogSize.value == .mebibytes(2) && profile.maxLogSize.place == "p.toml:11")
        let shown = set.report().settings.filter { $0.key.hasPrefix("sandbox.default.") }
        #expect(shown.contains(.init(key: "sandbox.default.allow-syscalls", value: "keyctl", source: "p.toml:9")))
        #expect(shown.contains(.init(key: "sandbox.default.max-core-size", value: "1 MiB", source: "p.toml:7")))
    }

    @Test(arguments: [
        (
            "bind = [\"~/x\"]",
            "p.toml:2: \"sandbox.default.bind\" has \"~/x\", which is not an absolute path; homes are given to jobs that ask, with read-only"
        ),
        (
            "bind = [\"/proc/1\"]",
            "p.toml:2: \"sandbox.default.bind\" has \"/proc/1\", but no job is given anything of /proc; remove it"
        ),
        (
            "bind = [\"//\"]",
            "p.toml:2: \"sandbox.default.bind\" has \"//\", but no job sees the whole system; name the directories jobs need"
        ),
        (
            "bind = [\"/srv/../etc\"]",
            "p.toml:2: \"sandbox.default.bind\" has \"/srv/../etc\", which is not an absolute path; start with / and leave out . and .."
        ),
        (
            "devices = [\"/srv/x\"]",
            "p.toml:2: \"sandbox.default.devices\" has \"/srv/x\", which is not a path below /dev; write /dev/NAME, or /dev/DIRECTORY for all devices in it"
        ),
        (
            "devices = [\"/dev/sda1\"]",
            "p.toml:2: \"sandbox.default.devices\" has \"/dev/sda1\", which no job is given; remove it"
        ),
        ("max-memory = \"1 B\"", "p.toml:2: \"sandbox.default.max-memory\" must be at least 1 MiB"),
        (
            "max-open-files = 3",
            "p.toml:2: \"sandbox.default.max-open-files\" is 3; it must be from 16 to 1048576"
        ),
        (
            "refuse-syscalls = [\"chmodd\"]",
            "p.toml:2: \"sandbox.default.refuse-syscalls\" has \"chmodd\", which is no system call; did you mean \"chmod\"?"
        ),
        (
            "refuse-syscalls = [\"mount\"]",
            "p.toml:2: \"sandbox.default.refuse-syscalls\" has \"mount\", which is refused anyway; remove it"
        ),
        (
            "refuse-syscalls = [\"execve\"]",
            "p.toml:2: \"sandbox.default.refuse-syscalls\" has \"execve\", without which no job starts; remove it"
        ),
        (
            "landlock = \"of\"",
            "p.toml:2: \"sandbox.default.landlock\" is \"of\"; it must be one of on, off; did you mean \"on\"?"
        ),
    ])
    func problemsNameLineAndRemedy(text: String, expected: String) {
        #expect(problems("[sandbox.default]\n\(text)\n") == [expected])
    }

    /// With these a job could leave its sandbox, so no policy can give them.
    @Test(arguments: Syscalls.never)
    func aCallThatOpensTheMachineCannotBeAllowed(name: String) throws {
        let found = problems("[sandbox.default]\nallow-syscalls = [\"\(name)\"]\n")
        #expect(found.count == 1)
        #expect(
            found.first?.hasPrefix(
                "p.toml:2: \"sandbox.default.allow-syscalls\" has \"\(name)\", which no job is ever allowed; what can")
                == true)
    }

    @Test func aCallNobodyRefusesNeedsNoAllowing() {
        let found = problems("[sandbox.default]\nallow-syscalls = [\"read\", \"keyctk\"]\n")
        #expect(found.count == 2)
        #expect(found[0].contains("has \"read\", which is not a call jobs are refused"))
        #expect(found[1].contains("did you mean \"keyctl\"?"))
    }

    /// The two may come from two files, so the set is what is checked.
    @Test func aCallIsNotAllowedAndRefusedAtOnce() throws {
        // A call of the refused list cannot be in `refuse-syscalls`, so only the check of the set itself can tell.
        var profile = SandboxProfile(name: "x")
        profile.refuseSyscalls = Setting(["a"], source: RuleReference(file: "1.toml", line: 2, name: "r"))
        profile.allowSyscalls = Setting(["a"], source: RuleReference(file: "2.toml", line: 3, name: "a"))
        let collector = ConfigReader.Collector()
        var loader = PolicyLoader(collector: collector)
        loader.set.sandboxes.append(profile)
        _ = loader.finish()
        let thrown = #expect(throws: ConfigProblems.self) { try collector.check() }
        #expect(
            thrown?.problems.map(\.description).contains(
                "2.toml:3: \"sandbox.x.allow-syscalls\" has \"a\", which refuse-syscalls has too (1.toml:2); keep it in one of them"
            ) == true)
    }

    @Test func theListsOfCallsDoNotOverlap() {
        #expect(Set(Syscalls.never).isDisjoint(with: Syscalls.allowable))
        #expect(Set(Syscalls.vital).isDisjoint(with: Syscalls.allowable + Syscalls.never))
        for name in Syscalls.vital { #expect(Syscalls.known.contains(name), "\(name)") }
        #expect(Syscalls.problem(refusing: "a_call_of_the_next_decade") == nil, "only the machine can tell")
        #expect(Syscalls.problem(refusing: "rm -rf") != nil)
    }

    @Test(arguments: [
        "/dev/mem", "/dev/kmem", "/dev/port", "/dev/kmsg", "/dev/cpu", "/dev/cpu/0/msr", "/dev/sda", "/dev/sda1",
        "/dev/nvme0", "/dev/nvme0n1p2", "/dev/vda", "/dev/dm-0", "/dev/loop7", "/dev/loop-control", "/dev/md127",
        "/dev/mapper/x", "/dev/disk/by-id/x", "/dev/kvm", "/dev/vhost-vsock", "/dev/net/tun", "/dev/ipmi0",
        "/dev/i2c-1",
        "/dev/tty1", "/dev/ttyS0", "/dev/input/event0", "/dev/uinput", "/dev/fuse", "/dev/userfaultfd", "/dev/shm",
        "/dev/sev-guest", "/dev", "/dev/", "/dev/.", "/dev/dri/../mem", "/etc", "dev/dri", "",
    ])
    func noPolicyGivesThisDevice(path: String) {
        var profile = SandboxProfile(name: "x")
        profile.devices = Setting(["/dev", path])
        #expect(!profile.allows(device: path))
    }

    @Test(arguments: [
        "/dev/dri/renderD128", "/dev/nvidia0", "/dev/nvidiactl", "/dev/nvidia-uvm", "/dev/kfd",
        "/dev/infiniband/uverbs0",
        "/dev/accel/accel0", "/dev/video0", "/dev/neuron0", "/dev/snd/timer", "/dev/davinci0",
    ])
    func whatComputesCanBeGiven(path: String) {
        var profile = SandboxProfile(name: "x")
        #expect(!profile.allows(device: path), "none by default")
        profile.devices = Setting([path])
        #expect(profile.allows(device: path))
    }
}
