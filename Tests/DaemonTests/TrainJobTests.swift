import Foundation
import JobAPI
import JobClient
import Testing
import Units

/// A `[train]` job through the daemon: from its file to the model and the joules per epoch.
@Suite(.serialized) struct TrainJobTests {
    /// Bright pictures are class 1, dark ones class 0: anything that learns at all learns this.
    private func writeImages(_ count: Int, to directory: String, prefix: String) throws {
        func header(_ dimensions: [Int]) -> [UInt8] {
            [0, 0, 8, UInt8(dimensions.count)]
                + dimensions.flatMap { size in (0..<4).reversed().map { UInt8(size >> ($0 * 8) & 0xFF) } }
        }
        var images = header([count, 4, 4])
        var labels = header([count])
        for index in 0..<count {
            images += (0..<16).map { UInt8(index % 2 == 0 ? ($0 * 3 + index) % 60 : 190 + ($0 * 5 + index) % 60) }
            labels.append(UInt8(index % 2))
        }
        try Data(images).write(to: URL(fileURLWithPath: directory + "/\(prefix)-images-idx3-ubyte"))
        try Data(labels).write(to: URL(fileURLWithPath: directory + "/\(prefix)-labels-idx1-ubyte"))
    }

    private func writeJob(_ daemon: RunningDaemon, change: (String) -> String = { $0 }) throws {
        try writeImages(400, to: daemon.work, prefix: "train")
        try writeImages(100, to: daemon.work, prefix: "t10k")
        let text = """
            name = "bright-or-dark"
            project = "tests"
            [resources]
            cpus = 1
            memory = "512 MiB"
            [train]
            epochs = 3
            batch-size = 20
            optimizer = { name = "adam", learning-rate = 0.01 }
            [data]
            reader = "idx"
            path = "."
            [[model.layer]]
            type = "flatten"
            [[model.layer]]
            type = "dense"
            units = 8
            activation = "relu"
            [[model.layer]]
            type = "dense"
            units = 2
            activation = "softmax"
            """
        try change(text).write(toFile: daemon.work + "/job.toml", atomically: true, encoding: .utf8)
    }

    @Test func itLearnsAndItsJoulesArePerEpochAndSample() async throws {
        try await RunningDaemon.with { daemon in
            try writeJob(daemon)
            let result = try daemon.mlctl("submit", "job.toml", "--wait")
            #expect(result.status == 0, "\(result.err)")
            #expect(result.err.contains("epoch 3/3"))
            let detail = try await daemon.client { try await $0.job(JobID(1)) }
            #expect(detail.job.state == .succeeded)
            #expect(detail.job.kind == "train")
            let test = detail.metrics.filter { $0.split == "test" }
            #expect(test.first { $0.name == "accuracy" }?.value == 1)
            let model = try #require(detail.artifacts.first { $0.kind == "model" }?.path)
            #expect(FileManager.default.fileExists(atPath: model + "/weights.safetensors"))
            let row = try #require(try await daemon.client { try await $0.report() }.rows.first)
            #expect(row.epochs == 3)
            #expect(row.samples == 3 * 360)
            let perEpoch = try #require(row.energyPerEpochJ)
            #expect(abs(perEpoch * 3 - row.figures.energyJ) < 1e-9)
            #expect(row.energyPerSampleJ != nil)
        }
    }

    @Test func aWrongLayerIsNamedWithItsLineAndNothingIsSubmitted() async throws {
        try await RunningDaemon.with { daemon in
            try writeJob(daemon) { $0.replacingOccurrences(of: "type = \"flatten\"", with: "type = \"flaten\"") }
            let result = try daemon.mlctl("submit", "job.toml")
            #expect(result.status == 1)
            #expect(result.err.contains("job.toml:14"))
            #expect(result.err.contains("did you mean \"flatten\""))
            let jobs = try await daemon.client { try await $0.jobs() }.jobs
            #expect(jobs.isEmpty)
        }
    }

    @Test func aMissingDataSetIsRefused() async throws {
        try await RunningDaemon.with { daemon in
            try writeJob(daemon) { $0.replacingOccurrences(of: "path = \".\"", with: "path = \"nowhere\"") }
            let result = try daemon.mlctl("submit", "job.toml")
            #expect(result.status == 1)
            #expect(result.err.contains("nowhere"))
            let jobs = try await daemon.client { try await $0.jobs() }.jobs
            #expect(jobs.isEmpty)
        }
    }
}
