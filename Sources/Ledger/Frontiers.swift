import GRDB

/// How far the book is closed. Each is a minute: what lies before it is done.
struct Frontiers: Equatable {
    /// Sealed by the chain: no row of an earlier minute changes any more.
    var sealed: Minute = 0
    /// Added up to hours.
    var hours: Minute = 0
    /// Added up to days.
    var days: Minute = 0
    /// Rows of earlier minutes are dropped; their hours are there.
    var minutesKept: Minute = 0
    /// Rows of earlier hours are dropped; their days are there.
    var hoursKept: Minute = 0

    init() {}

    init(_ db: Database) throws {
        for row in try Row.fetchAll(db.cachedStatement(sql: "SELECT name, value FROM frontiers")) {
            guard let field = Self.field(row["name"]) else { continue }
            self[keyPath: field] = row["value"]
        }
    }

    func save(_ db: Database) throws {
        for name in Self.names {
            guard let field = Self.field(name) else { continue }
            try db.execute(
                sql: "INSERT OR REPLACE INTO frontiers VALUES (?, ?)", arguments: [name, self[keyPath: field]])
        }
    }

    private static let names = ["sealed", "hours", "days", "minutes-kept", "hours-kept"]

    private static func field(_ name: String) -> WritableKeyPath<Frontiers, Minute>? {
        switch name {
        case "sealed": \.sealed
        case "hours": \.hours
        case "days": \.days
        case "minutes-kept": \.minutesKept
        case "hours-kept": \.hoursKept
        default: nil
        }
    }
}
