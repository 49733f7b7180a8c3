package import Units

/// What replays of one trace came to, one row each: `mlctl policy simulate --format json`.
package struct SimulationReport: Codable, Hashable, Sendable {
    package struct Row: Codable, Hashable, Sendable {
        /// The policy, or what tells the replay from the others.
        package var name: String
        package var figures: SimulationFigures
        package var curves: SimulationCurves
        /// What was assumed or left out, one sentence each.
        package var notes: [String]

        package init(name: String, figures: SimulationFigures, curves: SimulationCurves, notes: [String] = []) {
            self.name = name
            self.figures = figures
            self.curves = curves
            self.notes = notes
        }
    }

    package var trace: String
    package var rows: [Row]
    /// Of the trace and of all rows.
    package var notes: [String]

    package init(trace: String, rows: [Row], notes: [String] = []) {
        self.trace = trace
        self.rows = rows
        self.notes = notes
    }
}

/// The figures of one replay. `docs/simulation.md` has the formulas.
package struct SimulationFigures: Codable, Hashable, Sendable {
    package struct User: Codable, Hashable, Sendable {
        package var user: String
        package var jobs: Int
        package var waitMeanS: Double
        package var p95WaitS: Double
        package var energyJ: Double
        package var carbonG: Double?

        package init(
            user: String, jobs: Int, waitMeanS: Double, p95WaitS: Double, energyJ: Double, carbonG: Double?
        ) {
            self.user = user
            self.jobs = jobs
            self.waitMeanS = waitMeanS
            self.p95WaitS = p95WaitS
            self.energyJ = energyJ
            self.carbonG = carbonG
        }
    }

    /// All of the trace; each is one of the four that follow.
    package var jobs = 0
    package var jobsFinished = 0
    package var jobsTimedOut = 0
    package var jobsRefused = 0
    /// Still waiting or running when the replay ended.
    package var jobsUnfinished = 0
    /// From submission to the first start.
    package var waitMeanS = 0.0
    package var waitMedianS = 0.0
    package var p95WaitS = 0.0
    package var waitMaxS = 0.0
    package var boundedSlowdownMean = 0.0
    package var makespanS = 0.0
    /// Nil on a machine without limits, or without any.
    package var cpuUtilisationPercent: Double?
    package var gpuUtilisationPercent: Double?
    /// Of the machine: of its jobs and of its idling.
    package var energyJ = 0.0
    package var jobsEnergyJ = 0.0
    package var idleEnergyJ = 0.0
    /// The part of the jobs' energy that going on after suspensions took.
    package var restartEnergyJ = 0.0
    package var peakW = 0.0
    /// Nil where the grid's intensity is not known.
    package var carbonG: Double?
    package var jobsCarbonG: Double?
    package var idleCarbonG: Double?
    /// What the jobs would have caused, each started at its submission, and how much less it was, in percent of that.
    package var carbonBaselineG: Double?
    package var carbonSavedPercent: Double?
    /// By how many points that would have been more, had the scheduler known the grid's days to come; nil where it did, and where
    /// nobody asked.
    package var carbonLostToForecastPoints: Double?
    /// How long jobs computed while the intensity was not known; it is in no figure of carbon.
    package var carbonGapS = 0.0
    /// In the money of the prices; nil where they are not known.
    package var cost: Double?
    /// How long jobs computed while the price was not known; it is not in the cost.
    package var costGapS = 0.0
    /// Jobs with a deadline, and those of them that had not finished by it.
    package var deadlines = 0
    package var deadlinesMissed = 0
    package var preemptions = 0
    package var suspensions = 0
    /// By name.
    package var users: [User] = []

    package init() {}
}

/// What is drawn of a replay.
package struct SimulationCurves: Codable, Hashable, Sendable {
    /// Mean watts in steps of equal length from the first submission on.
    package var begin: Timestamp
    package var stepS: Double
    package var powerW: [Double]
    /// The longest wait of the first 0, 1, ... 100 percent of the jobs that started, in order of their waits.
    package var waitByPercentS: [Double]
    /// Grams in each hour of the day, in UTC; empty where the intensity is not known.
    package var carbonByHourG: [Double]

    package init(
        begin: Timestamp, stepS: Double = 0, powerW: [Double] = [], waitByPercentS: [Double] = [],
        carbonByHourG: [Double] = []
    ) {
        self.begin = begin
        self.stepS = stepS
        self.powerW = powerW
        self.waitByPercentS = waitByPercentS
        self.carbonByHourG = carbonByHourG
    }
}
