import CSystemd
import Glibc

/// What we tell systemd and what it hands us. Every call is a no-op when systemd did not start us.
package enum ServiceManager {
    /// The service answers requests.
    package static func ready(status: String) { sd_notify(0, "READY=1\nSTATUS=\(status)") }

    package static func stopping() { sd_notify(0, "STOPPING=1\nSTATUS=Stopping; running jobs go on") }

    /// The first socket systemd passed us, or nil when it passed none.
    package static func inheritedSocket() -> Int32? {
        // 1: forget the variables, so that no job inherits them.
        let count = sd_listen_fds(1)
        return count > 0 ? 3 : nil
    }
}
