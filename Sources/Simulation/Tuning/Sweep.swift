package import JobAPI
import Policy
import Units

/// Replays a trace once for each value of a setting, and says which values are worth choosing from.
package enum Sweep {
    /// - Parameters:
    ///   - files: the policy the setting is turned in; none is the built-in policy.
    ///   - name: how the trace is called.
    /// - Throws: where a value does not go with the policy, before anything is replayed.
    package static func run(
        _ knob: Knob, in files: [(name: String, text: String)], over trace: Trace, named name: String,
        on machine: SimulatedMachine, prices: GridPrices = GridPrices(), options: Replay.Options = Replay.Options()
    ) throws(SweepError) -> SweepReport {
        do {
            try knob.check(in: files.isEmpty ? .builtIn : PolicySet.load(files: files))
        } catch let error as SweepError {
            throw error
        } catch {
            throw SweepError("\(error)")
        }
        var policies: [(value: String, policy: PolicySet)] = []
        for value in knob.values { policies.append((value, try policy(knob, value, files))) }
        var options = options
        options.prices = prices
        var rows = policies.map { entry in
            let log = Replay.run(trace, under: entry.policy, on: machine, options: options)
            let outcome = Outcome(log, of: trace, on: machine, prices: prices, restart: options.forecast?.restart ?? 0)
            return SweepReport.Row(value: entry.value, figures: outcome.figures, notes: outcome.notes)
        }
        for (index, isBest) in best(rows.map { ($0.figures.carbonG ?? $0.figures.energyJ, $0.figures.waitMeanS) })
            .enumerated()
        {
            rows[index].isBest = isBest
        }
        var notes = trace.notes
        if let first = rows.first, rows.count > 1, rows.allSatisfy({ $0.figures == first.figures }) {
            notes.append("no value of \(knob.name) changes anything: nothing in this trace, or its signals, meets it")
        }
        return SweepReport(trace: name, knob: knob.name, rows: rows, notes: notes)
    }

    /// The policy with the setting at a value: a file that is merged after all others.
    static func policy(
        _ knob: Knob, _ value: String, _ files: [(name: String, text: String)]
    ) throws(SweepError) -> PolicySet {
        let turned = (name: "~\(knob.name)", text: knob.line(value))
        do {
            var all = files
            // The built-in queues stand only while no file defines one, and the setting would be the first.
            if knob.name.hasPrefix("queue."), try PolicySet.load(files: files).queues.allSatisfy({ $0.source == nil }) {
                all.append((name: " built-in queues", text: builtInQueues))
            }
            return try PolicySet.load(files: all + [turned])
        } catch {
            throw SweepError("\(knob.name) = \"\(shown(value))\" does not go with the policy: \(error)")
        }
    }

    private static var builtInQueues: String {
        PolicySet.builtIn.queues.map { queue in
            var text = "[queue.\(queue.name)]\npriority = \(queue.priority.value)\n"
            if let time = queue.maxTime.value { text += "max-time = \"\(Int64(saturating: time.seconds)) s\"\n" }
            return text + (queue.isDefault.value ? "default = true\n" : "")
        }.joined()
    }

    /// Which points no other is better than: no more of either, and less of one.
    static func best(_ points: [(Double, Double)]) -> [Bool] {
        points.map { point in
            !points.contains { other in
                other.0 <= point.0 && other.1 <= point.1 && (other.0 < point.0 || other.1 < point.1)
            }
        }
    }
}
