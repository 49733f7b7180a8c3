package import ConfigFile
package import Units

// Small bodies of single endpoints.

/// Answer to `POST /v1/jobs`: the job is on disk.
package struct Submitted: Codable, Hashable, Sendable {
    /// Of the job, or of the whole array.
    package var id: JobID
    package var state: JobState
    package var reason: String
    /// How many jobs the array has; nil for a single job.
    package var elements: Int?

    package init(id: JobID, state: JobState, reason: String, elements: Int? = nil) {
        self.id = id
        self.state = state
        self.reason = reason
        self.elements = elements
    }
}

/// Answer to `GET /v1/arrays/ID` and to what is done to a whole array.
package struct ArrayReport: Codable, Hashable, Sendable {
    package var id: JobID
    package var name: String
    package var user: String
    /// How many elements are in each state.
    package var states: [String: Int]
    /// In order of their index, up to the number asked for.
    package var jobs: [JobRecord]
    /// How many elements what was asked for was done to; nil where nothing was asked for but to look.
    package var changed: Int?

    package init(
        id: JobID, name: String, user: String, states: [String: Int], jobs: [JobRecord], changed: Int? = nil
    ) {
        self.id = id
        self.name = name
        self.user = user
        self.states = states
        self.jobs = jobs
        self.changed = changed
    }
}

/// What can be done to a job that is there, as `POST /v1/jobs/ID/ACTION`.
package enum JobAction: String, CaseIterable, Sendable {
    case cancel, hold, release, suspend, resume, requeue
}

/// Answer to `GET /v1/jobs`, newest first.
package struct JobList: Codable, Hashable, Sendable {
    package var jobs: [JobRecord]

    package init(jobs: [JobRecord]) {
        self.jobs = jobs
    }
}

/// Answer to `GET /v1/health`.
package struct Health: Codable, Hashable, Sendable {
    package var version: String
    /// `user` or `system`.
    package var mode: String
    package var pid: Int32
    package var since: Timestamp
    package var stateDirectory: String
    /// Who the kernel says is asking.
    package var peerUid: UInt32

    package init(
        version: String, mode: String, pid: Int32, since: Timestamp, stateDirectory: String, peerUid: UInt32
    ) {
        self.version = version
        self.mode = mode
        self.pid = pid
        self.since = since
        self.stateDirectory = stateDirectory
        self.peerUid = peerUid
    }
}

/// What came of reading the policy files again.
package struct PolicyReload: Codable, Hashable, Sendable {
    /// SHA-256 of the files.
    package var hash: String
    package var files: [String]
    /// False where they are as they were.
    package var changed: Bool
    /// What was taken, but will not do what it seems to.
    package var warnings: [ConfigProblem]

    package init(hash: String, files: [String], changed: Bool, warnings: [ConfigProblem] = []) {
        self.hash = hash
        self.files = files
        self.changed = changed
        self.warnings = warnings
    }
}

/// Answer to `GET /v1/policy`: what is in force.
package struct PolicyReport: Codable, Hashable, Sendable {
    package struct Line: Codable, Hashable, Sendable {
        package var key: String
        package var value: String
        /// Where it was set, as `file:line`, or `built in`.
        package var source: String

        package init(key: String, value: String, source: String) {
            self.key = key
            self.value = value
            self.source = source
        }
    }

    package var files: [String]
    /// SHA-256 over the files in the order they were merged, in hexadecimal.
    package var hash: String
    package var settings: [Line]

    package init(files: [String], hash: String, settings: [Line]) {
        self.files = files
        self.hash = hash
        self.settings = settings
    }
}

/// The release, shown by `--version` and `GET /v1/health`.
package let mldVersion = "0.1.0"
