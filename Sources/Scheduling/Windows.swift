import JobAPI
import Policy
import Units

/// When reservations hold next: one window for each set of them that holds at one time, at its first such time.
///
/// What runs now and will run on then is most at that first time, so that no later one need be looked at.
struct Windows: Sendable {
    struct Window: Sendable {
        /// When it begins; the time of asking where it has begun.
        var at: Timestamp
        /// Which of the policy's reservations hold.
        var places: [Int]
    }

    let reservations: [Policy.Reservation]
    /// By time.
    let windows: [Window]
    /// Until before this the same windows hold.
    let nextChange: Timestamp?
    private let madeAt: Timestamp

    private static let week = Duration.seconds(7 * 86400)

    init(_ reservations: [Policy.Reservation], now: Timestamp) {
        self.reservations = reservations
        madeAt = now
        var times: Set<Timestamp> = [now]
        for reservation in reservations where !reservation.recurs {
            if let start = reservation.start.value, start > now { times.insert(start) }
        }
        // All that recurs is over within a week, and may meet anything that comes once.
        for begin in times {
            let end = begin.advanced(by: Self.week)
            for reservation in reservations where reservation.recurs {
                var time = begin
                while let next = reservation.nextChange(after: time), next <= end {
                    times.insert(next)
                    time = next
                }
            }
        }
        var seen: Set<[Int]> = []
        var windows: [Window] = []
        for time in times.sorted() {
            let places = reservations.indices.filter { reservations[$0].isActive(at: time) }
            if !places.isEmpty, seen.insert(places).inserted { windows.append(Window(at: time, places: places)) }
        }
        self.windows = windows
        nextChange = reservations.compactMap { $0.nextChange(after: now) }.min()
    }

    func holds(at now: Timestamp) -> Bool { madeAt <= now && nextChange.map { now < $0 } ?? true }
}

extension Policy.Reservation {
    var kept: ResourceVector { ResourceVector(cpus: cpus.value, memory: memory.value, gpus: gpus.value) }
}

/// What is in use in each window by what runs now, and what a plan starts besides.
///
/// Whoever may use a reservation takes of it first and of what is free for all then. What all others and these take beyond what is
/// reserved must leave the rest of every reservation free.
struct WindowUse: Sendable {
    private struct Room: Sendable {
        var at: Timestamp
        var places: [Int]
        var kept: ResourceVector
        /// What nobody has reserved.
        var pool: ResourceVector
        /// By the reservations that may be used.
        var use: [[Int]: ResourceVector] = [:]
        /// What is used of the pool.
        var taken = ResourceVector.zero
        /// The GPUs in use, with the reservations that all who have one may use: shared it is one all the same.
        var cards: [Int: [Int]] = [:]

        /// - Parameter places: the GPUs it gets; nil where they are only counted.
        mutating func add(_ request: ResourceVector, on places: [Int]?, mayUse reservations: [Int]) {
            let usable = self.places.filter(reservations.contains)
            use[usable, default: .zero] += request
            guard let places, !places.isEmpty else { return }
            use[usable, default: .zero].gpus -= request.gpus
            for place in places {
                let before = cards[place]
                if let before { use[before, default: .zero].gpus -= 1 }
                let common = before.map { $0.filter(usable.contains) } ?? usable
                use[common, default: .zero].gpus += 1
                cards[place] = common
            }
        }
    }

    private let windows: Windows
    private var rooms: [Room] = []

    init(_ windows: Windows, capacity: ResourceVector, now: Timestamp) {
        self.windows = windows
        for window in windows.windows {
            let kept = window.places.reduce(ResourceVector.zero) { $0.adding(windows.reservations[$1].kept) }
            rooms.append(
                Room(
                    at: max(window.at, now), places: window.places, kept: kept, pool: (capacity - kept).positivePart))
        }
    }

    var isEmpty: Bool { rooms.isEmpty }
    /// The reservations that hold at `now`.
    func places(at now: Timestamp) -> [Int] { rooms.first.map { $0.at <= now ? $0.places : [] } ?? [] }

