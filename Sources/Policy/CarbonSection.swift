import JobAPI
package import Units

/// Where the carbon intensity of the grid comes from.
package enum IntensitySource: Hashable, Sendable {
    /// The built-in yearly mean of the zone.
    case table
    /// A time series on disk.
    case file(String)
    /// A service that is asked again and again.
    case service(IntensityService)

    /// Whether it says how the intensity changes over the day.
    package var isSeries: Bool { self != .table }
}

/// A service that tells the grid's intensity.
package struct IntensityService: Hashable, Sendable {
    /// What the answers look like.
    package enum Format: String, CaseIterable, Sendable {
        case electricityMaps = "electricity-maps"
        case ukCarbonIntensity = "uk-carbon-intensity"
    }

    package var url: String
    package var format: Format
    /// The service's own name of the zone; nil for `site.zone`.
    package var zone: String?
    /// A file that holds the token to be sent, which itself must not stand in a policy: every user can read that.
    package var tokenFile: String?
}

/// What a kilowatt hour costs here.
package enum PriceSource: Hashable, Sendable {
    case constant(EnergyPrice)
    /// A time series on disk, in units of the currency per kWh; and what is paid where it tells nothing.
    case file(String, currency: String, fallback: EnergyPrice? = nil)

    package var currency: String {
        switch self {
        case .constant(let price): price.currency
        case .file(_, let currency, _): currency
        }
    }

    package var isSeries: Bool { if case .file = self { true } else { false } }
}

extension PolicySet {
    package struct Carbon: Hashable, Sendable {
        package var source = Setting(IntensitySource.table)
        /// Nil when nobody said: then nothing costs money.
        package var price = Setting<PriceSource?>(nil)
        /// How often sources are read again.
        package var refresh = Setting(Duration.seconds(900))
        /// A figure older than this counts as not known.
        package var staleAfter = Setting(Duration.seconds(7200))

        package init() {}
    }

    /// The lines of `[carbon]` in ``report()``.
    var carbonLines: [PolicyReport.Line] {
        let (source, price) = (carbon.source, carbon.price)
        var kind = "table"
        var file: String?
        var service: IntensityService?
        switch source.value {
        case .table: break
        case .file(let path): (kind, file) = ("file", path)
        case .service(let value): (kind, service) = ("url", value)
        }
        func part(_ key: String, _ value: String?) -> PolicyReport.Line {
            .init(
                key: "carbon." + key, value: value ?? "not set",
                source: (key.hasPrefix("price") ? price.place : source.place))
        }
        func priceParts(_ file: String?, _ currency: String?, _ fallback: EnergyPrice?) -> [PolicyReport.Line] {
            [
                part("price.file", file), part("price.currency", currency),
                part("price.fallback", fallback.map { "\($0)" }),
            ]
        }
        var lines = [
            part("source", kind), part("source.file", file), part("source.url", service?.url),
            part("source.format", service?.format.rawValue), part("source.zone", service?.zone),
            part("source.token-file", service?.tokenFile),
            .init(key: "carbon.refresh", value: carbon.refresh.value.brief, source: carbon.refresh.place),
            .init(key: "carbon.stale-after", value: carbon.staleAfter.value.brief, source: carbon.staleAfter.place),
        ]
        switch price.value {
        case nil: lines += [part("price", nil)] + priceParts(nil, nil, nil)
        case .constant(let value): lines += [part("price", "\(value)")] + priceParts(nil, nil, nil)
        case .file(let path, let currency, let fallback):
            lines += [part("price", "file")] + priceParts(path, currency, fallback)
        }
        return lines
    }
}

extension PolicySet {
    /// What energy is taken to cost where no series tells: what it always costs, or the series' fallback; nil where nobody said.
    package var fallbackPrice: EnergyPrice? {
        switch carbon.price.value {
        case nil: nil
        case .constant(let price): price
        case .file(_, _, let fallback): fallback
        }
    }
}
