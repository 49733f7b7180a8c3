import Metering
import Units

extension EnergyMeter {
    /// What the machine draws while it idles: of the meters of which that is known, and which these others are.
    func idlePower() -> (known: Power?, unknown: [String]) {
        var watts = 0.0
        var unknown: [String] = []
        let domains = counted
        for domain in domains {
            if let power = domain.idlePower ?? baseline.power(of: domain.domain) {
                watts += power.watts
            } else {
                unknown.append(domain.domain)
            }
        }
        return (unknown.count == domains.count ? nil : Power(watts: watts), unknown)
    }
}
