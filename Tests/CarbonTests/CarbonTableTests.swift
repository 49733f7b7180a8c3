import Carbon
import Testing
import Units

@Suite struct CarbonTableTests {
    @Test func everyNameOfACountryFindsIt() throws {
        let table = try CarbonTable.builtIn()
        for name in ["DE", "DEU", "deu", "Germany", "germany"] {
            let entry = try table.lookup(zone: name)
            #expect(entry.zone == "DEU")
            #expect(entry.intensity.gramsPerKilowattHour == 380.95)
            #expect(entry.year == 2023)
        }
        #expect(try table.lookup(zone: "WORLD").intensity.gramsPerKilowattHour == 480.62)
        #expect(table.entries.count == 213)
        #expect(Set(table.entries.map(\.zone)).count == 213)
    }

    @Test func everyEntryIsPlausibleAndNamesItsSource() throws {
        for entry in try CarbonTable.builtIn().entries {
            #expect((15...1400).contains(entry.intensity.gramsPerKilowattHour), "\(entry.zone)")
            #expect((2009...2023).contains(entry.year))
            #expect(entry.alpha2.utf8.count == (entry.zone == "WORLD" ? 0 : 2))
            #expect(entry.source.contains("\(entry.year)") && entry.source.contains("CC BY 4.0"))
        }
    }

    @Test(arguments: [("GERMANNY", "DEU"), ("DEUU", "DEU"), ("Frnce", "FRA"), ("WRLD", "WORLD")])
    func aMisspeltZoneNamesTheNearest(zone: String, near: String) throws {
        let table = try CarbonTable.builtIn()
        let error = #expect(throws: CarbonError.self) { try table.lookup(zone: zone) }
        #expect(error?.code == .unknownZone)
        #expect(error?.hint?.contains("\"\(near)\"") == true, "\(error?.hint ?? "")")
    }

    @Test func whoChecksAZoneIsToldItsCodeOrWhatWasMeant() {
        #expect(CarbonTable.find("DEU").code == "DE" && CarbonTable.find("germany").code == "DE")
        #expect(CarbonTable.find("WORLD").code == "WORLD")
        let near = [
            ("UK", "did you mean \"GB\" (United Kingdom)?"), ("DEUU", "did you mean \"DEU\" (Germany)?"),
            ("US-CAL-CISO", "the table has whole countries: use \"US\" (United States)"),
            ("XX", "use an ISO 3166-1 country code"),
        ]
        for (zone, hint) in near {
            let found = CarbonTable.find(zone)
            #expect(found.code == nil && found.hint?.hasPrefix(hint) == true, "\(found)")
        }
    }

    @Test(arguments: ["", "XX", "the moon", "CAF"])
    func anUnknownZoneIsRefused(zone: String) throws {
        let table = try CarbonTable.builtIn()
        #expect(throws: CarbonError.self) { try table.lookup(zone: zone) }
    }

    @Test(arguments: [
        "", "iso3,iso2,name\n", "iso3,iso2,name,g_per_kwh,year\nDEU,DE,Germany,nan,2023",
        "iso3,iso2,name,g_per_kwh,year\nDEU,DE,Germany,-3,2023", "iso3,iso2,name,g_per_kwh,year\nDEU,DE,380,2023",
    ])
    func aBadTableIsRefused(text: String) {
        #expect(throws: CarbonError.self) { try CarbonTable(parsing: text) }
    }
}
