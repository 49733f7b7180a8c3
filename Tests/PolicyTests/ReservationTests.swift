import ConfigFile
import Testing
import Units

@testable import Policy

@Suite struct ReservationTests {
    private let once = """
        [reservation.paper]
        start = "2026-11-24T12:00:00Z"
        end = "2026-11-24T18:00:00Z"
        cpus = 3
        memory = "4 GiB"
        project = "nlp"
        """
    private let weekly =
        "[reservation.course]\nhour = \"08-12\"\nweekday = [\"tue\", \"thu\"]\ngpus = 1\ngroup = \"students\"\n"

    @Test func oneThatComesOnce() throws {
        let reservation = try #require(try policy(once).reservation("paper"))
        let (start, end) = (try at("2026-11-24T12:00:00Z"), try at("2026-11-24T18:00:00Z"))
        #expect(!reservation.isActive(at: tuesday) && reservation.isActive(at: start))
        #expect(!reservation.isActive(at: end))
        #expect(reservation.nextChange(after: tuesday) == start)
        #expect(reservation.nextChange(after: start) == end)
        #expect(reservation.nextChange(after: end) == nil)
        #expect(reservation.nextInterval(from: tuesday) == start..<end)
        let middle = try at("2026-11-24T15:00:00Z")
        #expect(reservation.nextInterval(from: middle) == middle..<end)
        #expect(reservation.nextInterval(from: end) == nil)
        #expect(try policy(once).pastReservations(at: end).map(\.name) == ["paper"])
        #expect(PolicyCheck.warnings(of: try policy(once), at: middle).isEmpty)
        #expect(
            PolicyCheck.verdict(files: [(name: "p.toml", text: once)], at: end).warnings.map(\.description) == [
                "p.toml:3: reservation \"paper\" is over since 2026-11-24T18:00:00Z and keeps nothing any more; remove it, or"
                    + " give it a new start and end"
            ])
        #expect(try policy(once + "\n" + weekly).pastReservations(at: middle).isEmpty)
    }

    @Test func oneThatRecurs() throws {
        let reservation = try #require(try policy(weekly).reservation("course"))
        #expect(reservation.isActive(at: tuesday))
        #expect(reservation.nextInterval(from: tuesday) == tuesday..<(try at("2026-11-24T12:00:00Z")))
        let noon = try at("2026-11-24T12:00:00Z")
        #expect(
            reservation.nextInterval(from: noon) == (try at("2026-11-26T08:00:00Z"))..<(try at("2026-11-26T12:00:00Z")))
        let whole = try policy(
            weekly.replacing("hour = \"08-12\"\n", with: "").replacing("[\"tue\", \"thu\"]", with: "\"mon-sun\""))
        #expect(whole.reservations[0].nextInterval(from: tuesday)?.upperBound.microseconds == .max)
    }

    @Test func whatIsLeftForOthers() throws {
        let set = try policy(once + "\n" + weekly + "[machine]\nreserve-cpus = 1\n")
        let noon = try at("2026-11-24T12:00:00Z")
        let others = set.usable(of: wholeMachine, for: subject(project: "cv"), at: noon)
        #expect(others.cpus == 0 && others.memory == ByteSize(bytes: 23 << 29) && others.gpus == 1)
        let theirs = set.usable(of: wholeMachine, for: subject(project: "nlp"), at: noon)
        #expect(theirs.cpus == 3 && theirs.memory == ByteSize(bytes: 31 << 29))
        #expect(set.usable(of: wholeMachine, for: subject(project: "nlp"), at: tuesday).gpus == 0)
        let student = subject(Submitter(uid: 3, user: "carol", groups: ["students"]))
        #expect(set.usable(of: wholeMachine, for: student, at: tuesday).gpus == 1)
    }

    @Test func biggerThanTheMachine() throws {
        let set = try policy(
            once.replacing("cpus = 3", with: "cpus = 5") + "\n" + weekly.replacing("gpus = 1", with: "gpus = 2"))
        let found = PolicyCheck.warnings(of: set, on: wholeMachine).map(\.description)
        #expect(
            found == [
                "p.toml:4: reservation \"paper\" keeps 5 cpus; jobs have at most 4 on this machine; keep no more than there is",
                "p.toml:10: reservation \"course\" keeps 2 gpus; jobs have at most 1 on this machine; keep no more than there is",
            ])
        #expect(PolicyCheck.warnings(of: try policy(once), on: wholeMachine).isEmpty)
        let all = try policy("[machine]\nreserve-cpus = 4\n")
        #expect(
            problems(once.replacing("4 GiB", with: "8000000 TiB")) == [
                "p.toml:5: \"reservation.paper.memory\" is 7813 PiB; it must be at most 1024 TiB"
            ])
        #expect(problems(once.replacing("4 GiB", with: "1024 TiB")).isEmpty)
        #expect(PolicyCheck.warnings(of: all, on: wholeMachine).count == 1)
    }
}
