/// What the machine has and draws: `GET /v1/devices`.
package struct DeviceReport: Codable, Hashable, Sendable {
    package struct Device: Codable, Hashable, Sendable {
        /// `cpu`, `memory`, `gpu` or `reservation`: of that `used` says when it holds next.
        package var kind: String
        package var name: String
        package var capacity: String
        package var used: String

        package init(kind: String, name: String, capacity: String, used: String) {
            self.kind = kind
            self.name = name
            self.capacity = capacity
            self.used = used
        }
    }

    package struct Meter: Codable, Hashable, Sendable {
        /// The power domain: `package-0`, `dram-0`, `cpu-model`.
        package var domain: String
        /// Where its figures come from, for people.
        package var source: String
        package var tier: Tier
        /// The last self-test or the reason the meter is not used.
        package var status: String
        package var powerW: Double?
        package var powerLowW: Double?
        package var powerHighW: Double?

        package init(
            domain: String, source: String, tier: Tier, status: String, powerW: Double? = nil,
            powerLowW: Double? = nil, powerHighW: Double? = nil
        ) {
            self.domain = domain
            self.source = source
            self.tier = tier
            self.status = status
            self.powerW = powerW
            self.powerLowW = powerLowW
            self.powerHighW = powerHighW
        }
    }

    /// What the machine may draw, and does.
    package struct Power: Codable, Hashable, Sendable {
        package var capW: Double
        /// The line of the policy that says so.
        package var source: String
        /// With no job on it.
        package var idleW: Double
        /// With all that runs, at most.
        package var predictedW: Double
        /// Nil where no meter tells.
        package var measuredW: Double?
        /// What is done now because it draws too much, for people.
        package var actions: [String]

        package init(
            capW: Double, source: String, idleW: Double, predictedW: Double, measuredW: Double? = nil,
            actions: [String] = []
        ) {
            self.capW = capW
            self.source = source
            self.idleW = idleW
            self.predictedW = predictedW
            self.measuredW = measuredW
            self.actions = actions
        }
    }

    package var devices: [Device]
    package var meters: [Meter]
    /// Grid carbon intensity in force, g/kWh, with its source, year and zone.
    package var carbonIntensityGPerKwh: Double
    package var carbonSource: String
    package var pue: Double
    /// What is known of the grid, where the policy names a source; see ``GridReport``.
    package var signals: [GridReport.Signal]?
    /// Where the policy caps the machine's power.
    package var power: Power?

    package init(
        devices: [Device], meters: [Meter], carbonIntensityGPerKwh: Double, carbonSource: String, pue: Double,
        signals: [GridReport.Signal]? = nil, power: Power? = nil
    ) {
        self.devices = devices
        self.meters = meters
        self.carbonIntensityGPerKwh = carbonIntensityGPerKwh
        self.carbonSource = carbonSource
        self.pue = pue
        self.signals = signals
        self.power = power
    }
}
