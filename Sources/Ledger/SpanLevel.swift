import Units

/// The tables that hold the same energy at three lengths: written by the minute, added up by the hour and by the day.
enum SpanLevel: CaseIterable {
    case minute, hour, day

    /// The table of the accounts' shares.
    var spans: String {
        switch self {
        case .minute: "spans"
        case .hour: "span_hours"
        case .day: "span_days"
        }
    }

    /// The table of what the meters said.
    var domains: String {
        switch self {
        case .minute: "domain_minutes"
        case .hour: "domain_hours"
        case .day: "domain_days"
        }
    }

    /// The length of one row. Its column `minute` is the first minute it holds.
    var minutes: Int64 {
        switch self {
        case .minute: 1
        case .hour: 60
        case .day: 1440
        }
    }

    /// The level whose rows are added up to make this one.
    var finer: SpanLevel? {
        switch self {
        case .minute: nil
        case .hour: .minute
        case .day: .hour
        }
    }

    static let spanKey = ["minute", "domain_id", "account", "job_id", "attempt"]
    /// What is added up; `tier`, the last column, is the worst of the parts.
    static let spanSums = [
        "active_uj", "idle_uj", "low_uj", "high_uj", "carbon_ug", "carbon_low_ug", "carbon_high_ug", "gap_us",
        "water_ul", "active_carbon_ug", "active_water_ul", "money_micros", "active_money_micros", "priced_uj",
        "active_priced_uj",
    ]
    static let domainKey = ["minute", "domain_id"]
    static let domainSums = ["metered_uj", "low_uj", "high_uj", "metered_us", "gap_us"]
}

/// A moment, in whole minutes since 1970.
typealias Minute = Int64

extension Timestamp {
    /// The minute it lies in.
    var minute: Minute { microseconds / 60_000_000 }

    /// The beginning of a minute. Of an edited ledger it may be any number, and then is as far away as can be told.
    init(minute: Minute) {
        let (microseconds, overflow) = minute.multipliedReportingOverflow(by: 60_000_000)
        self.init(microseconds: overflow ? (minute < 0 ? .min : .max) : microseconds)
    }
}

extension Minute {
    /// The last multiple of `step` that is not later.
    func floored(to step: Int64) -> Minute { self - ((self % step) + step) % step }

    /// The first multiple of `step` that is not earlier.
    func ceiled(to step: Int64) -> Minute { (self + (step - 1)).floored(to: step) }
}
