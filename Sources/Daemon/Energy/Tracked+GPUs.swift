import Metering

extension EnergyMeter.Tracked {
    /// For whatever nobody else's process does on them it pays, and for their idling.
    var ownedGPUs: [String: GPUUse] {
        Dictionary(uniqueKeysWithValues: gpus.map { ($0, GPUUse(isOwner: true)) })
    }
}
