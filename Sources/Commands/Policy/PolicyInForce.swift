import JobAPI
import JobClient
import Policy

/// The policy that a new one is compared with where nobody names another: the daemon's, else the built-in one.
struct PolicyInForce {
    var name: String
    var policy: PolicySet
    /// Which it is, or why it is not the daemon's.
    var note: String

    init(_ global: GlobalOptions, in context: Context) async throws {
        let texts: PolicyTexts
        do {
            texts = try await global.withClient(context) { try await $0.policyTexts() }
        } catch let error as ClientError {
            policy = .builtIn
            name = "built-in"
            // Its hint is about starting a daemon, which this does not need.
            let cause =
                if case .unreachable(let socket, _) = error { "no daemon answers on \(socket)" } else { "\(error)" }
            note = "compared with the built-in policy: \(cause); --against FILE names another"
            return
        }
        do {
            policy = try loadPolicy(texts.files.map { (name: $0.name, text: $0.text) })
        } catch let failure as Failure {
            throw Failure.failed("the policy in force: \(failure.message); --against FILE names another")
        }
        name = "in force"
        let files = texts.files.isEmpty ? "the built-in policy" : texts.files.map(\.name).joined(separator: ", ")
        note = "in force: \(files) (\(texts.hash.prefix(12)))"
    }
}
