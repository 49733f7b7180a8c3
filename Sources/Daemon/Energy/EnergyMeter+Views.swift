import JobAPI
import Metering
import Units

// What the last readings say.
extension EnergyMeter {
    var counted: [MeterDescription] { meters.descriptions.filter(\.counted) }

    /// What the machine drew by the last readings, without the parts that are not known now: at least as much. Nil where none is.
    func power() -> Power? {
        let known = counted.compactMap { lastPower[$0.domain]?.power.watts }
        return known.isEmpty ? nil : Power(watts: known.reduce(0, +))
    }

    /// What the machine draws by the last readings; nil where a table stands in for a meter, or a part is not known now: of neither
    /// can be said that it is too much.
    func measuredPower() -> Power? {
        let domains = counted
        guard !domains.isEmpty, domains.allSatisfy({ $0.tier != .table }) else { return nil }
        let known = domains.compactMap { lastPower[$0.domain]?.power.watts }
        return known.count == domains.count ? Power(watts: known.reduce(0, +)) : nil
    }

    /// What each counted domain draws with no job on it, as stated or observed; nil where that is not known yet.
    func idlePowers() -> [(domain: MeterDescription, idle: Power?)] {
        counted.map { ($0, meters.idlePower(of: $0.domain, baseline: baseline)) }
    }

    /// By domain, at the last reading.
    func domainPowers() -> [String: Double] { lastPower.mapValues { $0.power.watts } }

    func descriptions() -> [DeviceReport.Meter] {
        meters.descriptions.map { description in
            let last = lastPower[description.domain]
            return DeviceReport.Meter(
                domain: description.domain, source: description.source,
                tier: Tier(rawValue: description.tier.rawValue) ?? .gap, status: description.status,
                powerW: last?.power.watts, powerLowW: last?.low.watts, powerHighW: last?.high.watts)
        }
    }
}
