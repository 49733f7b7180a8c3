import Glibc
import LinuxSystem
import Testing

@testable import Sandbox

/// Who decides what a path of the policy leads to.
struct TrustedPathTests {
    let fixture: Fixture
    var root: String { fixture.root }

    init() throws {
        fixture = try Fixture()
        for name in ["/a", "/a/b", "/open", "/sticky"] { mkdir(root + name, 0o755) }
        chmod(root + "/open", 0o777)
        chmod(root + "/sticky", 0o1777)
    }

    @Test(arguments: [
        ("b", "/a/link"), ("../work", "/a/link"), ("../../", "/a/b/link"), ("/usr", "/a/link"), ("link2", "/a/link"),
    ])
    func ownLinksAreFollowed(target: String, link: String) {
        #expect(symlink("b", root + "/a/link2") == 0)
        #expect(symlink(target, root + link) == 0)
        #expect(TrustedPath.problem(of: root + link) == nil)
    }

    @Test func plainDirectoriesAreFine() {
        #expect(TrustedPath.problem(of: root + "/a/b") == nil)
        #expect(TrustedPath.problem(of: "/usr/bin") == nil)
        #expect(TrustedPath.problem(of: "/") == nil)
    }

    @Test func whereAllMayWriteNothingIsSure() {
        mkdir(root + "/open/x", 0o755)
        let problem = "can be exchanged by all who may write to \(root)/open"
        #expect(TrustedPath.problem(of: root + "/open/x") == problem)
        // Nor at the end of a link that is our own.
        #expect(symlink("../open/x", root + "/a/link") == 0)
        #expect(TrustedPath.problem(of: root + "/a/link") == problem)
        // In a sticky directory the entry's owner alone can exchange it.
        mkdir(root + "/sticky/x", 0o755)
        #expect(TrustedPath.problem(of: root + "/sticky/x") == nil)
    }

    @Test(.enabled(if: Fixture.isRoot, "only root can give a file away"))
    func anothersDirectoryIsAnothersWord() {
        mkdir(root + "/theirs", 0o755)
        mkdir(root + "/theirs/x", 0o755)
        mkdir(root + "/sticky/x", 0o755)
        for name in ["/theirs", "/sticky/x"] { chown(root + name, 65534, 65534) }
        #expect(TrustedPath.problem(of: root + "/theirs/x") == "can be exchanged by the owner of \(root)/theirs")
        #expect(
            TrustedPath.problem(of: root + "/sticky/x") == "can be exchanged by all who may write to \(root)/sticky")
        // The last directory may be anybody's: only its way is asked for.
        #expect(TrustedPath.problem(of: root + "/theirs") == nil)
    }

    @Test(arguments: ["b/../b", "/usr/../etc", "../a/../a"])
    func aLinkWhoseTextDoesNotTellIsNotFollowed(target: String) {
        #expect(symlink(target, root + "/a/link") == 0)
        #expect(TrustedPath.problem(of: root + "/a/link") == "leads through a link with \"..\" in it")
    }

    @Test func circlesEnd() {
        #expect(symlink("two", root + "/a/one") == 0)
        #expect(symlink("one", root + "/a/two") == 0)
        #expect(TrustedPath.problem(of: root + "/a/one") == "leads through too many links")
    }

    @Test func whatIsNotThereIsNotTrusted() {
        #expect(TrustedPath.problem(of: root + "/no/such")?.hasPrefix("cannot be looked at: \(root)/no") == true)
    }

    @Test func thePlacesOfThePolicyAreCompared() throws {
        func target(_ path: String) throws -> ResolvedPath { try PathResolver.resolveHere(root + path).get() }
        #expect(AllowedTrees(nil, home: nil).contains(try target("/a")))
        #expect(AllowedTrees(["/"], home: nil).contains(try target("/a")))
        #expect(!AllowedTrees([], home: nil).contains(try target("/a")))
        #expect(AllowedTrees([root + "/a/"], home: nil).contains(try target("/a/b")))
        #expect(!AllowedTrees([root + "/a/b"], home: nil).contains(try target("/a")))
        #expect(AllowedTrees(["~"], home: root + "/a").contains(try target("/a/b")))
        #expect(!AllowedTrees(["~"], home: nil).contains(try target("/a")))
        // The admin's link stands for what it leads to.
        #expect(symlink("a", root + "/link") == 0)
        #expect(AllowedTrees([root + "/link"], home: nil).contains(try target("/a/b")))
        // In an open directory it could be anybody's.
        #expect(symlink("../a", root + "/open/link") == 0)
        #expect(!AllowedTrees([root + "/open/link"], home: nil).contains(try target("/a/b")))
    }
}
