package import Policy
package import Units

/// What each GPU of the machine has left, and which ones a job gets. Empty where GPUs are only counted.
///
/// A card has one job that wants it alone, or any number of those that share it, whose declared memory together is within its own.
/// What others than jobs hold of it is taken off.
package struct CardRoom: Hashable, Sendable {
    package struct Card: Hashable, Sendable {
        /// Its place in ``CardRoom/models``.
        var model: Int
        /// Its vendor's place in an order of vendors.
        var vendor: Int
        /// -1 where it is not known.
        var node: Int
        /// In MiB, as all that follow; 0 where its driver does not say.
        var total: Int
        /// What is known of it besides jobs.
        var occupancy = CardOccupancy.none
        /// Jobs that have it alone: one, but after a reload there may be two.
        var alone = 0
        /// Jobs that share it.
        var together = 0
        /// What these declared.
        var declared = 0

        var jobs: Int { alone + together }
        /// What those that share it may still have.
        var left: Int {
            let beyond = jobs == 0 ? 0 : occupancy.beyond
            return total - declared - occupancy.foreign - beyond
        }

        /// As it is when no job runs.
        var emptied: Card {
            var card = self
            (card.alone, card.together, card.declared) = (0, 0, 0)
            return card
        }

        /// Whether one more job can have it.
        func holds(_ need: CardNeed) -> Bool {
            guard need.models == .max || (model < 16 && need.models & (1 << UInt16(model)) != 0) else { return false }
            guard alone == 0, need.isShared || together == 0 else { return false }
            return need.mebibytes == 0 || Int(need.mebibytes) <= left
        }
    }

    package internal(set) var cards: [Card] = []
    /// The models there are.
    package private(set) var models: [String] = []
    /// Active jobs with GPUs of which nobody knows which: while there are any no card is given, for it may be theirs.
    package private(set) var unplaced = 0
    /// How many CPUs each node of memory has free, as far as that was told: a card is better near those.
    var freeCPUs: [Int: Int] = [:]

    package init() {}

    package init(_ machine: MachineCapacity) {
        // Those that are counted alone are not told apart.
        guard machine.cards.count == machine.gpus else { return }
        let kinds = Self.kinds(of: machine.cards)
        let vendors = machine.cards.reduce(into: [String]()) { if !$0.contains($1.vendor) { $0.append($1.vendor) } }
        models = kinds.map(\.model)
        cards = machine.cards.map { card in
            Card(
                model: kinds.firstIndex { $0.model == card.model && $0.vendor == card.vendor } ?? 0,
                vendor: vendors.firstIndex(of: card.vendor) ?? 0, node: card.node ?? -1,
                total: card.memory.map { Int(clamping: max(0, $0.bytes) >> 20) } ?? 0)
        }
    }

    /// One of each model, in the order of the cards.
    static func kinds(of cards: [MachineCapacity.Card]) -> [MachineCapacity.Card] {
        cards.reduce(into: []) { kinds, card in
            if !kinds.contains(where: { $0.model == card.model && $0.vendor == card.vendor }) { kinds.append(card) }
        }
    }

    static func roundedUp(_ size: ByteSize) -> UInt32 {
        let (sum, overflow) = max(0, size.bytes).addingReportingOverflow((1 << 20) - 1)
        return UInt32(clamping: (overflow ? Int64.max : sum) >> 20)
    }

    package var isEmpty: Bool { cards.isEmpty }
    package var count: Int { cards.count }
    /// Cards that some job has.
    package var used: Int { cards.lazy.filter { $0.jobs > 0 }.count }

    /// Whether a job could get its cards now.
    func holds(_ request: ResourceVector) -> Bool {
        if request.gpus == 0 || isEmpty { return true }
        guard unplaced == 0 else { return false }
        var found = 0
        for card in cards where card.holds(request.card) {
            found += 1
            if found >= request.gpus { return true }
        }
        return false
    }

    /// Whether it could if no job ran.
    func wouldHold(_ request: ResourceVector) -> Bool {
        cards.lazy.filter { $0.emptied.holds(request.card) }.prefix(request.gpus).count == request.gpus
    }

    // MARK: - Jobs

    /// A job has these cards from now on.
    /// - Parameter places: in ``cards``; nil where nobody knows.
    mutating func take(_ request: ResourceVector, on places: [Int]?) { change(request, places, by: 1) }

    /// A job leaves its cards.
    mutating func give(_ request: ResourceVector, on places: [Int]?) { change(request, places, by: -1) }

    private mutating func change(_ request: ResourceVector, _ places: [Int]?, by sign: Int) {
        guard request.gpus > 0, !isEmpty else { return }
        guard let places else { return unplaced += sign }
        for place in places where cards.indices.contains(place) {
            if request.card.isShared { cards[place].together += sign } else { cards[place].alone += sign }
            cards[place].declared += sign * Int(request.card.mebibytes)
        }
        if let first = places.first, cards.indices.contains(first) {
            let node = cards[first].node
            if let free = freeCPUs[node] { freeCPUs[node] = max(0, free - sign * request.cpus) }
        }
    }

    /// What both have of each card: nothing that either lacks.
    func least(_ other: CardRoom) -> CardRoom {
        var room = self
        room.unplaced = max(unplaced, other.unplaced)
        for place in cards.indices {
            room.cards[place].alone = max(cards[place].alone, other.cards[place].alone)
            room.cards[place].together = max(cards[place].together, other.cards[place].together)
            room.cards[place].declared = max(cards[place].declared, other.cards[place].declared)
        }
        return room
    }

    /// The same with what others than jobs hold known anew, by place.
    mutating func adopt(_ occupancies: [Int: CardOccupancy]) {
        for place in cards.indices { cards[place].occupancy = occupancies[place] ?? .none }
    }
}

/// What is seen on a card that no job declared, in MiB.
package struct CardOccupancy: Hashable, Sendable {
    /// Held by processes of which none is a job's.
    package var foreign: Int
    /// Held by jobs beyond what they declared. It goes with them.
    package var beyond: Int
    /// Processes of others are on it.
    package var isForeign: Bool

    package init(foreign: ByteSize = .zero, beyond: ByteSize = .zero, isForeign: Bool = false) {
        self.foreign = Int(CardRoom.roundedUp(foreign))
        self.beyond = Int(CardRoom.roundedUp(beyond))
        self.isForeign = isForeign
    }

    package static let none = CardOccupancy()
}
