import Foundation
import JobAPI
import JobClient
import LinuxSystem
import TestSupport
import Testing
import Units

@testable import Daemon

/// Jobs on cards of a stand-in for NVIDIA's library, by the built daemon. Their device nodes are made in a file system of its own:
/// `/dev/zero` under the names of cards.
@Suite(
    .serialized,
    .enabled(if: FakeNVML.library != nil && geteuid() == 0, "needs a C compiler, and root to make device nodes"),
    .enabled(if: CPUTopology.usableNumbers().count > 1, "needs two CPUs"))
struct GPUSharingTests {
    private static let wrapper = [
        "/usr/bin/unshare", "--mount", "/bin/sh", "-ec",
        """
        mkdir -p {}/dev
        mount -t tmpfs -o mode=755 dev {}/dev
        cd {}/dev
        mknod -m 666 null c 1 3; mknod -m 666 zero c 1 5; mknod -m 666 full c 1 7; mknod -m 666 random c 1 8
        mknod -m 666 urandom c 1 9; mknod -m 666 tty c 5 0; mknod -m 666 nvidia0 c 1 5; mknod -m 666 nvidia1 c 1 5
        mkdir -m 1777 shm; ln -s /proc/self/fd fd
        cd /
        mount --move {}/dev /dev
        exec "$@"
        """, "sh",
    ]

    private static let uuid = "GPU-00000000-0000-0000-0000-00000000000"
    private let sharing = "[machine]\ngpu-share = \"memory\"\n"

    private func until(_ word: String) -> [String] {
        ["sh", "-c", "echo $CUDA_VISIBLE_DEVICES; ls /dev/nvidia?; while [ ! -e \(word) ]; do sleep 0.05; done"]
    }

    /// - Parameter cards: what is said of each.
    private func with(
        _ policy: String, cards: [String], _ body: (RunningDaemon, FakeNVML) async throws -> Void
    ) async throws {
        var library: FakeNVML?
        let lines = cards.enumerated().map { "\($0.offset) power 50000\n\($0.offset) limit 250000\n" + $0.element }
        try await RunningDaemon.with(
            arguments: ["--sysfs", "{}/sys", "--nvml", "{}/libnvidia-ml.so.1"], wrapper: Self.wrapper,
            prepare: { directory in
                _ = try RisingCounter.makePackage(below: directory + "/sys")
                let fake = try FakeNVML(in: directory)
                try fake.say(lines.joined(separator: "\n"))
                library = fake
                try FileManager.default.createDirectory(
                    atPath: directory + "/policies", withIntermediateDirectories: true)
                try Data(policy.utf8).write(to: URL(fileURLWithPath: directory + "/policies/10.toml"))
            }
        ) { daemon in try await body(daemon, try #require(library)) }
    }

    private func card(_ number: Int, _ name: String, gib: Int) -> String {
        "\(number) name \(name)\n\(number) memory \(gib << 30)\n"
    }

    private func asks(
        _ gib: Int64?, model: String? = nil, share: Bool? = nil, queue: String? = nil
    ) -> (inout JobSpec) -> Void {
        return { spec in
            spec.queue = queue
            spec.resources.gpus = 1
            spec.resources.gpuMemory = gib.map(ByteSize.gibibytes)
            spec.resources.gpuModel = model
            spec.resources.gpuShare = share
        }
    }

    private func why(_ id: JobID, _ daemon: RunningDaemon) async throws -> Explanation {
        try await daemon.client { try await $0.why(id) }
    }

    private func printed(_ id: JobID, _ daemon: RunningDaemon) async throws -> [String] {
        for _ in 0..<600 {
            let lines = try await daemon.logs(id, .stdout).split(separator: "\n").map(String.init)
            if lines.count > 1 { return lines }
            try await Task.sleep(for: .milliseconds(50))
        }
        return []
    }

    @Test func twoJobsShareACardAndAThirdWaitsForMemory() async throws {
        try await with(sharing, cards: [card(0, "NVIDIA A100-SXM4-16GB", gib: 16)]) { daemon, _ in
            let first = try await daemon.submit(until("one"), change: asks(8, model: "A100"))
            let second = try await daemon.submit(until("two"), change: asks(6))
            for id in [first, second] {
                let detail = try await daemon.reaches(id) { $0.state == .running }
                #expect(detail.placement?.gpus.map(\.index) == [0])
                #expect(try await printed(id, daemon) == [Self.uuid + "0", "/dev/nvidia0"])
            }
            let third = try await daemon.submit(["true"], change: asks(4, model: "a100"))
            let reason = try await why(third, daemon)
            #expect(
                reason.reason.contains(
                    "2 GiB more on a gpu of model NVIDIA A100-SXM4-16GB: held by jobs \(first), \(second)"),
                "\(reason)")
            let devices = try daemon.mlctl("devices").out
            #expect(
                devices.contains("16 GiB") && devices.contains("job \(first) (8 GiB), job \(second) (6 GiB)"),
                "\(devices)")
            let shown = try daemon.mlctl("show", "\(first)").out
            #expect(shown.contains("1 gpu of model A100 with 8 GiB, may share"), "\(shown)")
            // Adopted as they were.
            await daemon.crash()
            try await daemon.start()
            let again = try await why(third, daemon)
            #expect(again.reason.contains("2 GiB more on a gpu"), "\(again)")
            try daemon.touch("two")
            #expect(try await daemon.ended(third).job.state == .succeeded)
            try daemon.touch("one")
            #expect(try await daemon.ended(first).job.state == .succeeded)
        }
    }

