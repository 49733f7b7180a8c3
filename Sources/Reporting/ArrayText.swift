package import JobAPI
package import Units

/// `mlctl show` of an array: how its jobs stand, then the jobs.
package func text(_ array: ArrayReport, now: Timestamp, style: Style) -> String {
    var fields = Fields(style: style)
    fields.add("array", "\(array.id)  \(array.name)")
    fields.add("user", array.user)
    fields.add("jobs", "\(array.states.values.reduce(0, +)): \(words(array.states))")
    let rest = array.states.values.reduce(0, +) - array.jobs.count
    return fields.text + "\n" + table(JobList(jobs: array.jobs), now: now, style: style)
        + (rest > 0 ? "and \(rest) more\n" : "")
}

/// `90 queued, 8 running, 2 succeeded`, in the order of a job's life.
package func words(_ states: [String: Int]) -> String {
    let known = JobState.allCases.map(\.rawValue)
    let names = known + states.keys.filter { !known.contains($0) }.sorted()
    let parts = names.compactMap { name in states[name].map { "\($0) \(name)" } }
    return parts.isEmpty ? "none" : parts.joined(separator: ", ")
}
