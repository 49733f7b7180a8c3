import JobAPI
import Testing
import Units

@testable import Reporting

@Suite struct LiveStatusTests {
    private func event(_ kind: JobEvent.Kind, at seconds: Double, _ change: (inout JobEvent) -> Void) -> JobEvent {
        var event = JobEvent(type: kind, at: Timestamp(seconds: 1_795_507_260 + seconds))
        change(&event)
        return event
    }

    @Test func etaFollowsTheDoneShare() {
        var status = LiveStatus()
        _ = status.take(event(.state, at: 0) { $0.state = .running })
        #expect(status.secondsLeft == nil)
        _ = status.take(event(.progress, at: 30) { $0.progress = Progress(epoch: 2, epochs: 4, step: 0, steps: 10) })
        // A quarter in 30 s leaves 90 s.
        #expect(status.secondsLeft == 90)
        #expect(status.line(JobID(7), width: 100) == "job 7: epoch 2/4, step 0/10, ETA 1 min 30 s")
        // Time goes on without news of progress.
        _ = status.take(event(.power, at: 50) { _ in })
        #expect(status.secondsLeft == 70)
        _ = status.take(event(.power, at: 500) { _ in })
        #expect(status.secondsLeft == 0)
    }

    @Test func hostileEventsAreHarmless() {
        var status = LiveStatus()
        for index in 0..<100 {
            let name = String(repeating: "\u{1b}", count: 100) + "\(index)"
            _ = status.take(event(.metric, at: 0) { $0.metric = Metric(name: name, value: .nan) })
        }
        _ = status.take(
            event(.progress, at: 0) { $0.progress = Progress(epoch: .min, epochs: .max, step: .max, steps: 0) })
        _ = status.take(event(.progress, at: 0) { _ in })
        _ = status.take(event(.power, at: -1e12) { $0.energyJ = .infinity })
        let line = status.line(JobID(7), width: 100)
        #expect(!line.unicodeScalars.contains("\u{1b}"))
        #expect(displayWidth(line) <= 100)
    }

    @Test func metricsGiveWayOnANarrowTerminal() {
        var status = LiveStatus()
        _ = status.take(event(.state, at: 0) { $0.state = .running })
        _ = status.take(event(.progress, at: 30) { $0.progress = Progress(epoch: 2, epochs: 4, step: 0, steps: 10) })
        _ = status.take(event(.metric, at: 30) { $0.metric = Metric(name: "loss", split: "train", value: 0.5) })
        _ = status.take(
            event(.metric, at: 30) { $0.metric = Metric(name: "accuracy", split: "validation", value: 0.9) })
        _ = status.take(event(.power, at: 30) { ($0.powerW, $0.energyJ) = (30, 900) })
        let full = "job 7: epoch 2/4, loss 0.5, val accuracy 0.9, 30 W, 900 J, ETA 1 min 30 s"
        #expect(status.line(JobID(7), width: 100) == full)
        #expect(
            status.line(JobID(7), width: full.count - 1)
                == "job 7: epoch 2/4, loss 0.5, 30 W, 900 J, ETA 1 min 30 s")
        #expect(status.line(JobID(7), width: 12) == "job 7: epoc…")
    }

    @Test func epochIsToldOnce() {
        var status = LiveStatus()
        func progress(_ epoch: Int) -> JobEvent { event(.progress, at: 1) { $0.progress = Progress(epoch: epoch) } }
        #expect(status.take(progress(1)) == nil)
        _ = status.take(event(.metric, at: 1) { $0.metric = Metric(name: "loss", value: 0.5, epoch: 1) })
        #expect(status.take(progress(2)) == "epoch 1, loss 0.5")
        #expect(status.take(progress(1)) == nil)
        // A metric of another epoch is not passed off as this one's.
        #expect(status.take(progress(3)) == "epoch 2")
        let end = event(.state, at: 2) { $0.state = .failed }
        #expect(status.take(end) == "epoch 3")
        #expect(status.take(end) == nil)
    }
}
