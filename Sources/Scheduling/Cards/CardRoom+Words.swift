import JobAPI
import Policy
import Units

// What is said of GPUs to people.
extension CardRoom {
    /// `2 gpus of model A100 with 16 GiB each`.
    func words(_ request: ResourceVector) -> String {
        var text = counted(request.gpus, "gpu") + modelWords(request.card)
        if request.card.mebibytes > 0 { text += " with \(request.card.memory)" + (request.gpus > 1 ? " each" : "") }
        return text
    }

    private func modelWords(_ need: CardNeed) -> String {
        guard need.models != .max else { return "" }
        let names = models.enumerated().filter { $0.offset < 16 && need.models & (1 << UInt16($0.offset)) != 0 }
        return " of model " + (names.isEmpty ? "that is not here" : names.map(\.element).joined(separator: " or "))
    }

    /// What a job waits for of GPUs; nil where it could have them, or they are only counted.
    func missingWords(_ request: ResourceVector) -> String? {
        guard request.gpus > 0, !isEmpty, !holds(request) else { return nil }
        if unplaced > 0 {
            return
                "\(words(request)), of which nobody knows whether a job that runs without a record of its gpus has them"
        }
        let able = cards.filter { $0.emptied.holds(request.card) }
        let now = able.filter { $0.holds(request.card) }.count
        if request.card.isShared, request.gpus == 1 {
            // Those that share it are in the way by what they declared alone.
            let lack = able.filter { $0.alone == 0 }.map { Int(request.card.mebibytes) - $0.left }.min()
            if let lack, lack > 0 {
                return "\(ByteSize.mebibytes(Int64(lack))) more on a gpu\(modelWords(request.card))"
            }
        }
        return "\(request.gpus - now) of \(words(request))"
    }

    /// Whether a job has something of a card that another needs.
    func isInTheWay(_ job: ActiveJob, of request: ResourceVector) -> Bool {
        guard request.gpus > 0, job.request.gpus > 0, !isEmpty, !holds(request) else { return false }
        guard let places = job.cards else { return true }
        return places.contains { place in
            cards.indices.contains(place) && cards[place].emptied.holds(request.card)
                && !cards[place].holds(request.card)
        }
    }

    /// Who else is on cards that it could have otherwise; nil where nobody is.
    func occupancyWords(_ request: ResourceVector) -> String? {
        guard request.gpus > 0, !isEmpty else { return nil }
        let found = cards.indices.filter { place in
            var card = cards[place]
            let isHeld = card.occupancy.foreign > 0 || card.occupancy.beyond > 0
            card.occupancy = .none
            return isHeld && !cards[place].holds(request.card) && card.emptied.holds(request.card)
        }
        let words = found.map { place -> String in
            let occupancy = cards[place].occupancy
            var parts: [String] = []
            if occupancy.foreign > 0 {
                parts.append("processes that are no job's hold \(ByteSize.mebibytes(Int64(occupancy.foreign)))")
            }
            if occupancy.beyond > 0 {
                parts.append("jobs hold \(ByteSize.mebibytes(Int64(occupancy.beyond))) more than they declared")
            }
            return parts.joined(separator: " and ") + " of gpu \(place)"
        }
        return words.isEmpty ? nil : words.joined(separator: "; ")
    }
}

extension CardOccupancy {
    /// `others (2 GiB)`; nil where nobody else is on the card.
    package var words: String? {
        guard isForeign else { return nil }
        return foreign > 0 ? "others (\(ByteSize.mebibytes(Int64(foreign))))" : "others"
    }
}

extension Scheduler {
    /// No GPUs here would do even if no job ran.
    func beyondCards(_ request: ResourceVector) -> WaitReason? {
        guard request.gpus > 0, !cards.isEmpty, !cards.wouldHold(request) else { return nil }
        let need = "waits for \(cards.words(request))"
        if let others = cards.occupancyWords(request) {
            return WaitReason("\(need): \(others)", hint: "starts when those have ended; mlctl devices shows them")
        }
        return WaitReason(
            "\(need); the gpus here are " + cards.models.joined(separator: " and "),
            hint: "cancel it and ask for others; mlctl devices shows those that there are")
    }
}
