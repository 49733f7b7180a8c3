/// Turns the processes on the cards into what each account used of them.
///
/// A process that has ended cannot be looked up any more, though it was on the card in the interval that ends now: whose it
/// was is remembered for as long as samples tell of it.
package struct GPUTenants: Sendable {
    private var known: [Int32: Account] = [:]

    package init() {}

    /// The usages with the use of the cards added.
    ///
    /// - Parameters:
    ///   - samples: of all domains in the interval; those without processes are left alone.
    ///   - account: whose process it is; nil for one that is not there (any more). What belongs to none of the accounts in
    ///     `usages` is the system's.
    package mutating func adding(
        _ samples: [DomainSample], to usages: [Usage], account: (Int32) -> Account?
    ) -> [Usage] {
        // Without a reading nobody has left.
        guard samples.contains(where: { $0.processes != nil }) else { return usages }
        let valid = Set(usages.map(\.account))
        let pids = Set(samples.flatMap { $0.processes ?? [] }.map(\.pid))
        var owners: [Int32: Account] = [:]
        for pid in pids { owners[pid] = account(pid) ?? known[pid] }
        known = owners
        var result = usages
        for sample in samples {
            guard let processes = sample.processes, !processes.isEmpty else { continue }
            let uses = Self.uses(of: processes) { pid in
                owners[pid].flatMap { valid.contains($0) ? $0 : nil } ?? .system
            }
            for (account, use) in uses {
                guard let index = result.firstIndex(where: { $0.account == account }) else {
                    result.append(Usage(account: account, cpuSeconds: 0, gpus: [sample.domain: use]))
                    continue
                }
                result[index].gpus[sample.domain] = result[index].gpus[sample.domain]?.joined(use) ?? use
            }
        }
        return result
    }

    /// What each account used of one card.
    package static func uses(of processes: [ProcessUse], account: (Int32) -> Account) -> [Account: GPUUse] {
        var uses: [Account: GPUUse] = [:]
        for process in processes {
            let use = GPUUse(process).cleaned
            uses.merge([account(process.pid): use]) { $0.joined($1) }
        }
        return uses
    }
}
