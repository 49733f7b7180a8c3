import FoundationEssentials
import Glibc
import JobAPI
import LinuxSystem
import Logging
import Metering

/// The power limits of the hardware that this daemon sets, and what they were before: written down before the first is set, so that
/// a daemon that was killed leaves nothing behind that the next does not undo.
actor PowerLimits {
    /// Who wants a limit. Of several the lowest holds.
    enum Holder: Hashable, Sendable {
        case cap
        case job(JobID)
    }

    private struct Journal: Codable {
        /// Of another boot the hardware has forgotten all.
        var boot: String
        /// By key, in watts.
        var before: [String: Double]
    }

    private let roots: SystemRoots
    private let path: String
    private let bootID: String
    private let logger: Logger
    /// Looked for when first needed: it may wake the cards.
    private var found: [PowerLimiter]?
    private var before: [String: Double] = [:]
    private var held: [String: [Holder: Double]] = [:]
    /// What an earlier daemon wrote down cannot be read: a limit that is in force may be one of its, and nobody knows what it was before.
    private var isLost = false

    init(roots: SystemRoots, path: String, bootID: String, logger: Logger) {
        self.roots = roots
        self.path = path
        self.bootID = bootID
        self.logger = logger
    }

    func limiters() -> [PowerLimiter] {
        if let found { return found }
        let (limiters, problems) = PowerLimiter.all(roots: roots)
        for problem in problems { logger.notice("power limit: \(problem)") }
        found = limiters
        return limiters
    }

    /// The limit in force, and the one before any was set, in watts.
    func limit(_ key: String) throws -> (now: Double, before: Double) {
        guard let limiter = limiters().first(where: { $0.key == key }) else {
            throw PowerLimitError(domain: key, message: "there is no such part any more")
        }
        let now = try limiter.limit()
        return (now, before[key] ?? now)
    }

    /// Holds a part of the machine to so many watts.
    /// - Returns: what is in force then.
    func hold(_ key: String, to watts: Double, for holder: Holder) throws -> Double {
        if isLost {
            throw PowerLimitError(
                domain: key,
                message:
                    "left as it is, for nobody can tell what it was before: \(path) cannot be read; set the limits as they"
                    + " should be, remove that file, and restart mld")
        }
        guard let limiter = limiters().first(where: { $0.key == key }) else {
            throw PowerLimitError(domain: key, message: "there is no such part any more")
        }
        if before[key] == nil {
            before[key] = try limiter.limit()
            do {
                try writeJournal()
            } catch {
                before[key] = nil
                throw error
            }
        }
        held[key, default: [:]][holder] = watts
        return try limiter.set(min(lowest(key) ?? watts, before[key] ?? watts))
    }

    /// Lets go of what somebody wanted; where nobody else does, what was before is in force again.
    func release(_ holder: Holder) {
        for key in held.keys.sorted() where held[key]?.removeValue(forKey: holder) != nil {
            if held[key]?.isEmpty == true { held[key] = nil }
            settle(key)
        }
        keepJournal()
    }

    /// Puts all back as it was.
    func releaseAll() {
        held = [:]
        for key in before.keys.sorted() { settle(key) }
        keepJournal()
    }

    /// Undoes what an earlier daemon of this boot left.
    func undoLeftovers() {
        guard access(path, F_OK) == 0 else { return }
        do {
            let journal = try JSON.decode(Journal.self, from: Data(try SystemFile.text(path, limit: 1 << 20).utf8))
            if journal.boot == bootID {
                before = journal.before.filter { $0.value.isFinite && $0.value > 0 }
                logger.notice("power limits that an earlier mld set are undone")
            }
        } catch {
            isLost = true
            return logger.warning(
                """
                cannot tell which power limits an earlier mld set: \(error); no limit is set or put back until they are set as they \
                should be, \(path) is removed, and mld is restarted
                """)
        }
        releaseAll()
    }

    private func lowest(_ key: String) -> Double? { held[key]?.values.min() }

    private func settle(_ key: String) {
        guard let original = before[key], let limiter = limiters().first(where: { $0.key == key }) else {
            return before[key] = nil
        }
        do {
            try limiter.set(min(lowest(key) ?? original, original))
            if held[key] == nil { before[key] = nil }
        } catch {
            // It stays in the journal: the next daemon tries again.
            logger.error("cannot set a power limit back: \(error)")
        }
    }

    private func keepJournal() {
        do { try writeJournal() } catch { logger.error("cannot write down which power limits are set: \(error)") }
    }

    private func writeJournal() throws {
        // It may still be mended.
        if isLost { return }
        if before.isEmpty {
            guard unlink(path) == 0 || errno == ENOENT else { throw LinuxError("unlink", path: path) }
            return
        }
        try AtomicFile.write(try JSON.text(Journal(boot: bootID, before: before)), to: path, mode: 0o600)
    }
}
