import Glibc
import LinuxSystem
import Sandbox
import Testing

/// Profiles that are refused, each with what is wrong.
@Suite(.timeLimit(.minutes(1)))
struct ProfileTests {
    let fixture: Fixture

    init() throws {
        fixture = try Fixture()
    }

    private func refusal(_ profile: SandboxProfile) -> SandboxError? {
        do throws(SandboxError) {
            _ = try fixture.launcher.start(fixture.launch(["/bin/true"]), profile: profile)
            return nil
        } catch {
            return error
        }
    }

    @Test(arguments: [
        "/", "/etc", "/usr", "/usr/share", "/bin", "/proc", "/proc/self", "/sys", "/dev", "/dev/shm", "/home", "/tmp",
        "/var",
        "/run", "/opt", "/boot", "/tmp/../etc", "//usr//lib",
    ])
    func systemDirectoriesAreNoWorkdir(path: String) throws {
        let error = try #require(refusal(SandboxProfile(workdir: path)))
        #expect(error.code == .badProfile)
        #expect(error.stage == "workdir")
    }

    @Test(arguments: ["/etc", "/", "/proc", "/tmp"])
    func aLinkToASystemDirectoryIsOne(target: String) throws {
        let link = fixture.root + "/link"
        #expect(symlink(target, link) == 0)
        let error = try #require(refusal(SandboxProfile(workdir: link)))
        #expect(error.message.hasPrefix(target + " "))
        var profile = fixture.profile()
        profile.readWrite = [link]
        #expect(try #require(refusal(profile)).stage == "read-write")
    }

    @Test func aLinkedWorkdirIsFollowed() async throws {
        let link = fixture.root + "/link"
        #expect(symlink(fixture.workdir, link) == 0)
        #expect(try await fixture.run("pwd", profile: SandboxProfile(workdir: link)).stdout == fixture.workdir + "\n")
    }

    @Test(arguments: ["/proc", "/sys/class/powercap", "/dev", "/", "/home", "/run", "/tmp", "/var"])
    func metersAndWholeSystemsCannotBeReadEither(path: String) throws {
        guard access(path, F_OK) == 0 else { return }  // Not every machine has powercap.
        var profile = fixture.profile()
        profile.readOnly = [path]
        #expect(try #require(refusal(profile)).stage == "read-only")
    }

    @Test func whatDoesNotExistIsNamed() throws {
        let missing = fixture.root + "/missing"
        #expect(
            try #require(refusal(SandboxProfile(workdir: missing))).message == "\(missing): No such file or directory")
        var profile = fixture.profile()
        profile.readOnly = [missing]
        let error = try #require(refusal(profile))
        #expect(error.description == "read-only: \(missing): No such file or directory")
    }

    @Test func aFileIsNoWorkdir() throws {
        try fixture.write("", to: fixture.root + "/file")
        #expect(
            try #require(refusal(SandboxProfile(workdir: fixture.root + "/file"))).message.hasSuffix(
                "is not a directory"))
    }

    @Test(arguments: ["", "relative", "/tmp/a\nb", "~/x"])
    func oddPathsAreRefused(path: String) throws {
        #expect(try #require(refusal(SandboxProfile(workdir: path))).code == .badProfile)
    }

    @Test func theDaemonsOwnDirectoriesCannotBeNamed() throws {
        var profile = fixture.profile()
        profile.readOnly = [fixture.job]
        #expect(try #require(refusal(profile)).message.contains("belongs to mld"))
        profile = SandboxProfile(workdir: fixture.state, hidden: [fixture.state])
        #expect(try #require(refusal(profile)).message.contains("belongs to mld"))
    }

    @Test func aDeviceMustBeOne() throws {
        var profile = fixture.profile()
        profile.devices = ["/etc/passwd"]
        #expect(try #require(refusal(profile)).code == .badProfile)
    }

    @Test func anEmptyCommandIsRefused() throws {
        for argv in [[], [""], ["a\0b"]] {
            #expect(throws: SandboxError.self) {
                try fixture.launcher.start(fixture.launch(argv), profile: fixture.profile())
            }
        }
    }
}
