package import Units

// Small bodies of single endpoints.

/// Answer to `POST /v1/jobs`: the job is on disk.
package struct Submitted: Codable, Hashable, Sendable {
    package var id: JobID
    package var state: JobState
    package var reason: String

    package init(id: JobID, state: JobState, reason: String) {
        self.id = id
        self.state = state
        self.reason = reason
    }
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
