import CSystemd
import Glibc

/// What we tell systemd and what it hands us. Every call is a no-op when systemd did not start us.
package enum ServiceManager {
    /// The service answers requests.
    package static func ready(status: String) { sd_notify(0, "READY=1\nSTATUS=\(status)") }

    package static func stopping() { sd_notify(0, "STOPPING=1\nSTATUS=Stopping; running jobs go on") }

    /// We live and do our work.
    package static func alive() { sd_notify(0, "WATCHDOG=1") }

    /// In which time systemd wants to hear that we live (`WatchdogSec=`); nil where it does not watch.
    package static func watchdogInterval() -> Duration? {
        var microseconds: UInt64 = 0
        // 1: forget the variables; they are for nobody else.
        guard sd_watchdog_enabled(1, &microseconds) > 0, microseconds > 0 else { return nil }
        return .microseconds(Int64(clamping: microseconds))
    }

    /// The socket systemd passed us, or nil when it passed none.
    /// - Throws: for something else than one listening Unix socket: what its unit says is not for us.
    package static func inheritedSocket() throws(LinuxError) -> Int32? {
        // 1: forget the variables, so that no job inherits them.
        let count = sd_listen_fds(1)
        guard count != 0 else { return nil }
        guard count == 1, sd_is_socket_unix(3, Int32(SOCK_STREAM.rawValue), 1, nil, 0) > 0 else {
            throw LinuxError(
                "take the socket from systemd", path: nil,
                message: count < 0
                    ? String(cString: strerror(-count))
                    : "\(count) descriptors were passed; mld takes one listening Unix socket (ListenStream=)")
        }
        return 3
    }
}
