import Glibc
import LinuxSystem
import Testing

@testable import Sandbox

/// What the helper that follows paths says, where names are chosen to make it say something else.
@Suite(.timeLimit(.minutes(1)))
struct PathAnswerTests {
    let fixture: Fixture

    init() throws {
        fixture = try Fixture()
    }

    /// By the helper itself, as the daemon of root asks it.
    private func answers(_ paths: [String]) throws -> [Result<ResolvedPath, SandboxError>] {
        let output = try ProcessSpawner.run(Fixture.execPath, arguments: ["resolve", "--"] + paths)
        try #require(output.status == 0, "\(output.text)")
        return try #require(PathResolver.answers(output.bytes, to: paths))
    }

    private func identity(_ path: String) throws -> ResolvedPath {
        var information = stat()
        try #require(lstat(path, &information) == 0)
        return ResolvedPath(
            path: path, device: UInt64(information.st_dev), inode: UInt64(information.st_ino),
            isDirectory: information.st_mode & S_IFMT == S_IFDIR)
    }

    @Test func namesDoNotAnswerForOthers() throws {
        let work = fixture.workdir
        // Three names that end a line, begin another, and swallow the end of one; and what they shall not pass for.
        let forged = work + "/Y\nok 1 2 d "
        try #require(mkdir(forged, 0o755) == 0 && mkdir(forged + "/target", 0o755) == 0)
        try #require(symlink(forged + "/target", work + "/link") == 0)
        try fixture.write("", to: work + "/X\r")
        try fixture.write("", to: work + "/plain")
        let answers = try answers([work + "/link", work + "/X\r", work + "/none", work + "/plain"])
        #expect(try answers[0].get() == identity(forged + "/target"))
        #expect(try answers[1].get() == identity(work + "/X\r"))
        #expect(throws: SandboxError(.badProfile, stage: "sandbox path", "\(work)/none: No such file or directory")) {
            try answers[2].get()
        }
        #expect(try answers[3].get() == identity(work + "/plain"))
    }

    @Test func aNameThatIsNoTextIsNotMended() throws {
        let work = fixture.workdir
        // What a repair would make of the first is the second.
        let bytes = (work + "/").utf8.map(CChar.init(bitPattern:)) + [CChar(bitPattern: 0xFF), 0]
        try #require(mkdir(bytes, 0o755) == 0 && mkdir(work + "/\u{FFFD}", 0o755) == 0)
        try #require(symlink(bytes, work + "/link") == 0)
        for answer in [try answers([work + "/link"])[0], PathResolver.resolveHere(work + "/link")] {
            let error = #expect(throws: SandboxError.self) { try answer.get() }
            #expect(error?.code == .badProfile && error?.message.contains("no UTF-8") == true)
        }
    }

    @Test func onlyAnAnswerToEachPathInItsOrderIsOne() throws {
        let whole = "/a\u{0}0\u{0}1\u{0}2\u{0}d\u{0}/b\u{0}/c\u{0}2\u{0}\u{0}\u{0}\u{0}\u{0}"
        let parsed = try #require(PathResolver.answers(Array(whole.utf8), to: ["/a", "/c"]))
        #expect(try parsed[0].get() == ResolvedPath(path: "/b", device: 1, inode: 2, isDirectory: true))
        for paths in [["/c", "/a"], ["/a"], ["/a", "/c", "/c"], ["/a", "/d"], []] {
            #expect(PathResolver.answers(Array(whole.utf8), to: paths) == nil, "\(paths)")
        }
        for length in 0..<whole.utf8.count {
            #expect(PathResolver.answers(Array(whole.utf8.prefix(length)), to: ["/a", "/c"]) == nil, "\(length)")
        }
    }

    /// Its user can stop it, and choose where it walks.
    @Test func aHelperThatHangsOrSaysTooMuchIsNotWaitedFor() throws {
        // Written by another process: one that holds it open for writing keeps it from being executed.
        func helper(_ name: String, _ command: String) throws -> String {
            let path = fixture.root + "/" + name
            let made = try ProcessSpawner.run(
                "/bin/sh",
                arguments: ["-c", #"printf '#!/bin/sh\n%s\n' "$1" >"$0"; chmod 755 "$0""#, path, command])
            try #require(made.status == 0)
            return path
        }
        let other = Launch.User(uid: geteuid() + 1, gid: 1)
        let hung = #expect(throws: SandboxError.self) {
            try PathResolver(execPath: helper("stops", "kill -STOP $$"), user: other, patience: 0.3).resolve(["/usr"])
        }
        #expect(hung?.code == .badProfile && hung?.isTransient == true)
        #expect(hung?.description.hasPrefix("sandbox paths: they were not followed within 1 s") == true)
        let long = #expect(throws: SandboxError.self) {
            try PathResolver(execPath: helper("talks", "yes"), user: other, patience: 50).resolve(["/usr"])
        }
        #expect(long?.code == .badProfile && long?.isTransient == false)
        #expect(long?.message == "what they lead to takes more than 2097152 bytes")
    }

    /// Whoever follows it: the name could end a line wherever it is told.
    @Test func aPathThatLeadsToControlCharactersIsRefused() throws {
        let target = fixture.root + "/Y\nok 1 2 d "
        try #require(mkdir(target, 0o755) == 0 && symlink(target, fixture.workdir + "/link") == 0)
        var profile = fixture.profile()
        profile.readOnly = [fixture.workdir + "/link"]
        let resolver = PathResolver(execPath: Fixture.execPath)
        let error = #expect(throws: SandboxError.self) { try ResolvedProfile(profile, resolver: resolver) }
        #expect(error?.code == .badProfile && error?.message.contains("printable characters") == true)
    }

    /// To Swift these two are one name, to the kernel they are not.
    @Test func namesThatLookAlikeAreTwo() throws {
        let (composed, decomposed) = ("\(fixture.root)/\u{E9}", "\(fixture.root)/e\u{301}")
        for path in [composed, decomposed] { try #require(mkdir(path, 0o755) == 0) }
        var profile = fixture.profile()
        profile.readOnly = [composed]
        profile.readWrite = [decomposed]
        let resolved = try ResolvedProfile(profile, resolver: PathResolver(execPath: Fixture.execPath))
        let writable = resolved.binds.filter(\.writable).map { Array($0.target.path.utf8) }
        #expect(Set(writable) == [Array(decomposed.utf8), Array(fixture.workdir.utf8)])
        #expect(resolved.binds.count == 3)
        #expect(!ResolvedPath.path(composed + "/x", isInside: decomposed))
        #expect(ResolvedPath.path("/a/\u{301}x", isInside: "/a") && !ResolvedPath.path("/ab", isInside: "/a"))
        #expect(ResolvedPath.path("/a", isInside: "/a") && ResolvedPath.path("/a", isInside: "/"))
    }
}
