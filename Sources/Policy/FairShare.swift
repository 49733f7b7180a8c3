import ConfigFile
import JobAPI
import Units

extension PolicySet {
    /// Whoever has used more than their share lately waits behind those who have used less.
    package struct FairShare: Hashable, Sendable {
        /// What is counted.
        package enum Measure: String, CaseIterable, Sendable {
            case energy
            case cpuTime = "cpu-time"
            case carbon
        }

        /// Between whom.
        package enum Accounts: String, CaseIterable, Sendable {
            case users, projects
        }

        /// After this long, use counts half.
        package var halfLife = Setting(Duration.seconds(7 * 86_400))
        package var by = Setting(Measure.energy)
        package var accounts = Setting(Accounts.users)
        /// By name, in the order they were first written; those not here weigh 1.
        package var weights: [Weight] = []
        /// The points of priority an account loses for each time it has used its share; 0 is no fair share.
        package var strength = Setting(0)

        package init() {}

        package struct Weight: Hashable, Sendable {
            package var account: String
            package var weight: Setting<Double>
        }

        package var isOn: Bool { strength.value > 0 }

        package func weight(of account: String) -> Double {
            weights.first { $0.account == account }?.weight.value ?? 1
        }

        /// Whose use a job of `user` in `project` is.
        package func account(user: String, project: String) -> String {
            accounts.value == .users ? user : project
        }
    }
}

extension PolicyLoader {
    /// Lays a file's `[fair-share]` over what there is, weights one by one.
    mutating func addFairShare(_ reader: ConfigReader) {
        guard let section = reader.table("fair-share") else { return }
        let life = within(.seconds(3600), .seconds(31_557_600), "half-life", section)
        assign(section, "half-life", life, &set.fairShare.halfLife)
        assign(section, "by", section.choice("by"), &set.fairShare.by)
        assign(section, "accounts", section.choice("accounts"), &set.fairShare.accounts)
        assign(section, "strength", section.integer("strength", in: 0...10_000), &set.fairShare.strength)
        if let weights = section.table("weights") {
            for name in weights.table.keys {
                checkAccount(name, weights)
                guard let value = weights.number(name, in: 0.001...1000) else { continue }
                let weight = Setting(value, source: weights.reference("fair-share.weights.\(name)", at: name))
                if let index = set.fairShare.weights.firstIndex(where: { $0.account == name }) {
                    set.fairShare.weights[index].weight = weight
                } else {
                    set.fairShare.weights.append(.init(account: name, weight: weight))
                }
            }
        }
        section.finish()
    }

    private func checkAccount(_ name: String, _ reader: ConfigReader) {
        let isPlain = name.unicodeScalars.allSatisfy { $0.value > 0x20 && !(0x7F...0x9F).contains($0.value) }
        if !isPlain || !(1...64).contains(name.utf8.count) {
            reader.report(
                name, "\"\(printable(name))\" in [fair-share.weights] is not the name of a user or project",
                hint: "use 1 to 64 bytes without spaces")
        }
    }
}

extension PolicySet {
    /// The lines of `[fair-share]` in ``report()``.
    var fairShareLines: [PolicyReport.Line] {
        func line<T>(_ key: String, _ setting: Setting<T>, _ value: String) -> PolicyReport.Line {
            .init(key: "fair-share.\(key)", value: value, source: setting.place)
        }
        return [
            line("half-life", fairShare.halfLife, fairShare.halfLife.value.brief),
            line("by", fairShare.by, fairShare.by.value.rawValue),
            line("accounts", fairShare.accounts, fairShare.accounts.value.rawValue),
            line("strength", fairShare.strength, "\(fairShare.strength.value)"),
        ] + fairShare.weights.map { line("weights.\($0.account)", $0.weight, significant($0.weight.value)) }
    }
}
