import JobAPI
import Units

extension Reservation {
    /// For a job that needs GPUs: as ``init(for:now:free:among:isByLimits:)``, with the very cards that are kept for it.
    init(
        for request: ResourceVector, now: Timestamp, free: Room, among active: [ActiveJob], isByLimits: Bool
    ) {
        self.isByLimits = isByLimits
        var withUnlimited = free
        var ends: [(at: Timestamp, place: Int)] = []
        for (place, other) in active.enumerated() {
            if let end = isByLimits ? other.expectedEnd : other.likelyEnd(now: now) {
                ends.append((max(end, now), place))
            } else {
                withUnlimited.give(other)
            }
        }
        ends.sort { $0.at == $1.at ? active[$0.place].id < active[$1.place].id : $0.at < $1.at }
        func firstFit(from free: Room) -> Timestamp? {
            if free.holds(request) { return now }
            var free = free
            for end in ends {
                free.give(active[end.place])
                if free.holds(request) { return end.at }
            }
            return nil
        }
        predicted = firstFit(from: free)
        earliest = predicted ?? firstFit(from: withUnlimited) ?? now
        var sure = free
        for end in ends where end.at <= earliest {
            sure.give(active[end.place])
            withUnlimited.give(active[end.place])
        }
        spare = (sure.amounts - request).positivePart
        // Where nobody knows when it starts, those of which least is missing: they get all that becomes free.
        let kept =
            predicted == nil
            ? withUnlimited.cards.choose(request, present: sure.cards) : sure.cards.choose(request)
        if let kept { sure.cards.take(request, on: kept) }
        spareCards = sure.cards
    }
}
