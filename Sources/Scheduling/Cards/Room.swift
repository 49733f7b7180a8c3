/// What can be given to jobs: amounts, and of GPUs which ones.
struct Room {
    var amounts: ResourceVector
    var cards: CardRoom

    func holds(_ request: ResourceVector) -> Bool { request.fits(in: amounts) && cards.holds(request) }

    /// A job leaves, with all it was given.
    mutating func give(_ job: ActiveJob) { give(job.request, job.request, job.cards) }

    /// - Parameter amount: what is free of it then, of all that the job asked for.
    mutating func give(_ amount: ResourceVector, _ request: ResourceVector, _ places: [Int]?) {
        amounts += amount
        if request.gpus > 0 { cards.give(request, on: places) }
    }

    mutating func take(_ amount: ResourceVector, _ request: ResourceVector, _ places: [Int]?) {
        amounts -= amount
        if request.gpus > 0 { cards.take(request, on: places) }
    }
}