    /// A job that runs, or starts, until `end`.
    mutating func add(
        _ request: ResourceVector, on cards: [Int]? = nil, mayUse places: [Int], until end: Timestamp?
    ) {
        for index in rooms.indices where end.map({ $0 > rooms[index].at }) ?? true {
            rooms[index].add(request, on: cards, mayUse: places)
            rooms[index].taken = taken(rooms[index])
        }
    }

    /// The window that a job which starts now would run into, taking of what is reserved for others; nil when it may start.
    func obstacle(
        _ request: ResourceVector, on cards: [Int]? = nil, mayUse places: [Int], until end: Timestamp?
    ) -> Windows.Window? {
        let room = rooms.first { room in
            guard end.map({ $0 > room.at }) ?? true else { return false }
            return !isBearable(taken(adding: request, on: cards, mayUse: places, to: room), in: room)
        }
        return room.map { Windows.Window(at: $0.at, places: $0.places) }
    }

    /// Whether a job finds all it asks for in what is reserved for it now, and stands in nobody's way later.
    func fitsReserved(
        _ request: ResourceVector, on cards: [Int]? = nil, mayUse places: [Int], until end: Timestamp?
    ) -> Bool {
        guard let now = rooms.first else { return false }
        let taken = taken(adding: request, on: cards, mayUse: places, to: now)
        guard now.kept.cpus == 0 || taken.cpus == now.taken.cpus,
            now.kept.memory == .zero || taken.memory == now.taken.memory,
            now.kept.gpus == 0 || taken.gpus == now.taken.gpus
        else { return false }
        return obstacle(request, on: cards, mayUse: places, until: end) == nil
    }

    private func taken(
        adding request: ResourceVector, on cards: [Int]?, mayUse places: [Int], to room: Room
    ) -> ResourceVector {
        var room = room
        room.add(request, on: cards, mayUse: places)
        return taken(room)
    }

    /// What was too much before does not keep those whose request makes it no worse. Of what nobody reserved the machine says
    /// how much there is.
    private func isBearable(_ taken: ResourceVector, in room: Room) -> Bool {
        (room.kept.cpus == 0 || taken.cpus <= room.pool.cpus || taken.cpus == room.taken.cpus)
            && (room.kept.memory == .zero || taken.memory <= room.pool.memory || taken.memory == room.taken.memory)
            && (room.kept.gpus == 0 || taken.gpus <= room.pool.gpus || taken.gpus == room.taken.gpus)
    }

    private static func isBefore(_ a: [Int], _ b: [Int]) -> Bool {
        a.count == b.count ? a.lexicographicallyPrecedes(b) : a.count < b.count
    }

    private func taken(_ room: Room) -> ResourceVector {
        var left: [Int: ResourceVector] = [:]
        for place in room.places { left[place] = windows.reservations[place].kept }
        var taken = ResourceVector.zero
        // Those who have a choice come last.
        for (places, amount) in room.use.sorted(by: { Self.isBefore($0.key, $1.key) }) {
            var rest = amount
            for place in places {
                let part = rest.least(left[place] ?? .zero)
                rest -= part
                left[place] = (left[place] ?? .zero) - part
            }
            taken += rest
        }
        return taken
    }
}

extension ResourceVector {
    /// The sum; of memory the most there can be where it is more, for nothing but the number of reservations bounds it.
    fileprivate func adding(_ other: ResourceVector) -> ResourceVector {
        let (bytes, isTooMuch) = memory.bytes.addingReportingOverflow(other.memory.bytes)
        return ResourceVector(
            cpus: cpus + other.cpus, memory: ByteSize(bytes: isTooMuch ? .max : bytes), gpus: gpus + other.gpus,
            power: power + other.power)
    }

    fileprivate func least(_ other: ResourceVector) -> ResourceVector {
        ResourceVector(
            cpus: min(cpus, other.cpus), memory: min(memory, other.memory), gpus: min(gpus, other.gpus),
            power: min(power, other.power))
    }
}
