import Glibc
import LinuxSystem
import Sandbox
import Testing

/// What a job cannot see or change. Needs bubblewrap and the right to make namespaces.
@Suite(.timeLimit(.minutes(1)), .enabled(if: Fixture.isolates, "bubblewrap does not work here"))
struct IsolationTests {
    let fixture: Fixture

    init() throws {
        fixture = try Fixture()
    }

    @Test func theWorkdirIsWritableAndNothingElse() async throws {
        let script = """
            pwd; echo x >inside || echo FAILED
            for place in / /usr /etc /opt /var /sys /proc/sys/kernel; do
                touch $place/mld-test 2>/dev/null && echo "wrote $place"
            done
            exit 0
            """
        let outcome = try await fixture.run(script)
        #expect(outcome.stdout == fixture.workdir + "\n")
        #expect(fixture.text(fixture.workdir + "/inside") == "x\n")
    }

    @Test func temporaryDirectoriesArePrivate() async throws {
        let mark = fixture.root + "/mark"
        try fixture.write("outside", to: mark)
        let script = """
            test -e \(mark) && echo "sees the host's /tmp"
            for place in /tmp /var/tmp /dev/shm "$HOME"; do echo x >$place/mld-private || echo "cannot write $place"; done
            """
        let outcome = try await fixture.run(script)
        #expect(outcome.stdout == "")
        #expect(outcome.stderr == "")
        for place in ["/tmp", "/var/tmp", "/dev/shm"] { #expect(access(place + "/mld-private", F_OK) != 0) }
    }

    @Test func homesAndTheDaemonsStateAreOutOfSight() async throws {
        try fixture.write("secret", to: fixture.state + "/ledger.db")
        let script = """
            test "$HOME" = /tmp || ls -A "$HOME"; ls -A /home /root 2>/dev/null | grep -v : | grep -v "^$(basename "$HOME")$"
            test -e \(fixture.state) && echo "sees the state"
            ls -A /run
            """
        let outcome = try await fixture.run(script)
        #expect(outcome.stdout == "mld-exec\n")
    }

    @Test func theDaemonsStateIsHiddenAlsoInsideAGrantedFolder() async throws {
        mkdir(fixture.workdir + "/state", 0o755)
        try fixture.write("secret", to: fixture.workdir + "/state/ledger.db")
        try fixture.write("secret", to: fixture.workdir + "/socket")
        mkdir(fixture.workdir + "/state/out", 0o777)
        var profile = fixture.profile()
        profile.hidden = [fixture.workdir + "/state", fixture.workdir + "/socket"]
        profile.outputDirectory = fixture.workdir + "/state/out"
        let script = "ls state; cat socket; touch state/new 2>/dev/null && echo wrote; echo model >state/out/model"
        let outcome = try await fixture.run(script, profile: profile)
        #expect(outcome.stdout == "out\n")
        #expect(fixture.text(fixture.workdir + "/state/out/model") == "model\n")
        #expect(fixture.text(fixture.workdir + "/state/ledger.db") == "secret")
    }

    @Test func grantsAreWhatTheySay() async throws {
        mkdir(fixture.root + "/data", 0o755)
        mkdir(fixture.root + "/results", 0o755)
        try fixture.write("rows", to: fixture.root + "/data/set.csv")
        var profile = fixture.profile()
        profile.readOnly = [fixture.root + "/data"]
        profile.readWrite = [fixture.root + "/results"]
        let base = fixture.root
        let outcome = try await fixture.run(
            "cat \(base)/data/set.csv; echo x 2>/dev/null >\(base)/data/new && echo wrote; echo y >\(base)/results/r",
            profile: profile)
        #expect(outcome.stdout == "rows")
        #expect(fixture.text(base + "/results/r") == "y\n")
        #expect(access(base + "/data/new", F_OK) != 0)
    }

    @Test func metersAndTheMachineAreHidden() async throws {
        let outcome = try await fixture.run(
            """
            ls -d /sys/class /sys/class/powercap /sys/devices/virtual /sys/fs/cgroup /dev/cpu /dev/mem /dev/kmsg 2>/dev/null
            test -e /sys/devices/system/cpu/online || echo "no CPU count"
            """)
        #expect(outcome.stdout == "")
    }

    @Test func theKernelsSettingsAndDevicesAreReadOnlyForRootToo() async throws {
        // Opened only, never written: should one be open after all, the machine keeps its settings.
        let outcome = try await fixture.run(
            """
            for file in kernel/core_pattern vm/overcommit_memory kernel/printk; do
                (: >>/proc/sys/$file) 2>/dev/null && echo "may write $file"
            done
            (: >/proc/sysrq-trigger) 2>/dev/null && echo "may write sysrq-trigger"
            (echo x >/dev/hog) 2>/dev/null && echo "may fill /dev"
            (echo x >/dev/shm/mine) 2>/dev/null || echo "no shared memory"
            echo x >/dev/null || echo "no /dev/null"
            """)
        #expect(outcome.stdout == "")
    }

    @Test func otherProcessesAreOutOfSight() async throws {
        // Process 1 is the sandbox's own, 2 the shell.
        let outcome = try await fixture.run("echo $$; kill -0 \(getpid()) 2>/dev/null && echo 'sees the daemon'")
        #expect(outcome.stdout == "2\n")
    }

    @Test func theNetworkIsThereOnlyWhenGranted() async throws {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(listener) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let bound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, length) == 0 && listen(listener, 4) == 0 && getsockname(listener, $0, &length) == 0
            }
        }
        try #require(bound)
        let port = UInt16(bigEndian: address.sin_port)
        let connect = ["/bin/bash", "-c", "exec 9<>/dev/tcp/127.0.0.1/\(port)"]
        let closed = try await fixture.run(fixture.launch(connect))
        #expect(closed.record.exitStatus == 1)
        #expect(closed.started.enforced.contains("no network"))
        var profile = fixture.profile()
        profile.network = true
        let open = try await fixture.run(fixture.launch(connect), profile: profile)
        #expect(open.record.exitStatus == 0)
        #expect(!open.started.enforced.contains("no network"))
    }

    @Test func noPrivilegeIsLeft() async throws {
        let outcome = try await fixture.run("grep -E '^(CapInh|CapAmb|NoNewPrivs|Seccomp):' /proc/self/status")
        let values = outcome.stdout.split(separator: "\n").map { $0.split(separator: "\t").last ?? "" }
        #expect(values == ["0000000000000000", "0000000000000000", "1", "2"])
        let effective = try await fixture.run("sed -n 's/^CapEff:.//p' /proc/self/status").stdout
        // Root keeps its way with files (CHOWN, DAC_OVERRIDE, FOWNER, FSETID); a user has nothing to keep.
        #expect(effective == (Fixture.isRoot ? "000000000000001b\n" : "0000000000000000\n"))
    }

    @Test func whatTheSandboxProgramSaysReachesTheRecord() async throws {
        // One that works when it is tried out, and fails to build the job's tree.
        let wrapper = fixture.root + "/bwrap"
        try fixture.write(
            """
            #!/bin/sh
            case "$*" in *--tmpfs*) echo "bwrap: Can't mount tmpfs" >&2; exit 1;; esac
            exec /usr/bin/bwrap "$@"
            """, to: wrapper, mode: 0o755)
        let launcher = try SandboxLauncher(execPath: Fixture.execPath, bubblewrapPath: wrapper, cgroups: nil)
        try #require(launcher.capabilities.isolates)
        let outcome = try await Fixture(launcher: launcher).run("true")
        #expect(outcome.record.cause == .couldNotStart)
        #expect(outcome.record.message?.contains("Can't mount tmpfs") == true)
    }
}
