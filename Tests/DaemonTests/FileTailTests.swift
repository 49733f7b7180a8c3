import Foundation
import JobAPI
import Testing

@testable import Daemon

/// What a job writes is read in pieces, and may be anything.
@Suite struct FileTailTests {
    private func withFile(_ body: (String) throws -> Void) throws {
        let path = "/tmp/mldt-tail-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: path) }
        try body(path)
    }

    private func append(_ text: [UInt8], to path: String) throws {
        if !FileManager.default.fileExists(atPath: path) { try Data().write(to: URL(fileURLWithPath: path)) }
        let handle = try #require(FileHandle(forWritingAtPath: path))
        try handle.seekToEnd()
        try handle.write(contentsOf: Data(text))
        try handle.close()
    }

    @Test func onlyWhatIsNewIsRead() throws {
        try withFile { path in
            var tail = FileTail(path: path)
            #expect(tail.read().isEmpty)
            try append(Array("one".utf8), to: path)
            #expect(tail.read() == Array("one".utf8))
            #expect(tail.read().isEmpty)
            try append(Array("two".utf8), to: path)
            #expect(tail.read(limit: 2) == Array("tw".utf8))
            #expect(tail.read() == Array("o".utf8))
            // Truncated by the job: what is there now is new.
            try Data("x".utf8).write(to: URL(fileURLWithPath: path))
            #expect(tail.read() == Array("x".utf8))
        }
    }

    @Test func linksAndDevicesAreNotFollowed() throws {
        try withFile { path in
            try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: "/etc/passwd")
            var tail = FileTail(path: path)
            #expect(tail.read().isEmpty)
            var device = FileTail(path: "/dev/zero")
            #expect(device.read().isEmpty)
            for log in [path, "/dev/zero"] {
                var tail = LogTail(path: log)
                #expect(tail.read(limit: 100) == LogTail.Piece())
                tail.skipToEnd()
                #expect(tail.position == 0)
            }
        }
    }

    @Test func linesAreSplitAndLongOnesDropped() {
        var lines = LineBuffer(limit: 5)
        #expect(lines.append(Array("ab".utf8)) == [])
        #expect(lines.pendingCount == 2)
        #expect(lines.append(Array("c\n\nd\n".utf8)) == ["abc", "d"])
        #expect(lines.append(Array("muchtoolong\nok\n".utf8)) == ["ok"])
    }

    @Test func aFloodOfMetricsIsCutOff() throws {
        try withFile { path in
            let line = Array(
                "{\"event\":\"metric\",\"name\":\"\(String(repeating: "n", count: 500))\",\"value\":1}\n".utf8)
            let count = TrainingEvents.maximumKept + 10
            try append(Array([[UInt8]](repeating: line, count: count).joined()), to: path)
            var events = TrainingEvents(path: path)
            var kept = 0
            var isLast = false
            while !isLast {
                let batch = events.read()
                #expect(batch.metrics.allSatisfy { $0.name.count == 80 })
                kept += batch.metrics.count
                isLast = batch.isLast
            }
            #expect(kept == TrainingEvents.maximumKept)
            #expect(events.rejected == 10)
        }
    }

    @Test func aSparseFileWithoutLinesEnds() throws {
        try withFile { path in
            try append([], to: path)
            let handle = try #require(FileHandle(forWritingAtPath: path))
            try handle.truncate(atOffset: 1 << 42)
            try handle.close()
            var events = TrainingEvents(path: path)
            var looks = 0
            while !events.read().isLast { looks += 1 }
            #expect(looks <= Int(TrainingEvents.maximumBytes) / TrainingEvents.bytesPerRead)
        }
    }

    @Test func eventsThatAreNoneAreCountedNotBelieved() throws {
        try withFile { path in
            let text = """
                {"event":"progress","epoch":1,"epochs":3,"step":10,"steps":10,"samples":320}
                not json
                {"event":"metric","name":"loss","split":"train","value":0.5,"epoch":1}
                {"event":"progress","epoch":-5}
                {"event":"progress","epoch":99999999999999}
                {"event":"progress","epoch":2,"epochs":3,"step":4,"steps":10,"samples":448}
                {"event":"artifact","kind":"model","path":"m"}
                {"event":"done"}
                {"event":"metric","name":"half
                """
            try append(Array(text.utf8), to: path)
            var events = TrainingEvents(path: path)
            let batch = events.read()
            #expect(batch.metrics == [Metric(name: "loss", split: "train", value: 0.5, epoch: 1)])
            #expect(batch.artifacts == [Artifact(kind: "model", path: "m")])
            #expect(events.rejected == 3)
            #expect(events.completedEpochs == 1)
            #expect(events.samples == 448)
            #expect(events.progress?.epoch == 2)
            // A restarted daemon goes on behind the last whole line.
            try append(Array("\"}\n{\"event\":\"metric\",\"name\":\"a\",\"value\":1}\n".utf8), to: path)
            var next = TrainingEvents(path: path, offset: events.offset)
            #expect(next.read().metrics == [Metric(name: "a", value: 1)])
        }
    }
}
