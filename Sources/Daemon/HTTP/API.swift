import Carbon
import FoundationEssentials
import Glibc
import HTTPTypes
import Hummingbird
import JobAPI
import Ledger
import LinuxSystem
import NIOCore
import Policy
import Sandbox
import Units

/// The endpoints under `/v1`; `docs/api.md` describes them.
struct API: Sendable {
    let jobs: JobController
    let meter: EnergyMeter
    let ledger: Ledger
    let auditor: Auditor
    let hub: EventHub
    let settings: Settings
    let startedAt: Timestamp

    func responder() -> RouterResponder<PeerContext> { router().buildResponder() }

    /// Each call there is, such as `GET /v1/jobs/{id}`.
    var routes: [String] { router().routes.map { "\($0.method.rawValue) \($0.path)" } }

    /// What is here stands in `docs/api.md` and `docs/openapi.json` too; a test holds the three equal.
    func router() -> Router<PeerContext> {
        let router = Router(context: PeerContext.self)
        let v1 = router.group("v1")
        v1.get("health", use: health)
        v1.post("jobs", use: submit)
        v1.post("estimate", use: estimate)
        v1.get("jobs", use: list)
        v1.get("jobs/{id}", use: show)
        v1.get("jobs/{id}/why", use: why)
        v1.post("jobs/{id}/{action}", use: act)
        v1.get("arrays/{id}", use: array)
        v1.post("arrays/{id}/{action}", use: actOnArray)
        v1.get("jobs/{id}/logs", use: logs)
        v1.get("jobs/{id}/events", use: events)
        v1.get("devices", use: devices)
        v1.get("carbon", use: carbon)
        v1.get("report", use: report)
        v1.get("audit", use: audit)
        v1.get("history", use: history)
        v1.get("policy", use: policy)
        v1.get("policy/files", use: policyFiles)
        v1.get("budgets", use: budgets)
        v1.post("budgets/{name}/grants", use: grant)
        v1.post("policy/reload", use: reloadPolicy)
        return router
    }

    // MARK: - Jobs

    private func submit(_ request: Request, _ context: PeerContext) async throws -> Response {
        let peer = try await authenticated(context)
        let buffer = try await request.body.collect(upTo: context.maxUploadSize)
        let spec = try JSON.decode(JobSpec.self, from: Data(buffer.readableBytesView))
        let submitted = try await jobs.submit(spec, key: try request.submissionKey(), from: peer)
        return try Responses.json(submitted, status: .created)
    }

    private func estimate(_ request: Request, _ context: PeerContext) async throws -> Response {
        let peer = try await authenticated(context)
        let buffer = try await request.body.collect(upTo: context.maxUploadSize)
        let spec = try JSON.decode(JobSpec.self, from: Data(buffer.readableBytesView))
        return try Responses.json(try await jobs.estimate(spec, by: try Query(request).time("by"), from: peer))
    }

    private func list(_ request: Request, _ context: PeerContext) async throws -> Response {
        let peer = try await authenticated(context)
        let query = Query(request)
        let states = try query.text("state").map { text in
            try Set(
                text.split(separator: ",").map { name in
                    guard let state = JobState(rawValue: String(name)) else {
                        let known = JobState.allCases.map(\.rawValue).joined(separator: ", ")
                        throw APIError(.invalidRequest, "unknown state \"\(name.prefix(40))\"", hint: "one of \(known)")
                    }
                    return state
                })
        }
        let user = query.text("user")
        let limit = try query.integer("limit")
        if states != nil || limit != nil {
            return try Responses.json(
                try await jobs.list(states: states, user: user, limit: limit ?? 10_000, for: peer))
        }
        // By default: everything that goes on, and the last that ended.
        let active = Set(JobState.allCases.filter { !$0.isFinal })
        let going = try await jobs.list(states: active, user: user, limit: 10_000, for: peer)
        let ended = try await jobs.list(
            states: Set(JobState.allCases.filter(\.isFinal)), user: user, limit: 20, for: peer)
        return try Responses.json(JobList(jobs: (going.jobs + ended.jobs).sorted { $0.id > $1.id }))
    }

    private func show(_ request: Request, _ context: PeerContext) async throws -> Response {
        let peer = try await authenticated(context)
        return try Responses.json(try await jobs.detail(try await id(context), for: peer))
    }

    private func why(_ request: Request, _ context: PeerContext) async throws -> Response {
        let peer = try await authenticated(context)
        return try Responses.json(try await jobs.explain(try await id(context), for: peer))
    }

