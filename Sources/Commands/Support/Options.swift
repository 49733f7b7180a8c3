import ArgumentParser
import Glibc
import JobAPI
import JobClient
import Units

/// Options of every verb that talks to the daemon.
struct GlobalOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The daemon's socket. Default: $MLD_SOCKET, else your own daemon's if it runs, else the system's.",
            valueName: "path"))
    var socket: String?

    func socketPath(_ context: Context) -> String {
        socket ?? Self.socketPath(environment: context.environment, uid: context.uid)
    }

    /// Where the daemon is looked for when no option says so.
    static func socketPath(environment: [String: String], uid: UInt32) -> String {
        if let path = environment["MLD_SOCKET"], !path.isEmpty { return path }
        let own = Locations.user(environment: environment, uid: uid).socket
        return access(own, F_OK) == 0 ? own : Locations.system.socket
    }
}

enum Format: String, ExpressibleByArgument, CaseIterable {
    case table, json
}

struct FormatOptions: ParsableArguments {
    @Option(help: ArgumentHelp("table for people, json for programs (snake_case keys, SI units).", valueName: "format"))
    var format = Format.table
}

extension JobID: ExpressibleByArgument {
    package init?(argument: String) { self.init(argument) }
}

extension JobReference: ExpressibleByArgument {
    package init?(argument: String) { self.init(argument) }
}

extension JobState: ExpressibleByArgument {}
extension ReportGrouping: ExpressibleByArgument {}
extension BillingBasis: ExpressibleByArgument {}
extension LogStream: ExpressibleByArgument {}

/// A moment: RFC 3339, a day, or how long ago.
struct Moment: ExpressibleByArgument {
    private enum Kind {
        case at(Timestamp)
        case ago(Duration)
    }

    private var kind: Kind

    init?(argument: String) {
        if let time = try? Timestamp(parsing: argument) {
            kind = .at(time)
        } else if let duration = try? Duration(parsing: argument) {
            kind = .ago(duration)
        } else {
            return nil
        }
    }

    func timestamp(now: Timestamp) -> Timestamp {
        switch kind {
        case .at(let time): time
        case .ago(let duration): now.advanced(by: .zero - duration)
        }
    }
}

/// A moment to come: RFC 3339, a day, or how long from now.
struct Deadline: ExpressibleByArgument {
    private enum Kind {
        case at(Timestamp)
        case inTime(Duration)
    }

    private var kind: Kind

    init?(argument: String) {
        if let time = try? Timestamp(parsing: argument) {
            kind = .at(time)
        } else if let duration = try? Duration(parsing: argument) {
            kind = .inTime(duration)
        } else {
            return nil
        }
    }

    func timestamp(now: Timestamp) -> Timestamp {
        switch kind {
        case .at(let time): time
        case .inTime(let duration): now.advanced(by: duration)
        }
    }
}
