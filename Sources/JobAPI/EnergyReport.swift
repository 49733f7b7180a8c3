package import Units

/// How report rows are grouped.
package enum ReportGrouping: String, Codable, Sendable, CaseIterable {
    case user, project, job, queue, device, day, month
}

/// Who pays for hardware that was reserved and idled.
package enum BillingBasis: String, Codable, Sendable, CaseIterable {
    /// Whoever reserved it: a job's figure is its active and its reserved idle energy.
    case full
    /// Nobody: only what the job's computing added.
    case marginal
}

/// `GET /v1/report`.
package struct EnergyReport: Codable, Hashable, Sendable {
    package struct Period: Codable, Hashable, Sendable {
        package var since: Timestamp
        package var until: Timestamp

        package init(since: Timestamp, until: Timestamp) {
            self.since = since
            self.until = until
        }
    }

    package struct Row: Codable, Hashable, Sendable {
        /// The job's number, the user, the day, ... as the grouping says; `(system)`, `(mld)`, `(idle)` for the accounts
        /// that are not jobs.
        package var key: String
        /// The job's name when grouped by job.
        package var name: String?
        package var user: String?
        package var state: JobState?
        package var jobs: Int
        package var durationS: Double
        package var figures: EnergyFigures
        /// Joules per epoch and per sample, for jobs that reported progress.
        package var epochs: Int?
        package var samples: Int?
        package var energyPerEpochJ: Double?
        package var energyPerSampleJ: Double?
        /// The share of making the machine that falls on the run time, in g; nil where the site does not state it.
        package var embodiedG: Double?
        /// Software carbon intensity (SCI): operational and embodied carbon per job, epoch and sample.
        package var sciPerJobG: Double?
        package var sciPerEpochG: Double?
        package var sciPerSampleG: Double?
        /// Energy of failed, timed-out, lost and preempted attempts after their last checkpoint.
        package var wasteJ: Double?
        /// Reserved idle energy of CPUs that were reserved and not used.
        package var overReservedJ: Double?
        /// What the jobs that ended caused less than running at once would have, in g; negative where it is more.
        package var carbonSavedG: Double?

        package init(
            key: String, name: String? = nil, user: String? = nil, state: JobState? = nil, jobs: Int,
            durationS: Double, figures: EnergyFigures
        ) {
            self.key = key
            self.name = name
            self.user = user
            self.state = state
            self.jobs = jobs
            self.durationS = durationS
            self.figures = figures
        }
    }

    /// The law of conservation for the period: what was metered and who it went to, in µJ, so that it can be checked.
    package struct Balance: Codable, Hashable, Sendable {
        package var meteredUj: Int64
        package var jobsUj: Int64
        package var systemUj: Int64
        package var mldUj: Int64
        package var idleUj: Int64
        /// Metered but not attributable to anyone; never silently spread over jobs.
        package var gapUj: Int64

        package init(meteredUj: Int64, jobsUj: Int64, systemUj: Int64, mldUj: Int64, idleUj: Int64, gapUj: Int64) {
            self.meteredUj = meteredUj
            self.jobsUj = jobsUj
            self.systemUj = systemUj
            self.mldUj = mldUj
            self.idleUj = idleUj
            self.gapUj = gapUj
        }

        /// Zero by construction; anything else is a fault of mld.
        package var residualUj: Int64 { meteredUj - jobsUj - systemUj - mldUj - idleUj - gapUj }
    }

    package var period: Period
    package var by: ReportGrouping
    package var rows: [Row]
    package var totals: Row
    package var balance: Balance
    /// How the figures came about, one sentence each.
    package var notes: [String]

    package init(
        period: Period, by: ReportGrouping, rows: [Row], totals: Row, balance: Balance, notes: [String]
    ) {
        self.period = period
        self.by = by
        self.rows = rows
        self.totals = totals
        self.balance = balance
        self.notes = notes
    }
}