    private func act(_ request: Request, _ context: PeerContext) async throws -> Response {
        let peer = try await authenticated(context)
        let action = try action(context)
        return try Responses.json(try await jobs.act(action, on: try await id(context), from: peer))
    }

    private func array(_ request: Request, _ context: PeerContext) async throws -> Response {
        let peer = try await authenticated(context)
        let limit = try Query(request).integer("limit") ?? 1000
        return try Responses.json(try await jobs.array(try arrayID(context), limit: limit, for: peer))
    }

    private func actOnArray(_ request: Request, _ context: PeerContext) async throws -> Response {
        let peer = try await authenticated(context)
        let action = try action(context)
        return try Responses.json(try await jobs.act(action, onArray: try arrayID(context), from: peer))
    }

    private func action(_ context: PeerContext) throws -> JobAction {
        let name = context.parameters.get("action") ?? ""
        guard let action = JobAction(rawValue: name) else {
            let known = JobAction.allCases.map(\.rawValue).joined(separator: ", ")
            throw APIError(.notFound, "nothing called \"\(name.prefix(40))\" is done to a job", hint: "one of \(known)")
        }
        return action
    }

    /// What the job wrote so far, as plain text; only for its owner and admins.
    private func logs(_ request: Request, _ context: PeerContext) async throws -> Response {
        let directory = try await readable(request, context)
        let query = Query(request)
        let stream = query.text("stream") ?? "all"
        let paths: [String] =
            switch stream {
            case "stdout": [directory.stdout]
            case "stderr": [directory.stderr]
            case "all": [directory.stdout, directory.stderr]
            default: throw APIError(.invalidRequest, "\"stream\" is stdout, stderr or all")
            }
        let tail = try query.integer("tail")
        return Response(
            status: .ok, headers: [.contentType: "text/plain; charset=utf-8"],
            body: .init { writer in
                for path in paths {
                    var log = LogTail(path: path)
                    if let tail { log.skipToLast(tail) } else { log.skipToFirst() }
                    while true {
                        let piece = log.read(limit: 64 << 10)
                        if piece.missing > 0 {
                            let text = "mld: \(piece.missing) bytes are gone from the log\n"
                            try await writer.write(ByteBuffer(string: text))
                        }
                        if piece.bytes.isEmpty { break }
                        try await writer.write(ByteBuffer(bytes: piece.bytes))
                    }
                }
                try await writer.finish(nil)
            })
    }

    private func events(_ request: Request, _ context: PeerContext) async throws -> Response {
        let directory = try await readable(request, context)
        let id = try await id(context)
        let query = Query(request)
        var logs = JobFollower.Logs.none
        if query.text("logs") == "true" {
            logs = query.text("from") == "now" ? .fromNow : .fromStart
            if let text = HTTPField.Name("Last-Event-ID").flatMap({ request.headers[$0] }), !text.isEmpty {
                guard let position = LogPosition(text) else {
                    throw APIError(
                        .invalidRequest, "\"Last-Event-ID\" is not one of this daemon's: \"\(text.prefix(40))\"")
                }
                logs = .from(position)
            }
        }
        let follower = JobFollower(id: id, hub: hub, directory: directory, logs: logs)
        return Responses.events { emit in
            try await follower.run(current: { try await jobs.record(id) }, emit: emit)
        }
    }

    // MARK: - Machine and ledger

    private func health(_ request: Request, _ context: PeerContext) async throws -> Response {
        let peer = try await context.peer()
        return try Responses.json(
            Health(
                version: mldVersion, mode: settings.isSystemMode ? "system" : "user", pid: getpid(), since: startedAt,
                stateDirectory: settings.stateDirectory, peerUid: peer.uid))
    }

    private func devices(_ request: Request, _ context: PeerContext) async throws -> Response {
        _ = try await authenticated(context)
        await meter.refresh()
        let site = await meter.site
        return try Responses.json(
            DeviceReport(
                devices: await jobs.devices(), meters: await meter.descriptions(),
                carbonIntensityGPerKwh: site.intensity.gramsPerKilowattHour, carbonSource: site.source, pue: site.pue,
                signals: await gridReport().signals, power: await jobs.powerReport()))
    }

    private func carbon(_ request: Request, _ context: PeerContext) async throws -> Response {
        _ = try await authenticated(context)
        return try Responses.json(await gridReport())
    }

    private func gridReport() async -> GridReport {
        await jobs.grid?.report(now: .now()) ?? GridReport(signals: [])
    }

