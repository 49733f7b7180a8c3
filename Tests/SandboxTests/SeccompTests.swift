import Glibc
import LinuxSystem
import Sandbox
import Testing

#if arch(x86_64)
    /// System calls by number, made from perl, which Debian always has. Numbers are those of x86-64.
    @Suite(
        .timeLimit(.minutes(1)), .enabled(if: Fixture.capabilities.refusedCalls != nil, "seccomp does not work here"))
    struct SeccompTests {
        let fixture: Fixture

        init() throws {
            fixture = try Fixture()
        }

        /// The error number of one call, 0 for success.
        private func call(_ arguments: String) async throws -> String {
            let script = "$! = 0; my $r = syscall(\(arguments)); print $r == -1 ? $! + 0 : 0"
            return try await fixture.run(fixture.launch(["/usr/bin/perl", "-e", script])).stdout
        }

        @Test(arguments: [
            ("ptrace", "101, 0, 0, 0, 0"), ("mount", "165, 0, 0, 0, 0, 0"), ("umount2", "166, 0, 0"),
            ("unshare", "272, 0x10000000"), ("setns", "308, 0, 0"), ("clone NEWUSER", "56, 0x10000011, 0, 0, 0, 0"),
            ("clone NEWNS", "56, 0x20011, 0, 0, 0, 0"), ("keyctl", "250, 0, -3, 0, 0, 0"),
            ("add_key", "248, 0, 0, 0, 0, 0"),
            ("bpf", "321, 0, 0, 0"), ("perf_event_open", "298, 0, 0, -1, -1, 0"),
            ("process_vm_readv", "310, 1, 0, 0, 0, 0, 0"),
            ("io_uring_setup", "425, 1, 0"), ("userfaultfd", "323, 0"), ("fsopen", "430, 0, 0"),
            ("open_tree", "428, 0, 0, 0"),
            ("init_module", "175, 0, 0, 0"), ("kexec_load", "246, 0, 0, 0, 0"), ("reboot", "169, 0, 0, 0, 0"),
            ("swapon", "167, 0, 0"), ("iopl", "172, 3"), ("settimeofday", "164, 0, 0"), ("acct", "163, 0"),
            ("open_by_handle_at", "304, 0, 0, 0"), ("TIOCSTI", "16, 0, 0x5412, 0"), ("TIOCLINUX", "16, 0, 0x541C, 0"),
            ("TIOCSTI behind high bits", "16, 0, 0x100005412, 0"), ("AF_VSOCK", "41, 40, 1, 0"),
            ("no address randomisation", "135, 0x40000"), ("readable is executable", "135, 0x400000"),
            ("behind the highest bit", "135, 0x80400000"),
        ])
        func isRefused(name: String, arguments: String) async throws {
            #expect(try await call(arguments) == "1", "\(name) must fail with EPERM")
        }

        @Test func whatIsNotMeantStillWorks() async throws {
            #expect(try await call("39") == "0")  // getpid
            #expect(try await call("135, 0xFFFFFFFF") == "0")  // which personality?
            #expect(try await call("135, 0") == "0")
            #expect(try await call("41, 1, 1, 0") == "0")  // a Unix socket
            #expect(try await call("16, 0, 0x5401, 0") == String(ENOTTY))
            // Its arguments cannot be judged; libraries then use clone.
            #expect(try await call("435, 0, 0") == String(ENOSYS))
        }

        @Test func callsOfAnotherArchitectureEndTheJob() async throws {
            let outcome = try await fixture.run(fixture.launch(["/usr/bin/perl", "-e", "syscall(0x40000000 + 39)"]))
            #expect(outcome.record.signal == SIGSYS)
        }

        @Test func theRecordSaysHowMany() async throws {
            let refused = try #require(fixture.launcher.capabilities.refusedCalls)
            #expect(refused >= 60)
            let outcome = try await fixture.run("true")
            #expect(outcome.started.enforced.contains("\(refused) system calls refused (seccomp), no new privileges"))
        }
    }
#endif
