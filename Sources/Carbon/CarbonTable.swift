package import Units

/// Why a carbon figure cannot be had.
package struct CarbonError: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Code: String, Sendable, Hashable {
        case unknownZone = "unknown-zone"
        case badFigure = "bad-figure"
        case badSignal = "bad-signal"
    }

    package var code: Code
    package var message: String
    /// What was probably meant.
    package var hint: String?

    package init(_ code: Code, _ message: String, hint: String? = nil) {
        self.code = code
        self.message = message
        self.hint = hint
    }

    package var description: String { message + (hint.map { "; " + $0 } ?? "") }
}

/// Yearly mean carbon intensity of electricity by country: gCO2e per kWh generated, life-cycle, location-based.
///
/// Our World in Data (Ember, Energy Institute), CC BY 4.0, as condensed by CodeCarbon (MIT); `Resources/countries.csv`
/// carries the full attribution and what was changed.
package struct CarbonTable: Sendable {
    package struct Entry: Sendable, Hashable {
        /// ISO 3166-1 alpha-3, or `WORLD`.
        package var zone: String
        /// ISO 3166-1 alpha-2; empty for the world.
        package var alpha2: String
        package var name: String
        package var intensity: CarbonIntensity
        package var year: Int

        /// For reports: `Germany 2023, Our World in Data / Ember (CC BY 4.0) via CodeCarbon (MIT)`.
        package var source: String {
            "\(name) \(year), Our World in Data / Ember (CC BY 4.0) via CodeCarbon (MIT)"
        }
    }

    package let entries: [Entry]
    private let index: [String: Int]

    private static let loaded = Result { () throws(CarbonError) in
        try CarbonTable(parsing: String(decoding: PackageResources.countries_csv, as: UTF8.self))
    }

    /// The table that is built into the program; read once.
    package static func builtIn() throws(CarbonError) -> CarbonTable { try loaded.get() }

    /// The name of the built-in table and the beginning of its SHA-256: by it a figure can be traced to the table it was made
    /// with.
    package static let version =
        "countries.csv sha256:" + SHA256.hex(PackageResources.countries_csv).prefix(16)

    /// Reads `iso3,iso2,name,g_per_kwh,year` with a header line; `#` starts a comment line.
    package init(parsing text: String) throws(CarbonError) {
        var entries: [Entry] = []
        var index: [String: Int] = [:]
        let lines = text.split(separator: "\n").filter { !$0.hasPrefix("#") }
        guard lines.first == "iso3,iso2,name,g_per_kwh,year" else {
            throw CarbonError(.badFigure, "the carbon table has no header")
        }
        for line in lines.dropFirst() {
            let fields = line.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
            guard fields.count == 5, let grams = Double(fields[3]), let year = Int(fields[4]), grams > 0, grams < 5000
            else { throw CarbonError(.badFigure, "the carbon table has a bad line: \(line)") }
            let entry = Entry(
                zone: fields[0], alpha2: fields[1], name: fields[2],
                intensity: CarbonIntensity(gramsPerKilowattHour: grams), year: year)
            for key in [entry.zone, entry.alpha2, entry.name.uppercased()] where !key.isEmpty {
                index[key] = entries.count
            }
            entries.append(entry)
        }
        self.entries = entries
        self.index = index
    }

    /// The entry of a country by its two- or three-letter code or its English name, in any case; `WORLD` for the mean.
    package func lookup(zone: String) throws(CarbonError) -> Entry {
        if let found = index[zone.uppercased()] { return entries[found] }
        throw CarbonError(
            .unknownZone, "there is no carbon intensity for the zone \"\(zone.prefix(40))\"", hint: hint(for: zone))
    }

    /// The code of a country in the built-in table, else what was probably meant: for those who check a zone before it is used.
    @Sendable package static func find(_ zone: String) -> (code: String?, hint: String?) {
        do {
            let entry = try builtIn().lookup(zone: zone)
            return (entry.alpha2.isEmpty ? entry.zone : entry.alpha2, nil)
        } catch {
            return (nil, error.hint ?? error.message)
        }
    }

    private func hint(for zone: String) -> String {
        // The commonest slip, and a letter away from Ukraine.
        if zone.uppercased() == "UK" { return "did you mean \"GB\" (United Kingdom)?" }
        let country = zone.prefix { $0 != "-" }
        if country.utf8.count < zone.utf8.count, let found = index[country.uppercased()] {
            return "the table has whole countries: use \"\(country)\" (\(entries[found].name)); the part of one is for"
                + " carbon.source.zone"
        }
        let wanted = Array(zone.uppercased().utf8.prefix(40))
        var best: (entry: Entry, distance: Int)?
        for entry in entries {
            // Two-letter codes are all one letter apart; only longer words can be near.
            for candidate in [entry.zone, entry.name.uppercased()] {
                let distance = editDistance(wanted, Array(candidate.utf8))
                if distance <= max(1, candidate.utf8.count / 4), distance < best?.distance ?? .max {
                    best = (entry, distance)
                }
            }
        }
        let advice = "use an ISO 3166-1 country code such as \"DE\" or \"DEU\", or \"WORLD\""
        return best.map { "did you mean \"\($0.entry.zone)\" (\($0.entry.name))?" } ?? advice
    }
}
