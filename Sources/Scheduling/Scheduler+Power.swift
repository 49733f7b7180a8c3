package import JobAPI
package import Policy
import Units

// The power cap is a thing that the machine has so much of, like memory: what is left of it beyond the idle machine. So the first
// that waits has its reservation of it too, and nobody passes who would delay it.
extension Scheduler {
    /// What the machine and its jobs draw is known better now. Jobs that run go on as they were planned.
    package mutating func adopt(figures: PowerTerms.Figures) {
        power.figures = figures
        boundPower()
        // Of what was started before anything was known.
        for (id, job) in active where job.request.power == 0 {
            let draw = power.draw(of: job.request)
            change(id) { $0.request.power = draw }
        }
    }

    mutating func boundPower() { capacity.power = power.room }

    /// The job with what it is expected to draw: what it was added with, else what its likes drew, else what its request may.
    func planned(_ job: PendingJob) -> PendingJob {
        guard power.cap.value != nil, job.request.power == 0 else { return job }
        var job = job
        job.request.power = draw(of: job.request, likes: job.likes)
        return job
    }

    /// In mW, beyond the idle machine, at most.
    package func draw(of request: ResourceVector, likes: UInt64) -> Int {
        history.drawn(likes) ?? power.draw(of: request)
    }

    /// What the machine is expected to draw at most with all that runs, in watts.
    package var predictedWatts: Double {
        power.idle + Double(active.values.reduce(0) { $0 + $1.held.power }) / 1000
    }

    /// What admission asks: whether a job would draw more than the cap leaves even if it ran alone.
    package func expectation(for request: ResourceVector, likes: UInt64) -> PowerExpectation {
        let learned = history.drawn(likes)
        let figures = power.figures
        let left = (power.cap.value?.watts ?? 0) - power.idle - Double(request.gpus) * figures.perGPU
        return PowerExpectation(
            idle: Power(watts: power.idle), job: Power(watts: Double(learned ?? power.draw(of: request)) / 1000),
            isLearned: learned != nil,
            mostCPUs: learned == nil && figures.perCPU > 0 ? max(0, Int(min(left / figures.perCPU, 1e9))) : nil)
    }

    // MARK: - Why

    /// `machine.power-cap is 450 W (10.toml:3): 60 W idle and 320 W of jobs leave 70 W`.
    var capWords: String {
        let jobs = active.values.reduce(0) { $0 + $1.held.power }
        let left = max(0, free.power)
        return "machine.power-cap is \(power.cap.value?.description ?? "none") (\(power.cap.place)):"
            + " \(Power(watts: power.idle)) idle and \(PowerTerms.words(jobs)) expected of jobs that run"
            + (power.excess > 0 ? ", \(PowerTerms.words(power.excess)) more than expected" : "")
            + " leave \(PowerTerms.words(left))"
    }

    /// The job would draw more than the cap leaves if it ran alone: what it draws was learned since it was taken, or the policy is
    /// another.
    func beyondCap(_ job: PendingJob) -> WaitReason? {
        guard job.request.power > capacity.power else { return nil }
        return WaitReason(
            "expected to draw up to \(PowerTerms.words(job.request.power)); machine.power-cap is"
                + " \(power.cap.value?.description ?? "none") (\(power.cap.place)), of which the idle machine draws"
                + " \(Power(watts: power.idle))",
            rule: power.cap.source, hint: "cancel it and ask for less, or ask an admin to raise the cap")
    }

    // MARK: - Above the cap

    /// Why jobs stand still while the machine draws more than its cap.
    var overCap: Wait {
        Wait(
            reason:
                "suspended: the machine draws more than machine.power-cap, \(power.cap.value?.description ?? "none")"
                + " (\(power.cap.place))",
            rule: power.cap.source)
    }

    /// An active job is to stand still because the machine draws too much, or no more so. The next plan says it.
    package mutating func hold(_ id: JobID, overCap isOver: Bool) {
        guard let job = active[id], job.isOverCap != isOver else { return }
        change(id) { $0.isOverCap = isOver }
        if isOver || job.isHalted || bindings[job.standing].canSuspend {
            suspendable.insert(id)
        } else {
            suspendable.remove(id)
        }
    }

    /// The machine draws so many watts more than expected; nil when all is as it should be.
    package mutating func noteExcess(_ watts: Double?) {
        power.excess = watts.map { max(power.excess, PowerTerms.milliwatts($0)) } ?? 0
    }
}
