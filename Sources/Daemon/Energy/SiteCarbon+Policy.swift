import Carbon
import JobAPI
import Ledger
import Policy
import Units

extension SiteCarbon {
    /// The site the policy describes.
    /// - Throws: where the policy names a zone the table does not know, with its line.
    init(_ policy: PolicySet) throws(DaemonError) {
        do {
            try self.init(
                zone: policy.site.zone.value, pue: policy.site.pue.source == nil ? nil : policy.site.pue.value,
                table: CarbonTable.builtIn())
            wue = policy.site.wue.value
            ewif = policy.site.ewif.value
            energyPrice = policy.fallbackPrice
        } catch {
            let place = policy.site.zone.source.map { "\($0.place): " } ?? ""
            throw DaemonError(stage: "policy", message: place + error.message, hint: error.hint)
        }
    }

    /// What does not depend on the grid.
    static func factors(_ policy: PolicySet, cpus: Int) -> SiteFactors {
        SiteFactors(
            cpus: cpus,
            embodied: policy.site.embodiedKg.value.map { CarbonMass(grams: $0 * 1000) },
            lifetime: policy.site.embodiedKg.value == nil ? nil : policy.site.lifetime.value,
            wue: policy.site.wue.value, ewif: policy.site.ewif.value)
    }

    /// For the ledger.
    func terms(of policy: PolicySet, text: String, cpus: Int) -> Terms {
        Terms(
            policyHash: policy.hash, policyText: text, zone: zone, intensity: intensity, pue: pue, source: source,
            factors: Self.factors(policy, cpus: cpus), price: energyPrice)
    }

    /// One sentence on where the grams come from.
    var note: String { "carbon: \(intensity), \(source); \(pueText)" }
}
