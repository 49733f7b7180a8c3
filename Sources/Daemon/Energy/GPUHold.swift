import Metering

extension EnergyMeter {
    /// What a job was given of cards.
    struct GPUHold: Sendable, Hashable {
        /// The power domains of the cards that it has alone.
        var alone: Set<String> = []
        /// Of those that it shares, the part of each that is its own by the memory it declared, from 0 to 1.
        var parts: [String: Double] = [:]
        /// The memory of each that it declared, in bytes; nil for all there is.
        var declared: Int64?
    }
}

extension EnergyMeter.Tracked {
    /// Of cards that it has alone it pays whatever nobody else's process does on them, and for their idling; of others' idling its part.
    var ownedGPUs: [String: GPUUse] {
        var uses: [String: GPUUse] = [:]
        for domain in gpus.alone { uses[domain] = GPUUse(isOwner: true) }
        for (domain, part) in gpus.parts { uses[domain] = GPUUse(grantedShare: part) }
        return uses
    }
}
