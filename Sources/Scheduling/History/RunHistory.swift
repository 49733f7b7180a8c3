/// What runs of the past say of those to come: the last of each kind, in a bounded amount of memory.
///
/// A run is remembered under each of its ``JobKeys``. Keys under which no run has ended for longest are forgotten first: of
/// two generations the older is dropped when the younger is full, and whatever is met again moves to the younger.
package struct RunHistory: Sendable {
    /// The last runs that are kept of each key.
    package static let samplesPerKey = 32
    /// Of both generations.
    package static let mostKeys = 4096

    fileprivate struct Runs: Sendable {
        /// The newest overwrites the oldest.
        var samples: [RunSample] = []
        var next = 0
        /// What is to be planned with; nil where that is not known.
        var predicted: PredictedTime?
        /// In mW, beyond the idle machine: what nine tenths of them did not exceed.
        var drawn: Int?
    }

    private var young: [UInt64: Runs] = [:]
    private var old: [UInt64: Runs] = [:]

    /// How many runs of any kind have to be known before they say what a CPU draws.
    private static let leastOnMachine = 3

    package init() {}

    package var keyCount: Int { young.count + old.count }

    /// An attempt has ended, after which others of its kind are judged.
    package mutating func note(_ run: RunSample, of keys: JobKeys) {
        for likeness in [Likeness.job, .work, .name] { note(run, under: keys[likeness], likeness.leastRuns) }
        // With these nothing is planned.
        for key in [keys.queue, keys.machine] { note(run, under: key, nil) }
    }

    private mutating func note(_ run: RunSample, under key: UInt64, _ least: Int?) {
        if young[key] == nil {
            if young.count >= Self.mostKeys / 2 {
                old = young
                young = [:]
            }
            young[key] = old.removeValue(forKey: key) ?? Runs()
        }
        young[key]?.add(run, least: least)
    }

    /// How long a job of this kind is expected to run at most: what nine tenths of its likes did not exceed, rounded up by as
    /// much as a fifth. Nil where too few are known, or too many were cut off by their limits.
    package func predicted(_ key: UInt64) -> PredictedTime? { key == 0 ? nil : (young[key] ?? old[key])?.predicted }

    /// What a job of this kind is expected to draw at most beyond the idle machine, in mW: what nine tenths of its likes did not
    /// exceed. Nil where too few were metered.
    package func drawn(_ key: UInt64) -> Int? { key == 0 ? nil : (young[key] ?? old[key])?.drawn }

    /// The same by the likes that say most of it and of which enough are known.
    package func predicted(_ keys: JobKeys) -> PredictedTime? {
        // A queue holds all kinds: to plan with what is long in it would be to plan with its limit.
        for likeness in [Likeness.job, .work, .name] {
            if let runs = young[keys[likeness]] ?? old[keys[likeness]], runs.samples.count >= likeness.leastRuns {
                return runs.predicted
            }
        }
        return nil
    }

    func samples(_ key: UInt64) -> [RunSample] { key == 0 ? [] : (young[key] ?? old[key])?.samples ?? [] }

    /// What jobs of any kind draw on this machine, by their CPUs; nil where too few are known.
    package func machineWatts(_ keys: JobKeys, cpus: Int) -> RunSample.Watts? {
        guard let runs = young[keys.machine] ?? old[keys.machine], runs.samples.count >= Self.leastOnMachine else {
            return nil
        }
        return RunEstimate(runs.samples, .queue, cpus: cpus).watts
    }

    /// What its likes say of a job; nil where too few are known.
    package func estimate(_ keys: JobKeys, cpus: Int) -> RunEstimate? {
        for likeness in Likeness.allCases {
            if let runs = young[keys[likeness]] ?? old[keys[likeness]], runs.samples.count >= likeness.leastRuns {
                return RunEstimate(runs.samples, likeness, cpus: cpus)
            }
        }
        return nil
    }
}

extension RunHistory.Runs {
    /// - Parameter least: how many say anything; nil where nothing is predicted by them.
    mutating func add(_ run: RunSample, least: Int?) {
        if samples.count < RunHistory.samplesPerKey {
            samples.append(run)
        } else {
            samples[next] = run
            next = (next + 1) % RunHistory.samplesPerKey
        }
        if let least, samples.count >= least {
            predicted = Quantiles.high(samples).map(PredictedTime.init(atLeast:))
            let watts = samples.compactMap(\.beyondIdle).sorted()
            if watts.count >= least {
                drawn = PowerTerms.milliwatts(watts[Int((0.9 * Double(watts.count) - 1e-6).rounded(.up)) - 1])
            }
        }
    }
}
