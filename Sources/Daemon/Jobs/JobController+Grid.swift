import Carbon
import JobAPI
import Ledger
import Logging
import Policy
import Scheduling
import Units

// How the grid changes what energy costs and when jobs run.
extension JobController {
    /// From now on jobs are planned by what this knows. Before the first job is taken up: those that were deferred stay so.
    func follow(_ grid: GridSignals) async {
        self.grid = grid
        adoptForecast(await grid.situation(now: .now()), now: .now())
    }

    /// Carries what holds now to ledger, meter and scheduler.
    /// - Returns: when to look again; nil for never, as long as nothing is received.
    func followGrid() async -> Timestamp? {
        guard let grid else { return nil }
        let now = Timestamp.now()
        let situation = await grid.situation(now: now)
        gridIs(intensity: situation.intensity, price: situation.price)
        adoptForecast(situation, now: now)
        guard await price(under: situation.site, from: now) else {
            // The ledger does not take it now; meter and ledger go on by what they agree on.
            let soon = Timestamp.now().advanced(by: Self.pricingPause)
            return situation.nextChange.map { min($0, soon) } ?? soon
        }
        return situation.nextChange
    }

    private static let pricingPause = Duration.seconds(2)

    private func adoptForecast(_ situation: GridSituation, now: Timestamp) {
        guard situation.news != forecastNews else { return }
        forecastNews = situation.news
        // A source that does not answer now may do so soon; one that a reload took away does not.
        var gone: Set<Flexibility.Goal> = []
        if !policy.carbon.source.value.isSeries { gone.insert(.carbon) }
        if policy.carbon.price.value?.isSeries != true { gone.insert(.cost) }
        scheduler.adopt(forecast: situation.forecast, now: now, gone: gone)
        requestPlan()
    }

    /// What is drawn from now on costs this: written down first, then the meter is read up to here under what held before.
    /// - Returns: false where it could not be written down.
    private func price(under site: SiteCarbon, from now: Timestamp) async -> Bool {
        // A reload puts all of it in force, and rings when it has.
        guard !isReloading else { return false }
        guard await meter.site != site, !isReloading else { return true }
        let task = Task {
            defer { pricing = nil }
            do {
                try await ledger.recordIntensity(
                    from: now, zone: site.zone, intensity: site.intensity, pue: site.pue, source: site.source)
                try await ledger.recordPrice(site.energyPrice, from: now)
            } catch {
                await meter.report("cannot write the grid's intensity and price down: \(error)", .pricing)
                return false
            }
            await meter.adopt(site)
            await meter.recovered(from: .pricing)
            return true
        }
        pricing = task
        return await task.value
    }
}
