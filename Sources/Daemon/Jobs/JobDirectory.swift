import Glibc
import JobAPI

/// The files of one job below the state directory.
struct JobDirectory: Sendable {
    let path: String

    init(jobs: String, id: JobID) {
        path = jobs + "/\(id)"
    }

    var stdout: String { path + "/stdout.log" }
    var stderr: String { path + "/stderr.log" }
    var spec: String { path + "/job.json" }
    /// Where a training job puts its model, and any job what should be kept.
    var output: String { path + "/output" }

    /// Files that belong to one attempt.
    func events(_ attempt: Int) -> String { path + "/events-\(attempt).jsonl" }
    func exitRecord(_ attempt: Int) -> String { path + "/exit-\(attempt).json" }

    /// What whoever the job runs as gets, beside the events' file, when it starts.
    func given(_ spec: JobSpec) -> [String] { spec.train == nil ? [output] : [output, self.spec] }

    /// Makes the directory and what is in it; the places the job writes to are given to its user when it starts, and to nobody else.
    ///
    /// The directory itself stays ours, to pass through only: the job may write into its output, not replace our files.
    ///
    /// Whatever may want for space is made here: the attempt's logs, which the launcher opens, and the whole of its exit record, so
    /// that a disk that fills up can neither fail its start nor make its end unknown.
    func create(spec: JobSpec, attempt: Int) throws {
        try StateDirectory.makeDirectory(path, mode: 0o711)
        try StateDirectory.makeDirectory(output, mode: 0o700)
        // What reads it is the training core; of other jobs the ledger has it.
        if spec.train != nil { try write(Array(try JSON.encode(spec, pretty: true)), to: self.spec) }
        for log in [stdout, stderr, events(attempt)] { try makeFile(log) }
        // The supervisor writes into this very file; see its `ExitRecord`.
        try reserve(exitRecord(attempt) + ".new", bytes: 4096)
    }

    /// An empty file, unless it is there.
    private func makeFile(_ path: String) throws(DaemonError) {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw DaemonError(stage: "job directory", "create \(path)", errno: errno) }
        close(descriptor)
    }

    private func reserve(_ path: String, bytes: off_t) throws(DaemonError) {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o644)
        guard descriptor >= 0 else { throw DaemonError(stage: "job directory", "create \(path)", errno: errno) }
        defer { close(descriptor) }
        let code = posix_fallocate(descriptor, 0, bytes)
        guard code == 0 else { throw DaemonError(stage: "job directory", "reserve \(path)", errno: code) }
    }

    private func write(_ bytes: [UInt8], to path: String) throws(DaemonError) {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else {
            throw DaemonError(stage: "job directory", "write \(path)", errno: errno)
        }
        defer { close(descriptor) }
        var written = 0
        while written < bytes.count {
            let count = bytes[written...].withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            guard count > 0 else {
                throw DaemonError(stage: "job directory", "write \(path)", errno: errno)
            }
            written += count
        }
    }
}