    private func report(_ request: Request, _ context: PeerContext) async throws -> Response {
        let peer = try await authenticated(context)
        let query = Query(request)
        let grouping = try query.choice("by", ReportGrouping.self)
        let basis = try query.choice("basis", BillingBasis.self)
        let standard = await jobs.billingBasis
        await meter.flush()
        // Others' energy is for those who may see their jobs; everybody sees their own.
        let seesOthers = await jobs.may(.seeOthers, peer)
        if let id = try query.text("job").map(jobID), try await ledger.job(id) == nil {
            throw APIError(.notFound, "there is no job \(id)", hint: "mlctl list shows the jobs there are")
        }
        let history = try await ledger.history(now: .now())
        var report = try await ledger.report(
            ReportQuery(
                since: try query.time("since") ?? history.since, until: try query.time("until") ?? history.until,
                by: grouping ?? .job, job: try query.text("job").map(jobID),
                user: seesOthers ? nil : User.lookup(uid: peer.uid, gid: peer.gid).name,
                basis: basis ?? standard))
        let meters = await meter.descriptions().filter { $0.powerW != nil }
        let site = await meter.site
        report.notes =
            meters.map { "\($0.domain): \($0.source) (\($0.tier.rawValue))" } + [site.note] + report.notes
        return try Responses.json(report)
    }

    /// For admins: it shows what was sealed of everybody's jobs.
    private func audit(_ request: Request, _ context: PeerContext) async throws -> Response {
        let peer = try await authenticated(context)
        guard await jobs.isAdmin(peer) else {
            throw APIError(.forbidden, "only an admin may audit the ledger", hint: "ask one of [access] admins")
        }
        await meter.flush()
        return try Responses.json(try await auditor.audit())
    }

    private func policy(_ request: Request, _ context: PeerContext) async throws -> Response {
        _ = try await authenticated(context)
        return try Responses.json(await jobs.policyReport())
    }

    private func budgets(_ request: Request, _ context: PeerContext) async throws -> Response {
        _ = try await authenticated(context)
        return try Responses.json(await jobs.budgetReport())
    }

    private func grant(_ request: Request, _ context: PeerContext) async throws -> Response {
        let peer = try await authenticated(context)
        let buffer = try await request.body.collect(upTo: 16 << 10)
        let grant = try JSON.decode(BudgetGrantRequest.self, from: Data(buffer.readableBytesView))
        let name = context.parameters.get("name") ?? ""
        return try Responses.json(
            try await jobs.grant(grant, to: name, from: peer), status: .created)
    }

    private func reloadPolicy(_ request: Request, _ context: PeerContext) async throws -> Response {
        try Responses.json(try await jobs.reload(from: try await authenticated(context)))
    }

    // MARK: - Who and what

    /// In user mode the daemon serves its own user (and root), whatever the socket's mode became.
    func authenticated(_ context: PeerContext) async throws -> Peer {
        let peer = try await context.peer()
        if !settings.isSystemMode, peer.uid != geteuid(), peer.uid != 0 {
            throw APIError(.forbidden, "this mld serves uid \(geteuid()) only", hint: "use the machine's mld")
        }
        switch try jobs.launcher.isJob(peer.pid) {
        case true?: throw APIError(.forbidden, "a job may not act as its user", hint: "submit from outside of jobs")
        // What was looked at is what connected, and not a later process of the same number.
        case false? where try await !context.peerHasEnded(peer): return peer
        default:
            throw APIError(
                .forbidden,
                "mld cannot tell whether a job asks: process \(peer.pid), which opened the connection, has ended or is not shown"
                    + " by /proc", hint: "the process that connects has to stay until it is answered")
        }
    }

    /// The job of the path, which may be an element of an array.
    private func id(_ context: PeerContext) async throws -> JobID {
        let text = context.parameters.get("id") ?? ""
        guard let reference = JobReference(text) else {
            throw APIError(.invalidRequest, "\"\(text.prefix(40))\" is not a job number, such as 42 or 42.7")
        }
        return try await jobs.resolve(reference)
    }

    private func arrayID(_ context: PeerContext) throws -> JobID { try jobID(context.parameters.get("id") ?? "") }

    private func jobID(_ text: String) throws -> JobID {
        guard let id = JobID(text) else {
            throw APIError(.invalidRequest, "\"\(text.prefix(40))\" is not a job number")
        }
        return id
    }

    /// The job's directory, if the peer may read what the job wrote.
    private func readable(_ request: Request, _ context: PeerContext) async throws -> JobDirectory {
        let peer = try await authenticated(context)
        let job = try await jobs.record(try await id(context))
        try await jobs.authorise(peer, on: job, to: "read")
        return await jobs.directory(job.id)
    }
}
