import Carbon
import JobAPI
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
        } catch {
            let place = policy.site.zone.source.map { "\($0.place): " } ?? ""
            throw DaemonError(stage: "policy", message: place + error.message, hint: error.hint)
        }
    }

    /// One sentence on where the grams come from.
    var note: String { "carbon: \(intensity), \(source); \(pueText)" }
}
