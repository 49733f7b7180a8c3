import JobAPI
import Testing
import Units

@Suite struct DevicesCommandTests {
    @Test func table() async throws {
        try await FakeServer.with(["GET /v1/devices": [try .json(Samples.devices)]]) { server in
            let outcome = await Terminal().run(["devices"], socket: server.socket)
            #expect(outcome.status == 0)
            expectSnapshot(
                outcome.out,
                """
                KIND    DEVICE          CAPACITY   USED
                cpu     Xeon (2 cores)         2      1
                memory  memory           7.8 GiB  2 GiB

                METER      TIER   W NOW     RANGE  SOURCE          STATUS
                cpu-model  table   12.3  9.5-15.3  2 vCPUs, table  no counter on this machine
                package-0  gap        -            powercap        energy_uj is not readable

                carbon intensity 363 g/kWh (DE 2024, table), PUE 1.2

                """)
        }
    }

    @Test func whatIsKnownOfTheGrid() async throws {
        var devices = Samples.devices
        let look = try Timestamp(parsing: "2026-11-24T08:15:00Z")
        devices.signals = [
            GridReport.Signal(
                quantity: "intensity", unit: "g/kWh", value: 212, origin: "forecast",
                source: "Electricity Maps, zone DE",
                ageS: 300, fetchedAt: try Timestamp(parsing: "2026-11-24T08:00:00Z"), nextLook: look,
                knownUntil: try Timestamp(parsing: "2026-11-25T08:00:00Z"), forecastOf: "source",
                errorPercent: ["24": 23, "1": 3], trouble: "it answered 503", lack: nil),
            GridReport.Signal(
                quantity: "price", unit: "EUR/kWh", value: nil, origin: nil, source: "/p.csv", ageS: nil,
                fetchedAt: nil,
                nextLook: look, knownUntil: nil, forecastOf: nil, errorPercent: [:], trouble: nil, lack: nil),
        ]
        try await FakeServer.with(["GET /v1/devices": [try .json(devices)]]) { server in
            let outcome = await Terminal().run(["devices"], socket: server.socket)
            let lines = outcome.out.split(separator: "\n").suffix(2).map(String.init)
            #expect(
                lines == [
                    "intensity: 212 g/kWh, forecast 5 min ago; told until 2026-11-25T08:00:00Z;"
                        + " its forecasts were off by 3 % 1 h ahead, 23 % 24 h ahead;"
                        + " trouble: it answered 503; tried again at 2026-11-24T08:15:00Z (Electricity Maps, zone DE)",
                    "price: not known (/p.csv)",
                ])
        }
    }

    @Test func json() async throws {
        try await FakeServer.with(["GET /v1/devices": [try .json(Samples.devices)]]) { server in
            let outcome = await Terminal().run(["devices", "--format", "json"], socket: server.socket)
            expectSnapshot(
                outcome.out,
                """
                {
                  "carbon_intensity_g_per_kwh" : 363.2,
                  "carbon_source" : "DE 2024, table",
                  "devices" : [
                    {
                      "capacity" : "2",
                      "kind" : "cpu",
                      "name" : "Xeon (2 cores)",
                      "used" : "1"
                    },
                    {
                      "capacity" : "7.8 GiB",
                      "kind" : "memory",
                      "name" : "memory",
                      "used" : "2 GiB"
                    }
                  ],
                  "meters" : [
                    {
                      "domain" : "cpu-model",
                      "power_high_w" : 15.25,
                      "power_low_w" : 9.5,
                      "power_w" : 12.34,
                      "source" : "2 vCPUs, table",
                      "status" : "no counter on this machine",
                      "tier" : "table"
                    },
                    {
                      "domain" : "package-0",
                      "source" : "powercap",
                      "status" : "energy_uj is not readable",
                      "tier" : "gap"
                    }
                  ],
                  "pue" : 1.2
                }

                """)
        }
    }
}