    /// Through a policy that came later, and a daemon that knows of it from the ledger alone.
    @Test func whatWasGivenAloneStaysAlone() async throws {
        try await with("", cards: [card(0, "Tesla T4", gib: 16)]) { daemon, _ in
            let first = try await daemon.submit(until("one"), change: asks(8))
            let detail = try await daemon.reaches(first) { $0.state == .running }
            #expect(detail.placement?.gpus.map(\.shared) == [false])
            try daemon.write(policy: sharing)
            #expect(try daemon.mlctl("policy", "reload").status == 0)
            await daemon.crash()
            try await daemon.start()
            let second = try await daemon.submit(["true"], change: asks(4))
            // What fits starts meanwhile.
            #expect(try await daemon.ended(try await daemon.submit(["true"])).job.state == .succeeded)
            let reason = try await why(second, daemon)
            #expect(reason.state == .queued && reason.reason.contains("waits for 1 of 1 gpu"), "\(reason)")
            try daemon.touch("one")
            #expect(try await daemon.ended(second).placement?.gpus.map(\.shared) == [true])
        }
    }

    @Test func whoForbidsSharingWaitsForACardAlone() async throws {
        let queues = sharing + "[queue.batch]\ndefault = true\n[queue.exclusive]\ngpu-share = false\n"
        try await with(queues, cards: [card(0, "Tesla T4", gib: 16)]) { daemon, _ in
            let first = try await daemon.submit(until("one"), change: asks(8))
            _ = try await daemon.reaches(first) { $0.state == .running }
            let waiting = [
                try await daemon.submit(["true"], change: asks(4, share: false)),
                try await daemon.submit(["true"], change: asks(4, queue: "exclusive")),
                try await daemon.submit(["true"], change: asks(nil)),
            ]
            for id in waiting {
                let reason = try await why(id, daemon)
                #expect(reason.state == .queued && reason.reason.contains("waits for 1 of 1 gpu"), "\(reason)")
            }
            #expect(
                try await why(waiting[0], daemon).hint?.contains("with gpus that it shares it would start now") == true)
            try daemon.touch("one")
            for id in waiting { #expect(try await daemon.ended(id).job.state == .succeeded) }
        }
    }

