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
    /// The last reading that the daemon before us booked.
    var lastReading: ReadingTime?
    /// Of the machine as it runs now.
    var bootID: String
}

extension EnergyMeter {
    var isFlushDue: Bool {
        !pending.isEmpty
            && BookingPace.isFlushDue(
                after: Uptime.now().since(lastFlush), jobs: tracked.count, domains: counted.count)
    }

    /// Writes what is pending to the ledger, all that was read before the call. When that fails it stays pending, and running
    /// jobs go on.
    func flush() async {
        if let running = flushing { await running.value }
        // One that began after the call holds what the caller wants.
        if let next = flushing { return await next.value }
        guard !pending.isEmpty else { return }
        await startFlush().value
    }

    @discardableResult func startFlush() -> Task<Void, Never> {
        let task = Task { await writePending() }
        flushing = task
        return task
    }

    private func writePending() async {
        // Here and not by whoever waits for it: a caller in between would take a flush that is over for a new one.
        defer { flushing = nil }
        pending = MeteredInterval.mergedByMinute(pending)
        let batch = pending
        let read = (at: lastRead, clock: lastReadBoot.text)
        do {
            try await books.ledger.add(batch, host: books.host, read: read)
            // What was read meanwhile stays; nothing is merged while a flush is under way.
            pending.removeFirst(batch.count)
            lastFlush = .now()
            recovered(from: .ledger)
        } catch {
            report("\(error)")
        }
    }

    var isCloseDue: Bool {
        isPartlyClosed || BookingPace.isCloseDue(after: Uptime.now().since(lastClose), isBusy: wasBusySinceClose)
    }

    var isKeepingDue: Bool {
        baseline != keptBaseline && BookingPace.isKeepingDue(after: Uptime.now().since(lastKept))
    }

    func startClosing() {
        closing = Task {
            defer { closing = nil }
            if isCloseDue { await close() }
            if isKeepingDue { await keepBaseline() }
        }
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
            // An old ledger's first close may take minutes; a daemon that stops, and a report, come in between.
            isPartlyClosed = !isDone
            recovered(from: .closing)
        } catch {
            report("\(error)", .closing)
        }
    }

    /// Books the time in which no daemon read the meters as a gap, of the machine and of the jobs that ran then.
    func bookOutage(_ jobs: [Outage.Job]) {
        guard let last = books.lastReading, let firstRead,
            let outage = Outage(from: last, to: firstRead, jobs: jobs)
        else { return }
        let spans = outage.jobs.map { SpanDelta(.job($0.id, attempt: $0.attempt), gap: outage.gap(of: $0)) }
        bookGap(
            from: outage.start, to: outage.end,
            spans + [SpanDelta(.gap, gap: outage.end.since(outage.start))])
        if !pending.isEmpty, flushing == nil { startFlush() }
    }

    /// The first daemon of a ledger, and of each boot, writes down when it began to read: it may be killed before it has anything to
    /// book.
    func noteFirstReading() async throws {
        guard let firstRead, let boot = firstRead.boot, books.lastReading?.boot?.id != boot.id else { return }
        await flush()
        // The outage before it is not on disk: by the old note the next daemon books it.
        guard pending.isEmpty else { return }
        try await books.ledger.noteReading(at: firstRead.at, clock: boot.text)
    }

    /// Books that an attempt ran since this daemon's first reading and was not seen: nobody knows what it drew.
    func bookUnseen(_ id: JobID, attempt: Int) {
        read()
        guard let firstRead, let began = firstRead.boot?.uptime else { return }
        let span = SpanDelta(.job(id, attempt: attempt), gap: lastReadBoot.uptime.since(began))
        // The machine itself was metered meanwhile: only the job has a gap.
        bookGap(from: lastRead, to: lastRead, [span])
    }

    private func bookGap(from start: Timestamp, to end: Timestamp, _ spans: [SpanDelta]) {
        for domain in counted {
            pending.append(
                MeteredInterval(
                    domain: domain.domain, kind: domain.kind.rawValue, source: domain.source, start: start, end: end,
                    metered: .zero, low: .zero, high: .zero, isGap: true, tier: .gap, spans: spans))
        }
    }

    /// Keeps the learned idle power for the next start.
    func keepBaseline() async {
        lastKept = .now()
        let kept = baseline
        do {
            try await books.ledger.learn("idle-baseline", JSON.text(kept), at: .now())
            keptBaseline = kept
        } catch {
            report("\(error)")
        }
    }

    /// The last reading of this daemon, and all it holds: to disk.
    func finish() async {
        await bookUp()
        await closing?.value
        await close()
        await keepBaseline()
    }
}
