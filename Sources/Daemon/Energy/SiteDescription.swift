import Carbon
import Units

/// What reports say about where carbon figures come from.
struct SiteDescription: Sendable {
    var intensity: Double
    var carbonSource: String
    var pue: Double
    var notes: [String]
}
