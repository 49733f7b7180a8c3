extension CardRoom {
    /// Which cards a job gets, by their places; nil where it cannot have enough of them. The same question has the same answer.
    ///
    /// 1. Where several are asked for: of one model, else of one vendor, else any; and on the fewest nodes of memory.
    /// 2. None that processes of others use, if the rest suffice.
    /// 3. One that is shared already before one that nobody has; then the one with the least left.
    /// 4. One near enough free CPUs.
    ///
    /// - Parameters:
    ///   - later: what has to hold it too: what is kept for another is not touched.
    ///   - present: where the job has to wait for those that leave by nobody knows when: cards of which least is missing now come first, so
    ///     that what becomes free is kept.
    func choose(_ request: ResourceVector, later: CardRoom? = nil, present: CardRoom? = nil) -> [Int]? {
        guard request.gpus > 0, !isEmpty else { return [] }
        guard unplaced == 0, later?.unplaced ?? 0 <= 0 else { return nil }
        let need = request.card
        let fitting = cards.indices.filter { place in
            cards[place].holds(need) && later.map { $0.cards[place].holds(need) } ?? true
        }
        guard fitting.count >= request.gpus else { return nil }
        if let present {
            let order = fitting.map { (present.cards[$0].missing(need), $0) }.sorted { $0 < $1 }
            return order.prefix(request.gpus).map(\.1).sorted()
        }
        let crowd = Dictionary(grouping: fitting) { cards[$0].node }.mapValues(\.count)
        func rank(_ place: Int) -> [Int] { self.rank(place, request, crowd) }
        if request.gpus == 1 { return fitting.map(rank).min { $0.lexicographicallyPrecedes($1) }.map { $0.suffix(1) } }
        let clean = fitting.filter { !cards[$0].occupancy.isForeign }
        for pool in clean.count >= request.gpus ? [clean, fitting] : [fitting] {
            for key in [\Card.model, \Card.vendor, nil] as [KeyPath<Card, Int>?] {
                let groups = Dictionary(grouping: pool) { place in key.map { cards[place][keyPath: $0] } ?? 0 }
                let chosen = groups.values.filter { $0.count >= request.gpus }.map { near($0.map(rank), request) }
                if let best = chosen.min(by: { $0.order.lexicographicallyPrecedes($1.order) }) {
                    return best.places.sorted()
                }
            }
        }
        return nil
    }

    /// Lower is better; the last is its place.
    /// - Parameter crowd: how many that would do each node has. Those of the node with the fewest come first: the others may serve a job
    ///   with several.
    private func rank(_ place: Int, _ request: ResourceVector, _ crowd: [Int: Int]) -> [Int] {
        let card = cards[place]
        let isFar = freeCPUs.isEmpty || card.node < 0 ? 0 : (freeCPUs[card.node] ?? 0) >= request.cpus ? 0 : 1
        return [
            card.occupancy.isForeign ? 1 : 0, request.card.isShared && card.together == 0 ? 1 : 0, card.left, isFar,
            crowd[card.node] ?? 0, card.node, place,
        ]
    }

    /// As many of a group as are asked for, on the fewest nodes.
    private func near(_ group: [[Int]], _ request: ResourceVector) -> (order: [Int], places: [Int]) {
        let ranked = group.sorted { $0.lexicographicallyPrecedes($1) }.compactMap(\.last)
        let nodes = Dictionary(grouping: ranked) { cards[$0].node }
        let order = Nodes.fewest(nodes.mapValues(\.count), for: request.gpus)
        let places = Array(order.flatMap { nodes[$0] ?? [] }.prefix(request.gpus))
        return ([order.count, places.reduce(0) { $0 + max(0, cards[$1].left) }, places.min() ?? 0], places)
    }
}

extension CardRoom.Card {
    /// How much has to leave before a job can have it, in MiB; where it wants the card alone all that is there.
    func missing(_ need: CardNeed) -> Int {
        let lack = max(0, Int(need.mebibytes) - left)
        if need.isShared { return alone == 0 ? lack : lack + max(total, 1) }
        return jobs == 0 ? lack : lack + max(declared, 1)
    }
}
