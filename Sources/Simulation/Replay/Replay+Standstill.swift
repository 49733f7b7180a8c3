import Carbon
import Policy
import Scheduling
import Units

// Where nothing happens any more a replay ends, though hours of the week go on for ever.
extension Replay {
    /// All that recurs by the clock, from hours of the week to the year of a budget, has come round by then.
    private static let longestRound = Duration.seconds(400 * 86_400)

    /// Whatever comes again and again has changed nothing: what waits now waits for something else.
    var isStill: Bool { looked.since(happened) > Self.longestRound }

    /// The next of what comes only once.
    var nextOnce: Timestamp? {
        policy.reservations.lazy.filter { !$0.recurs }.compactMap { $0.nextChange(after: looked) }.min()
    }

    /// When the signals end, behind which the grid changes no more.
    static func gridEnd(_ forecast: SimulatedForecast?) -> Timestamp? {
        [forecast?.intensity?.end, forecast?.price?.end].compactMap { $0 }.max()
    }

    mutating func addStandstillNote() {
        guard isStill, scheduler.pendingCount > 0 else { return }
        log.notes.append(
            "stopped at \(looked) with \(counted(scheduler.pendingCount, "job")) waiting: nothing had happened for 400 days"
        )
    }
}
