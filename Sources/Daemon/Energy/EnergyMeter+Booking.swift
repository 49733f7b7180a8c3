import JobAPI
import Ledger
import Metering
import Units

/// Where readings are booked, and by which rules the book is closed.
struct Books: Sendable {
    var ledger: Ledger
    /// This machine's number in the ledger.
    var host: Int64
    var context: ChainContext
    var retention: Retention
    /// When the daemon before us booked its last reading, if the machine has not been restarted since.
    var lastReading: Timestamp?
}

extension EnergyMeter {
    /// How many rows a second are worth writing: with many jobs each flush waits until it is worth its while, since the
    /// minutes' rows are added to and a later flush costs no more than an earlier one.
    private static let rowsPerSecond = 200.0

    var isFlushDue: Bool {
        let waited = Timestamp.now().since(lastFlush).seconds
        if tracked.isEmpty { return waited >= 60 }
        return waited >= Double(tracked.count * max(1, counted.count)) / Self.rowsPerSecond
    }

    /// Writes what is pending to the ledger, all that was read before the call. When that fails it stays pending, and running
    /// jobs go on.
    func flush() async {
        if let running = flushing { await running.value }
        // One that began after the call holds what the caller wants.
        if let next = flushing { return await next.value }
        guard !pending.isEmpty else { return }
        let task = Task { await writePending() }
        flushing = task
        await task.value
    }

    private func writePending() async {
        // Here and not by whoever waits for it: a caller in between would take a flush that is over for a new one.
        defer { flushing = nil }
        pending = MeteredInterval.mergedByMinute(pending)
        let batch = pending
        do {
            try await books.ledger.add(batch, host: books.host)
            // What was read meanwhile stays; nothing is merged while a flush is under way.
            pending.removeFirst(batch.count)
            lastFlush = .now()
            recovered()
        } catch {
            report("\(error)")
        }
    }

    /// Once a minute while jobs run, so that what they used is soon sealed; else now and then.
    var isCloseDue: Bool {
        Timestamp.now().since(lastClose) >= (wasBusySinceClose ? .seconds(60) : .seconds(600))
    }

    /// Closes the book up to the minute of the last reading, or of the first one that is not on disk.
    func close() async {
        lastClose = .now()
        wasBusySinceClose = !tracked.isEmpty
        let before = pending.map(\.end).min() ?? lastRead
        do {
            let isDone = try await books.ledger.close(
                before: min(before, lastRead), context: books.context, retention: books.retention, now: .now(),
                within: .seconds(1))
            // An old ledger's first close may take minutes: the next reading comes first.
            if !isDone { lastClose = Timestamp(microseconds: 0) }
        } catch {
            report("\(error)")
        }
    }

    /// A job that ran while no daemon did.
    struct Outage: Sendable {
        var id: JobID
        var attempt: Int
        /// Of the attempt.
        var startedAt: Timestamp?
        /// Nil while it runs.
        var endedAt: Timestamp?
    }

    /// Books the time in which no daemon read the meters as a gap, of the machine and of the jobs that ran then: from the last
    /// reading that was booked to the first of this daemon, and for a job while it ran.
    func bookOutage(_ jobs: [Outage]) async {
        guard let last = books.lastReading, let end = firstRead, last < end else { return }
        func gap(_ account: SpanAccount, from: Timestamp?, until: Timestamp?) -> SpanDelta {
            let from = min(max(from ?? last, last), end)
            let until = min(max(until ?? end, from), end)
            return SpanDelta(
                account: account, active: .zero, reservedIdle: .zero, low: .zero, high: .zero, carbon: .zero,
                carbonLow: .zero, carbonHigh: .zero, activeCarbon: .zero, gap: until.since(from), tier: .gap)
        }
        for domain in counted {
            let spans = jobs.map { job in
                gap(.job(job.id, attempt: job.attempt), from: job.startedAt, until: job.endedAt)
            }
            pending.append(
                MeteredInterval(
                    domain: domain.domain, kind: domain.kind.rawValue, source: domain.source, start: last,
                    end: end, metered: .zero, low: .zero, high: .zero, isGap: true, tier: .gap,
                    spans: spans + [gap(.gap, from: nil, until: nil)]))
        }
        await flush()
    }

    /// Keeps the learned idle power for the next start.
    func keepBaseline() async {
        do {
            try await books.ledger.learn("idle-baseline", JSON.text(baseline), at: .now())
        } catch {
            report("\(error)")
        }
    }
}
