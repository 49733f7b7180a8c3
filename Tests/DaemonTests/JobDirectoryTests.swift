import Foundation
import JobAPI
import Testing
import Units

@testable import Daemon

/// A job's files are there before it begins, so that a disk that fills up later cannot fail it.
@Suite struct JobDirectoryTests {
    private func withDirectory(_ body: (JobDirectory) throws -> Void) throws {
        let jobs = "/tmp/mldt-jobs-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: jobs, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: jobs) }
        try body(JobDirectory(jobs: jobs, id: JobID(7)))
    }

    private func mode(_ path: String) -> Int? {
        (try? FileManager.default.attributesOfItem(atPath: path))?[.posixPermissions] as? Int
    }

    private let spec = JobSpec(resources: .init(cpus: 1, memory: .mebibytes(1)), command: .init(argv: ["true"]))

    @Test func whateverMayWantForSpaceIsMade() throws {
        try withDirectory { directory in
            try directory.create(spec: spec, attempt: 2)
            for log in [directory.stdout, directory.stderr, directory.events(2)] { #expect(mode(log) == 0o600) }
            #expect(mode(directory.output) == 0o700)
            let record = try FileManager.default.attributesOfItem(atPath: directory.exitRecord(2) + ".new")
            #expect(record[.size] as? Int == 4096)
        }
    }

    @Test func whatAnEarlierAttemptWroteStays() throws {
        try withDirectory { directory in
            try directory.create(spec: spec, attempt: 1)
            try Data("first".utf8).write(to: URL(fileURLWithPath: directory.stdout))
            try directory.create(spec: spec, attempt: 2)
            #expect(try String(contentsOfFile: directory.stdout, encoding: .utf8) == "first")
        }
    }

    @Test func aLinkInPlaceOfALogIsNotFollowed() throws {
        try withDirectory { directory in
            try directory.create(spec: spec, attempt: 1)
            try FileManager.default.removeItem(atPath: directory.stdout)
            try FileManager.default.createSymbolicLink(
                atPath: directory.stdout, withDestinationPath: directory.path + "/elsewhere")
            #expect(throws: DaemonError.self) {
                try directory.create(spec: spec, attempt: 2)
            }
            #expect(mode(directory.path + "/elsewhere") == nil)
        }
    }
}
