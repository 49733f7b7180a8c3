import Carbon
import ConfigFile
import JobAPI
import Ledger
import LinuxSystem
import Logging
import Policy
import Scheduling
import Units

extension JobController {
    /// Reads the policy files again and puts them in force: all of them, or none where anything is wrong with one.
    ///
    /// Jobs that wait stay where they are and run under what holds then; what a rule said of them at their submission stays said.
    /// - Parameter peer: who asks; nil for the system.
    func reload(from peer: Peer?) async throws -> PolicyReload {
        if let peer { try check(.reloadPolicy, peer) }
        guard !isReloading else { throw APIError(.conflict, "the policy is just being reloaded", hint: "try again") }
        isReloading = true
        defer {
            isReloading = false
            grid?.newsAlarm.ring()
        }
        // One intensity after the other: what the meter goes by is what the ledger was told last.
        while let pricing { _ = await pricing.value }
        let (new, text, table) = try await read(
            settings.policyDirectory, mustExist: settings.isPolicyDirectoryNamed || !policy.files.isEmpty)
        let warnings = PolicyFiles.warnings(of: new, on: machine)
        let old = policy.hash
        let result = PolicyReload(hash: new.hash, files: new.files, changed: new.hash != old, warnings: warnings)
        guard result.changed else { return result }
        let sharesChange = new.fairShare != policy.fairShare
        let now = Timestamp.now()
        let site = await siteInForce(new, table)
        let user = peer.map { User.lookup(uid: $0.uid, gid: $0.gid).name } ?? "the system"
        // What was metered until now belongs to the old one.
        await meter.flush()
        try await ledger.begin(
            ChainContext(policyHash: new.hash, factors: CarbonTable.version, version: mldVersion), now: now)
        try await ledger.putInForce(site.terms(of: new, text: text, cpus: machine.cpus), from: now)
        // Nothing below can fail.
        await meter.adopt(
            site, policyHash: new.hash,
            retention: Retention(minutes: new.keeping.minutes.value, hours: new.keeping.hours.value))
        policy = new
        lookUpSubmitters()
        scheduler.adopt(policy: new, machine: machine)
        await learnFigures()
        await grid?.adopt(new, table: table)
        PolicyFiles.tell(of: new, on: machine, logger)
        logger.notice(
            "policy reloaded",
            metadata: ["event": "policy-reloaded", "user": "\(user)", "hash": "\(new.hash.prefix(12))"])
        if sharesChange { await recountShares() }
        await boundAnew()
        await readBudgets()
        requestPlan()
        return result
    }

    /// By what is known of the grid now where the new policy asks the same source, else by the table until the new one tells.
    private func siteInForce(_ new: PolicySet, _ table: SiteCarbon) async -> SiteCarbon {
        guard let grid else { return table }
        let known = await grid.situation(now: .now(), table: table).site
        let isSameGrid = new.carbon.source.value == policy.carbon.source.value && new.site.zone == policy.site.zone
        var site = isSameGrid ? known : table
        site.energyPrice = new.carbon.price.value == policy.carbon.price.value ? known.energyPrice : new.fallbackPrice
        return site
    }

    /// Apart from the actor: files take their time.
    private nonisolated func read(
        _ directory: String, mustExist: Bool
    ) async throws -> (PolicySet, String, SiteCarbon) {
        let hint = "the policy in force stays; mend the files and reload again"
        do {
            let (policy, text) = try PolicyFiles.load(directory, mustExist: mustExist)
            return (policy, text, try SiteCarbon(policy))
        } catch let problems as ConfigProblems {
            throw APIError(
                .invalidRequest, "the policy files have problems", hint: hint, details: problems.problems)
        } catch {
            throw APIError(.invalidRequest, "the policy files cannot be used: \(error)", hint: hint)
        }
    }
}
