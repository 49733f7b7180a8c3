package import Carbon
package import JobAPI
package import Units

/// What a site's daemon tells of its past, put together from its pages.
package struct History: Hashable, Sendable {
    package var jobs: [HistoryPage.Job] = []
    /// By time.
    package var intensities: [HistoryPage.Intensity] = []
    package var machine: HistoryPage.Machine?
    /// Up to when it was asked for.
    package var until: Timestamp?
    package var isEverybodys = true

    package init() {}

    /// - Returns: what to ask on with; nil at the end.
    /// - Throws: where the page is not one that can come next, so that nobody asks for ever.
    package mutating func add(_ page: HistoryPage) throws(TraceError) -> JobID? {
        let last = jobs.last?.id
        let isAscending = zip(page.jobs, page.jobs.dropFirst()).allSatisfy { $0.id < $1.id }
        let isNext = page.jobs.first.map { job in last.map { $0 < job.id } ?? true } ?? true
        guard isAscending, isNext else {
            throw TraceError(file: "ledger", line: 0, "the daemon's pages are not in the order of the jobs' numbers")
        }
        guard jobs.count + page.jobs.count <= Trace.maximumJobs else {
            throw TraceError(
                file: "ledger", line: 0, "there are more than \(Trace.maximumJobs) jobs",
                hint: "choose a period with --since and --until")
        }
        jobs += page.jobs
        if let intensities = page.intensities { self.intensities = intensities.sorted { $0.from < $1.from } }
        machine = page.machine ?? machine
        until = until ?? page.until
        isEverybodys = isEverybodys && page.isEverybodys
        return page.next
    }

    /// The intensities of the books in slots, from the first job on; and the one that has to stand for what is beyond.
    ///
    /// One that never changed is no series: it tells no job to wait.
    package func intensity(step: Duration) throws(CarbonError) -> (series: SignalSeries?, last: CarbonIntensity?) {
        let known = intensities.filter { $0.gPerKwh.isFinite && $0.gPerKwh >= 0 }
        guard let latest = known.last, let first = jobs.lazy.map(\.submittedAt).min(), let until else {
            return (nil, nil)
        }
        let last = CarbonIntensity(gramsPerKilowattHour: latest.gPerKwh)
        if known.allSatisfy({ $0.gPerKwh == latest.gPerKwh }) { return (nil, last) }
        // A slot begins with or before the first job, where the books reach back so far.
        let begin = first.advanced(by: .zero - step)
        let ends = known.dropFirst().map(\.from) + [max(until, latest.from).advanced(by: step)]
        let points = zip(known, ends).filter { $1 > begin && $0.from < $1 }.map {
            SignalPoint(from: max($0.from, begin), to: $1, value: $0.gPerKwh)
        }
        return (try SignalSeries(sampling: points, step: step), last)
    }
}
