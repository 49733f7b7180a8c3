package import LinuxSystem
import Units

/// NVIDIA cards: the driver's energy counter (Volta and later), else its power sensor, integrated.
///
/// Every call into the library is made on another thread: a driver whose card has fallen off the bus may answer after half a
/// minute or never, and jobs must start and end meanwhile.
package struct NVMLReader: MeterReader {
    /// How long a reading waits for all cards together, in seconds. Cards answer within some milliseconds.
    static let patience = 0.2
    /// How long the start of mld waits for the library, in seconds: it may have to wake the cards.
    static let startPatience = 10.0
    /// Seconds between two looks for cards that are lost.
    static let lookSeconds = 60.0

    private let patience: Double
    private var library: NVML?
    private var cards: [NVMLCard] = []
    /// By index: cards that have not told their name yet. They are there, so they are gaps.
    private var lost: [Int: MeterDescription] = [:]
    private var unused: [MeterDescription] = []
    /// The look for cards that has not come back yet.
    private var search: BoundedCall<NVMLSearch.Result>?
    private var sinceLook = 0.0

    /// Nil where there is no driver, or no card.
    package init?(roots: SystemRoots) {
        self.init(roots: roots, patience: Self.patience, startPatience: Self.startPatience)
    }

    /// - Parameter patience: tests wait longer, for they share the machine, or shorter.
    init?(roots: SystemRoots, patience: Double, startPatience: Double = startPatience) {
        guard let name = roots.nvml else { return nil }
        self.patience = patience
        search = try? BoundedCall { NVMLSearch.open(name) }
        guard search != nil else {
            unused = [Self.unusable("nvml", "the system gives no thread")]
            return
        }
        guard let found = search?.answer(within: startPatience) else {
            // Looked for on; what it finds later counts from then on.
            unused = [Self.unusable("nvml", "NVML does not answer")]
            return
        }
        search = nil
        take(found)
        if descriptions.isEmpty { return nil }
    }

    private static func unusable(_ domain: String, _ reason: String) -> MeterDescription {
        MeterDescription(
            domain: domain, kind: .gpu, source: "NVML", tier: .measured, status: "cannot be read: \(reason)",
            counted: false)
    }

    /// Takes in what a look for cards has found.
    /// - Returns: the cards that are new.
    @discardableResult
    private mutating func take(_ found: NVMLSearch.Result) -> Range<Int> {
        let before = cards.count
        unused.removeAll { $0.domain == "nvml" }
        if let reason = found.reason { unused.append(Self.unusable("nvml", reason)) }
        library = found.library ?? library
        guard let library, found.reason == nil else { return before..<before }
        for card in found.cards {
            lost[card.index] = nil
            cards.append(NVMLCard(card, library))
        }
        for (index, reason) in found.refused {
            lost[index] = nil
            unused.removeAll { $0.domain == "gpu \(index)" }
            unused.append(Self.unusable("gpu \(index)", reason))
        }
        for (index, reason) in found.lost {
            lost[index] = MeterDescription(
                domain: "gpu \(index)", kind: .gpu, source: "NVML", tier: .measured, status: reason)
        }
        return before..<cards.count
    }

    package var descriptions: [MeterDescription] {
        cards.map(\.description) + lost.sorted { $0.key < $1.key }.map(\.value) + unused
    }

    package mutating func begin() { begin(cards.indices) }

    private mutating func begin(_ range: Range<Int>) {
        for index in range { cards[index].ask(nil) }
        let end = Self.now() + patience
        for index in range { cards[index].begin(within: end - Self.now()) }
    }

    package mutating func sample(_ tick: MeterTick) -> [DomainSample] {
        for index in cards.indices { cards[index].ask(tick) }
        let end = Self.now() + patience
        var samples = cards.indices.map { cards[$0].sample(tick, within: end - Self.now()) }
        for index in lost.keys.sorted() {
            guard var description = lost[index] else { continue }
            samples.append(description.sample(.gap(tick.doubt ?? description.status), over: tick))
        }
        look(tick)
        return samples
    }

    /// Looks for lost cards again, now and then, and counts those it finds from here on.
    private mutating func look(_ tick: MeterTick) {
        sinceLook += tick.seconds
        var wait = 0.0
        if search == nil, sinceLook >= Self.lookSeconds, let library, !lost.isEmpty || cards.isEmpty {
            sinceLook = 0
            wait = patience
            let indices = cards.isEmpty ? nil : lost.keys.sorted()
            search = try? BoundedCall { NVMLSearch.look(library, at: indices) }
        }
        guard let found = search?.answer(within: wait) else { return }
        search = nil
        begin(take(found))
    }

    private static func now() -> Double { Double(SystemClock.monotonicNanoseconds()) / 1e9 }
}
