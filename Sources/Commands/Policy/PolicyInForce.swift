import JobAPI
import JobClient
import Policy

/// The policy that stands where nobody names one: the daemon's, else the built-in one.
struct PolicyInForce {
    var name: String
    var files: [(name: String, text: String)] = []
    var policy: PolicySet
    /// Which it is, or why it is not the daemon's.
    var note: String

    /// - Parameter option: what names another.
    init(_ global: GlobalOptions, option: String, in context: Context) async throws {
        let texts: PolicyTexts
        do {
            texts = try await global.withClient(context) { try await $0.policyTexts() }
        } catch let error as ClientError {
            policy = .builtIn
            name = "built-in"
            // Its hint is about starting a daemon, which this does not need.
            let cause =
                if case .unreachable(let socket, _) = error { "no daemon answers on \(socket)" } else { "\(error)" }
            note = "the built-in policy stands for the one in force: \(cause); \(option) FILE names another"
            return
        }
        files = texts.files.map { (name: $0.name, text: $0.text) }
        do {
            policy = try loadPolicy(files)
        } catch let failure as Failure {
            throw Failure.failed("the policy in force: \(failure.message); \(option) FILE names another")
        }
        name = "in force"
        let names = files.isEmpty ? "the built-in policy" : files.map(\.name).joined(separator: ", ")
        note = "in force: \(names) (\(texts.hash.prefix(12)))"
    }
}
