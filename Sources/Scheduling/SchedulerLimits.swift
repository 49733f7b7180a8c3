import JobAPI
package import Policy
import Units

/// What the active jobs of one user, or of one project, may have together.
package struct SchedulerLimits: Hashable, Sendable {
    package struct Share: Hashable, Sendable {
        package var running = Setting<Int?>(nil)
        package var cpus = Setting<Int?>(nil)
        package var gpus = Setting<Int?>(nil)

        package init(
            running: Setting<Int?> = Setting(nil), cpus: Setting<Int?> = Setting(nil),
            gpus: Setting<Int?> = Setting(nil)
        ) {
            self.running = running
            self.cpus = cpus
            self.gpus = gpus
        }

        var isOpen: Bool { running.value == nil && cpus.value == nil && gpus.value == nil }

        /// What is not limited is as much as nobody has. Sums of it stay in range.
        var capacity: ResourceVector {
            ResourceVector(
                cpus: cpus.value ?? Self.plenty, memory: ByteSize(bytes: Int64(Self.plenty)),
                gpus: gpus.value ?? Self.plenty, power: Self.plenty)
        }

        private static let plenty = 1 << 60
    }

    package var user: Share
    package var project: Share

    package init(user: Share = Share(), project: Share = Share()) {
        self.user = user
        self.project = project
    }

    init(_ limits: PolicySet.Limits) {
        user = Share(running: limits.maxRunningPerUser, cpus: limits.maxCpusPerUser, gpus: limits.maxGpusPerUser)
        project = Share(
            running: limits.maxRunningPerProject, cpus: limits.maxCpusPerProject, gpus: limits.maxGpusPerProject)
    }
}

/// What active jobs have together. A suspended job counts in full: it goes on by itself, and must find its place.
struct Tally: Hashable, Sendable {
    var running = 0
    var held = ResourceVector.zero

    mutating func add(_ request: ResourceVector) {
        running += 1
        held += request
    }

    mutating func take(_ request: ResourceVector) {
        running -= 1
        held -= request
    }
}

/// Whose limit a job comes under.
enum Party: Hashable, Sendable {
    case user(UInt32)
    case project(String)
}
