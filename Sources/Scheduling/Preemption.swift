package import JobAPI

/// Whom to stop so that another can run: those whose stopping throws away least of what was computed.
package enum Preemption {
    /// An active job that may be stopped.
    package struct Candidate: Hashable, Sendable {
        package var id: JobID
        /// What it gives up.
        package var held: ResourceVector
        /// What it asked for of GPUs, and which it has.
        package var request: ResourceVector
        package var cards: [Int]?
        /// Joules it has drawn since its last checkpoint, or in all where it wrote none: they are drawn again. Nil where nobody
        /// knows: it goes last.
        package var atStake: Double?

        package init(
            id: JobID, held: ResourceVector, request: ResourceVector? = nil, cards: [Int]? = nil, atStake: Double?
        ) {
            self.id = id
            self.held = held
            self.request = request ?? held
            self.cards = cards
            self.atStake = atStake
        }
    }

    /// Those that lose least first; of those that lose the same the youngest, who waited least for what they hold.
    package static func order(_ candidates: [Candidate]) -> [Candidate] {
        func loss(_ candidate: Candidate) -> Double {
            guard let joules = candidate.atStake, joules.isFinite else { return .infinity }
            return max(0, joules)
        }
        return candidates.sorted { a, b in
            let (first, second) = (loss(a), loss(b))
            return first == second ? a.id > b.id : first < second
        }
    }

    /// Whom to stop so that `request` fits into what is free then: none where it fits, nil where even all are too few.
    ///
    /// Taken in order until it fits; then those are let off again, the dearest first, without whom it fits as well.
    package static func victims(
        for request: ResourceVector, free: ResourceVector, cards: CardRoom = CardRoom(),
        among candidates: [Candidate]
    ) -> [JobID]? {
        var free = Room(amounts: free, cards: cards)
        var chosen: [Candidate] = []
        for candidate in order(candidates) {
            if free.holds(request) { break }
            chosen.append(candidate)
            free.give(candidate.held, candidate.request, candidate.cards)
        }
        guard free.holds(request) else { return nil }
        for candidate in chosen.reversed() {
            var without = free
            without.take(candidate.held, candidate.request, candidate.cards)
            guard without.holds(request) else { continue }
            free = without
            chosen.removeAll { $0.id == candidate.id }
        }
        return chosen.map(\.id)
    }
}
