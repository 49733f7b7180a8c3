package import JobAPI

/// Why a call to the daemon gave no answer.
package enum ClientError: Error, Hashable, Sendable {
    /// Nobody listens on the socket, or it may not be opened.
    case unreachable(socket: String, cause: String)
    /// As many wait on the socket as fit.
    case busy(socket: String)
    /// The daemon took longer than allowed.
    case timeout(call: String, after: Duration)
    /// The daemon answered with an error of its own.
    case refused(APIError)
    /// The answer is larger than a client is willing to hold.
    case tooLarge(call: String, limit: Int)
    /// The answer is not what the API promises.
    case malformed(call: String, cause: String)
    /// The connection broke before the answer was whole.
    case broken(call: String, cause: String)
}

extension ClientError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .unreachable(let socket, let cause):
            """
            cannot reach the mld daemon on \(socket): \(cause)
            hint: start it with "systemctl start mld", or run "mld" for a daemon of your own (user mode), \
            or set MLD_SOCKET (or --socket) to where it listens
            """
        case .busy(let socket): "more clients wait on \(socket) than fit; is the daemon well? systemctl status mld"
        case .timeout(let call, let after):
            "the daemon did not answer \(call) within \(after.components.seconds) s" + Self.doubt(call)
        case .refused(let error): error.description
        case .tooLarge(let call, let limit):
            "the answer to \(call) is larger than \(limit) bytes; ask for less (logs: --tail BYTES)"
        case .malformed(let call, let cause): "the answer to \(call) is not understood: \(cause)"
        case .broken(let call, let cause): "the connection broke during \(call): \(cause)" + Self.doubt(call)
        }
    }

    /// Where no answer came nobody knows whether a submission was taken.
    private static func doubt(_ call: String) -> String {
        call == "POST /v1/jobs" ? "; the job may have been accepted all the same: see mlctl list" : ""
    }
}
