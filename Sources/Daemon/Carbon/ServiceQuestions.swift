import Carbon
import Policy
import Units

/// What a service is asked at one look.
///
/// The address that tells of now alone stands for those beside it that tell of the past and of what is to come: without them
/// nothing could be planned. Any other address is asked as it is.
struct ServiceQuestions: Sendable, Hashable {
    /// Must be answered.
    var first: PlainURL
    /// Answered where the service offers them, and the token is good for them.
    var others: [PlainURL] = []

    /// - Returns: nil for an address that is none.
    init?(_ service: IntensityService, zone: String?, now: Timestamp) {
        guard let url = PlainURL(service.url) else { return nil }
        switch service.format {
        case .electricityMaps:
            func asking(_ url: PlainURL) -> PlainURL { zone.map { url.asking("zone", $0) } ?? url }
            first = asking(url)
            let latest = "/latest"
            guard url.path.hasSuffix(latest) else { return }
            let base = url.path.dropLast(latest.count)
            others = ["/history", "/forecast"].map { asking(url.with(path: base + $0)) }
        case .ukCarbonIntensity:
            first = url
            var path = url.path[...]
            while path.hasSuffix("/") { path = path.dropLast() }
            guard path.hasSuffix("/intensity") else { return }
            // `2026-11-24T08:00Z`, as this service writes times.
            let time = "\(now)".prefix(16) + "Z"
            others = ["pt24h", "fw48h"].map { url.with(path: "\(path)/\(time)/\($0)") }
        }
    }
}

extension IntensityService.Format {
    /// How the service's answers are read.
    var signalFormat: SignalFormat {
        switch self {
        case .electricityMaps: .electricityMaps
        case .ukCarbonIntensity: .ukCarbonIntensity
        }
    }

    /// As it is named in reports.
    var serviceName: String {
        switch self {
        case .electricityMaps: "Electricity Maps"
        case .ukCarbonIntensity: "Carbon Intensity API"
        }
    }
}
