import GRDB
import JobAPI
import Units

/// Puts the spans and runs of a report into the groups that are asked for.
struct ReportGroups {
    private let grouping: ReportGrouping
    /// The group of each job, for groupings that go by the job. Others only use whether it has one.
    private var groupOfJob: JobNumbers
    private var names: [String] = []
    private var indexOfName: [String: Int32] = [:]
    /// Names of other keys that were already made: of minutes' days, of domains.
    private var indexOfKey: [Int64: Int32] = [:]
    private let domains: [Int64: String]

    /// Between a user's and a project's name. Neither can hold it.
    static let between: Character = "\n"

    /// Reads which jobs there are, or the query's only.
    init(_ db: Database, _ query: ReportQuery) throws {
        grouping = query.by
        domains = Dictionary(
            uniqueKeysWithValues: try Row.fetchAll(db, sql: "SELECT id, name FROM domains").map {
                ($0["id"], $0["name"])
            })
        let last = try Int64.fetchOne(db, sql: "SELECT MAX(id) FROM jobs") ?? 0
        let count = try Int64.fetchOne(db, sql: "SELECT COUNT(*) FROM jobs") ?? 0
        groupOfJob = JobNumbers(last: last, count: count)
        var conditions = ["id > 0"]
        var arguments = StatementArguments()
        if let job = query.job {
            conditions.append("id = ?")
            arguments += [job.number]
        }
        if let user = query.user {
            conditions.append("user = ?")
            arguments += [user]
        }
        let column =
            switch grouping {
            case .user: query.splitsProjects ? "user || char(10) || project" : "user"
            case .project: "project"
            case .queue: "queue"
            case .job, .device, .day, .month: "''"
            }
        let jobs = try Row.fetchCursor(
            db, sql: "SELECT id, \(column) FROM jobs WHERE \(conditions.joined(separator: " AND "))",
            arguments: arguments)
        while let row = try jobs.next() {
            let id: Int64 = row[0]
            switch grouping {
            case .user, .project, .queue: groupOfJob[id] = index(of: row[1])
            case .job: groupOfJob[id] = index(of: "\(id)")
            case .device, .day, .month: groupOfJob[id] = 0
            }
        }
    }

    /// Whether a job is in one group only.
    var areOfJobs: Bool {
        switch grouping {
        case .user, .project, .queue, .job: true
        case .device, .day, .month: false
        }
    }

    /// A place for each job, with nothing in it.
    var noJobs: JobNumbers { groupOfJob.cleared }

    /// The name of a group.
    func name(_ group: Int32) -> String { names[Int(group)] }

    /// By name; jobs by number, which is the order in which they were read.
    var inOrder: [Int32] {
        let all = Array(names.indices.map(Int32.init))
        return grouping == .job
            ? all : all.sorted { names[Int($0)].utf8.lexicographicallyPrecedes(names[Int($1)].utf8) }
    }

    /// Nil for a job that is not asked for.
    mutating func group(job: Int64, domain: Int64, minute: Minute) -> Int32? {
        guard let group = self.group(job: job) else { return nil }
        switch grouping {
        case .user, .project, .queue, .job: return group
        case .device:
            return index(ofKey: domain) { domains in domains[domain] ?? "?" }
        case .day, .month:
            let day = minute.floored(to: SpanLevel.day.minutes)
            let grouping = grouping
            return index(ofKey: day) { _ in Self.name(day, grouping) }
        }
    }

    /// The group of a job by itself; where groups do not go by the job, only whether it is asked for.
    func group(job: Int64) -> Int32? { groupOfJob[job] }

    /// The group of a moment of a run; devices share their runs, so that they have none.
    mutating func group(job: Int64, at microseconds: Int64) -> Int32? {
        switch grouping {
        case .device: nil
        default: group(job: job, domain: 0, minute: Timestamp(microseconds: microseconds).minute)
        }
    }

    private static func name(_ day: Minute, _ grouping: ReportGrouping) -> String {
        let name = Timestamp(microseconds: day * 60_000_000).day
        return grouping == .month ? String(name.prefix(7)) : name
    }

    private mutating func index(ofKey key: Int64, _ name: ([Int64: String]) -> String) -> Int32 {
        if let found = indexOfKey[key] { return found }
        let index = index(of: name(domains))
        indexOfKey[key] = index
        return index
    }

    private mutating func index(of name: String) -> Int32 {
        if let found = indexOfName[name] { return found }
        let index = Int32(names.count)
        names.append(name)
        indexOfName[name] = index
        return index
    }
}
