import FoundationEssentials
import Hummingbird
import JobAPI
import Ledger
import Policy
import Units

// What the past was like, and under what policy: for programs that try another one on it.
extension API {
    /// Everybody's jobs for those who may see them; to others their own.
    func history(_ request: Request, _ context: PeerContext) async throws -> Response {
        let peer = try await authenticated(context)
        let query = Query(request)
        let after = try query.integer("after").map { JobID(Int64($0)) }
        let seesOthers = await jobs.may(.seeOthers, peer)
        let since = try query.time("since")
        let until = try query.time("until") ?? .now()
        let limit = try query.integer("limit") ?? 1000
        guard HistoryQuery.limits.contains(limit) else {
            throw APIError(.invalidRequest, "\"limit\" is \(limit); it must be from 1 to 5000")
        }
        if let since, since >= until {
            throw APIError(.invalidRequest, "\"since\" (\(since)) is not before \"until\" (\(until))")
        }
        // What just ended is on disk, but not yet all it drew.
        if after == nil { await meter.flush() }
        let found = try await ledger.history(
            HistoryQuery(since: since, until: until, uid: seesOthers ? nil : peer.uid, after: after, limit: limit))
        var page = HistoryPage(jobs: found.jobs, next: found.next, until: until, isEverybodys: seesOthers)
        if after == nil {
            let first = page.jobs.first?.submittedAt
            let intensities = try await ledger.intensities(from: since ?? first, to: until)
            guard intensities.count <= HistoryQuery.mostIntensities else {
                throw APIError(
                    .tooLarge, "the intensity changed more than \(HistoryQuery.mostIntensities) times in that period",
                    hint: "ask for a shorter one, by \"since\" and \"until\"")
            }
            page.intensities = intensities
            page.machine = await jobs.historyMachine()
        }
        return try Responses.json(page)
    }

    /// For everybody, as each setting of it is.
    func policyFiles(_ request: Request, _ context: PeerContext) async throws -> Response {
        _ = try await authenticated(context)
        return try Responses.json(await jobs.policyTexts())
    }
}

extension JobController {
    /// The machine as a replay takes it.
    func historyMachine() async -> HistoryPage.Machine {
        let idle = await meter.idlePower()
        return HistoryPage.Machine(
            cpus: machine.cpus, memoryBytes: machine.memory, gpus: machine.gpus,
            cards: machine.cards.map { .init(model: $0.model, memoryBytes: $0.memory) }, idleW: idle.known?.watts,
            idleUnknown: idle.unknown)
    }

    func policyTexts() -> PolicyTexts {
        PolicyTexts(
            hash: policy.hash, files: zip(policy.files, policy.texts).map { PolicyTexts.File(name: $0, text: $1) })
    }
}