    @Test func modelsAndMemoryDecideAndRefusalsSayWhatThereIs() async throws {
        let cards = [card(0, "NVIDIA A100-SXM4-40GB", gib: 40), card(1, "Tesla T4", gib: 16)]
        try await with(sharing, cards: cards) { daemon, _ in
            for (change, place) in [(asks(nil, model: "t4"), 1), (asks(20), 0), (asks(8), 1)] {
                let detail = try await daemon.ended(try await daemon.submit(["true"], change: change))
                #expect(detail.job.state == .succeeded, "\(detail.job.reason)")
                #expect(detail.placement?.gpus.map(\.index) == [place])
            }
            let has = "there is 1 x NVIDIA A100-SXM4-40GB with 40 GiB and 1 x Tesla T4 with 16 GiB"
            for (gib, model, words) in [
                (48, nil, "1 gpu with 48 GiB"), (20, "T4", "1 gpu of model T4 with 20 GiB"),
                (nil, "H100", "1 gpu of model H100"),
            ] as [(Int64?, String?, String)] {
                let error = await #expect(throws: ClientError.self) {
                    try await daemon.submit(["true"], change: asks(gib, model: model))
                }
                #expect(
                    error?.description.hasPrefix("asks for \(words); \(has)") == true, "\(error?.description ?? "")")
            }
        }
    }

    @Test func cardsThatOthersUseAreAvoided() async throws {
        let said = [card(0, "Tesla T4", gib: 16), card(1, "Tesla T4", gib: 16)]
        let foreign = "0 compute \(getpid()) \(6 << 30)\n"
        try await with(sharing, cards: [said[0] + foreign, said[1]]) { daemon, library in
            var devices = ""
            for _ in 0..<200 where !devices.contains("others (6 GiB)") {
                try await Task.sleep(for: .milliseconds(50))
                devices = try daemon.mlctl("devices").out
            }
            #expect(devices.contains("others (6 GiB)"), "\(devices)")
            let first = try await daemon.submit(until("one"), change: asks(nil))
            #expect(try await daemon.reaches(first) { $0.state == .running }.placement?.gpus.map(\.index) == [1])
            let second = try await daemon.submit(["true"], change: asks(12))
            let reason = try await why(second, daemon)
            #expect(
                reason.reason.hasPrefix("waits for 1 of 1 gpu with 12 GiB: held by job \(first); ")
                    && reason.reason.contains("processes that are no job's hold 6 GiB of gpu 0"), "\(reason)")
            // Beside the others there is room for less.
            let third = try await daemon.submit(["true"], change: asks(10))
            #expect(try await daemon.ended(third).placement?.gpus.map(\.index) == [0])
            try library.say(said.enumerated().map { "\($0.offset) power 50000\n" + $0.element }.joined(separator: "\n"))
            #expect(try await daemon.ended(second).placement?.gpus.map(\.index) == [0])
            try daemon.touch("one")
            _ = try await daemon.ended(first)
        }
    }

    @Test func aCardIsHeldToItsJobsLimitAndPutBack() async throws {
        let policy =
            sharing + "[machine.power-limit-floor]\ngpu = \"120 W\"\n"
            + "[queue.batch]\ndefault = true\npower-limit = \"150 W\"\n[queue.low]\npower-limit = \"130 W\"\n"
        let bounds = "0 least 100000\n0 most 300000\n"
        try await with(policy, cards: [card(0, "Tesla T4", gib: 16) + bounds]) { daemon, library in
            func limit() -> String? { try? String(contentsOfFile: library.path + ".limit-0", encoding: .utf8) }
            func reaches(_ text: String) async throws {
                for _ in 0..<600 where limit() != text { try await Task.sleep(for: .milliseconds(50)) }
                #expect(limit() == text)
            }
            #expect(limit() == nil)
            let first = try await daemon.submit(until("one"), change: asks(nil))
            let detail = try await daemon.reaches(first) { $0.state == .running }
            #expect(limit() == "150000")
            #expect(
                detail.enforced.contains { $0.hasPrefix("power: 150 W by gpu-00000000-") }, "\(detail.enforced)")
            try daemon.touch("one")
            #expect(try await daemon.ended(first).job.state == .succeeded)
            try await reaches("250000")
            // What a killed daemon set the next one undoes, or keeps for a job that runs on.
            let second = try await daemon.submit(until("two"), change: asks(8, share: false, queue: "low"))
            _ = try await daemon.reaches(second) { $0.state == .running }
            try await reaches("130000")
            await daemon.crash()
            try await daemon.start()
            try await reaches("130000")
            try daemon.touch("two")
            _ = try await daemon.ended(second)
            try await reaches("250000")
            // A card that others may share is nobody's to hold down.
            let shared = try await daemon.submit(["true"], change: asks(8))
            let beside = try await daemon.ended(shared)
            #expect(
                beside.enforced.contains {
                    $0.hasPrefix("not: power limit of 150 W") && $0.contains("other jobs may share")
                },
                "\(beside.enforced)")
            #expect(limit() == "250000")
        }
    }
}
