/// Walks over `--name value` options up to `--`; what follows is the command.
struct OptionReader {
    private var rest: ArraySlice<String>

    init(_ arguments: ArraySlice<String>) {
        rest = arguments
    }

    /// The next option's name, or nil at the `--` (or at the end).
    mutating func next() throws(Failure) -> String? {
        guard let word = rest.popFirst() else { return nil }
        if word == "--" { return nil }
        guard word.hasPrefix("--") else { throw Failure(status: 2, "unexpected \"\(word)\"") }
        return word
    }

    mutating func value(of option: String) throws(Failure) -> String {
        guard let word = rest.popFirst() else { throw Failure(status: 2, "\(option) needs a value") }
        return word
    }

    mutating func number<Number: FixedWidthInteger>(
        of option: String, as: Number.Type = Number.self, atLeast least: Number = 0
    ) throws(Failure) -> Number {
        let word = try value(of: option)
        guard let number = Number(word), number >= least else {
            throw Failure(status: 2, "\(option) \(word): not a number from \(least)")
        }
        return number
    }

    /// Seconds, up to a thousand years.
    mutating func seconds(of option: String) throws(Failure) -> Double {
        let word = try value(of: option)
        guard let seconds = Double(word), seconds >= 0, seconds < 3.2e10 else {
            throw Failure(status: 2, "\(option) \(word): not a number of seconds")
        }
        return seconds
    }

    /// Everything after the `--`.
    func command() throws(Failure) -> [String] {
        guard !rest.isEmpty else { throw Failure(status: 2, "a command is needed after --") }
        return Array(rest)
    }

    static func unknown(_ option: String) -> Failure { Failure(status: 2, "unknown option \(option)") }
}

/// Whom to become.
struct User {
    var uid: UInt32
    var gid: UInt32
    var groups: [UInt32]

    /// Reads `--uid`, `--gid` and `--groups`, which belong together.
    struct Options {
        var uid: UInt32?
        var gid: UInt32?
        var groups: [UInt32] = []

        /// Takes the option if it is one of the three.
        mutating func take(_ option: String, from reader: inout OptionReader) throws(Failure) -> Bool {
            switch option {
            case "--uid": uid = try reader.number(of: option)
            case "--gid": gid = try reader.number(of: option)
            case "--groups":
                groups = []
                for word in try reader.value(of: option).split(separator: ",") {
                    guard let group = UInt32(word) else {
                        throw Failure(status: 2, "--groups: \"\(word)\" is not a group number")
                    }
                    groups.append(group)
                }
            default: return false
            }
            return true
        }

        func user() throws(Failure) -> User? {
            switch (uid, gid) {
            case (let uid?, let gid?): return User(uid: uid, gid: gid, groups: groups)
            case (nil, nil): return nil
            default: throw Failure(status: 2, "--uid and --gid go together")
            }
        }
    }
}
