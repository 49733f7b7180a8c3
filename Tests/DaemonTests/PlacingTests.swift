import Foundation
import JobAPI
import JobClient
import Ledger
import LinuxSystem
import Sandbox
import Scheduling
import Testing
import Units

@testable import Daemon

/// Jobs and the CPUs they get, by the built daemon.
@Suite(.serialized, .enabled(if: CPUTopology.usableNumbers().count > 1, "needs two CPUs"))
struct PlacingTests {
    /// Prints where it may run, and waits for its word.
    private func waiting(for word: String) -> [String] {
        [
            "sh", "-c",
            "sed -n 's/^Cpus_allowed_list:[^0-9]*//p' /proc/self/status; while [ ! -e \(word) ]; do sleep 0.05; done",
        ]
    }

    private func printed(_ id: JobID, _ daemon: RunningDaemon) async throws -> [Int]? {
        for _ in 0..<600 {
            let text = try await daemon.logs(id, .stdout)
            if let line = text.split(separator: "\n").first { return CPUTopology.list(String(line)) }
            try await Task.sleep(for: .milliseconds(50))
        }
        return nil
    }

    @Test func jobsRunOnDifferentCPUsAndKeepThemOverARestart() async throws {
        try await RunningDaemon.with { daemon in
            let first = try await daemon.submit(waiting(for: "one"))
            let second = try await daemon.submit(waiting(for: "two"))
            var held: [JobID: Placement] = [:]
            for id in [first, second] {
                held[id] = try await daemon.reaches(id) { $0.state == .running }.placement
                #expect(try await printed(id, daemon) == held[id]?.cpus)
                #expect(held[id]?.cpus.count == 1)
            }
            #expect(held[first] != held[second])
            let shown = try RunningDaemon.run("mlctl", ["--socket", daemon.socket, "show", "\(first)"])
            #expect(shown.out.contains("\(try #require(held[first]))"), "\(shown)")
            let devices = try await daemon.client { try await $0.devices() }.devices
            #expect(devices.contains { $0.used.contains("job \(first) on \(held[first]?.cpus[0] ?? -1)") })

            await daemon.crash()
            try await daemon.start()
            for id in [first, second] {
                #expect(try await daemon.reaches(id) { $0.state == .running }.placement == held[id])
            }
            // What one leaves is the next one's: the other's is known to be taken.
            try daemon.touch("two")
            _ = try await daemon.ended(second)
            if CPUTopology.usableNumbers().count == 2 {
                let third = try await daemon.submit(["true"])
                #expect(try await daemon.ended(third).placement == held[second])
            }
            try daemon.touch("one")
            #expect(try await daemon.ended(first).job.state == .succeeded)
        }
    }

    /// As after a crash between letting a job go on and writing down which CPUs it has.
    @Test(.enabled("needs two CPUs") { CPUTopology.usableNumbers().count >= 2 })
    func jobsThatAreFoundOnOneCPUAreSetApart() async throws {
        try await RunningDaemon.with { daemon in
            let first = try await daemon.submit(waiting(for: "one"))
            let second = try await daemon.submit(waiting(for: "two"))
            for id in [first, second] { _ = try await daemon.reaches(id) { $0.state == .running } }
            await daemon.crash()
            let edit = try RunningDaemon.run(
                "/usr/bin/env",
                [
                    "python3", "-c",
                    "import sqlite3, sys; d = sqlite3.connect(sys.argv[1]); d.execute(sys.argv[2]); d.commit()",
                    daemon.state + "/ledger.db",
                    "UPDATE attempts SET placement = (SELECT placement FROM attempts WHERE job_id = \(first))",
                ])
            #expect(edit.status == 0, "\(edit)")
            try await daemon.start()
            let held = try await daemon.client { client in
                [try await client.job(first).placement, try await client.job(second).placement]
            }
            #expect(held.compactMap { $0?.cpus.first }.count == 2 && held[0]?.cpus != held[1]?.cpus, "\(held)")
            for name in ["one", "two"] { try daemon.touch(name) }
            for id in [first, second] { #expect(try await daemon.ended(id).job.state == .succeeded) }
        }
    }

    /// As after an update from a version that chose none, or an edit of the ledger.
    @Test func aJobWithoutAPlacementOnRecordKeepsNobodyFromStarting() async throws {
        try await RunningDaemon.with { daemon in
            let first = try await daemon.submit(waiting(for: "one"))
            _ = try await daemon.reaches(first) { $0.state == .running }
            await daemon.crash()
            let sql = "UPDATE attempts SET placement = 'nonsense'"
            let edit = try RunningDaemon.run(
                "/usr/bin/env",
                [
                    "python3", "-c",
                    "import sqlite3, sys; d = sqlite3.connect(sys.argv[1]); d.execute(sys.argv[2]); d.commit()",
                    daemon.state + "/ledger.db", sql,
                ])
            try #require(edit.status == 0, "\(edit.err)")
            try await daemon.start()
            let detail = try await daemon.reaches(first) { $0.state == .running }
            #expect(detail.placement == nil)
            let second = try await daemon.submit(["true"])
            #expect(try await daemon.ended(second).placement?.cpus.count == 1)
            try daemon.touch("one")
            _ = try await daemon.ended(first)
        }
    }
}

/// What comes with the GPUs a job was given, on a machine with two AMD cards, as files present it.
@Suite struct GPUGrantTests {
    private func makeCards(_ sysfs: String) throws {
        for (number, address) in [(0, "0000:41:00.0"), (1, "0000:c1:00.0")] {
            let files = [
                "class/drm/card\(number)/device/uevent": "DRIVER=amdgpu\nPCI_SLOT_NAME=\(address)\n",
                "class/drm/card\(number)/device/drm/renderD\(128 + number)/dev": "226:\(128 + number)\n",
                "class/hwmon/hwmon\(number)/name": "amdgpu\n",
                "class/hwmon/hwmon\(number)/power1_average": "50000000\n",
                "class/hwmon/hwmon\(number)/device/uevent": "DRIVER=amdgpu\nPCI_SLOT_NAME=\(address)\n",
            ]
            for (path, text) in files {
                let url = URL(fileURLWithPath: sysfs + "/" + path)
                try FileManager.default.createDirectory(
                    at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
                try Data(text.utf8).write(to: url)
            }
        }
    }

    private func start(_ parts: DaemonParts, gpus: Int) async throws -> LiveJob? {
        let stored = try await parts.startedJob()
        var job = LiveJob(stored, on: await parts.jobs.machine, account: "")
        job.spec.resources.gpus = gpus
        let request = ResourceVector(cpus: 0, memory: .mebibytes(64), gpus: gpus)
        guard let placement = await parts.jobs.choosePlacement(for: request) else { return nil }
        await parts.jobs.allot(
            ActiveJob(id: job.id, uid: job.uid, request: request, startedAt: .now()), placement)
        return job
    }

    private func gpuNodes(_ job: LiveJob, _ parts: DaemonParts) async -> [String] {
        let devices = await parts.jobs.profile(of: job, in: parts.jobs.directory(job.id)).devices
        return devices.filter { $0.hasPrefix("/dev/dri/") }
    }

    @Test func aJobGetsTheNodesAndTheVariablesOfItsCardsAlone() async throws {
        try await DaemonParts.with(prepare: makeCards) { parts in
            let one = try #require(try await start(parts, gpus: 1))
            #expect(await gpuNodes(one, parts) == ["/dev/dri/card0", "/dev/dri/renderD128"])
            #expect(
                await parts.jobs.gpuVariables(one.id) == ["ROCR_VISIBLE_DEVICES": "0", "HIP_VISIBLE_DEVICES": "0"])
            let two = try #require(try await start(parts, gpus: 1))
            #expect(await gpuNodes(two, parts) == ["/dev/dri/card1", "/dev/dri/renderD129"])
            #expect(
                await parts.jobs.gpuVariables(two.id) == ["ROCR_VISIBLE_DEVICES": "1", "HIP_VISIBLE_DEVICES": "0"])
            // None left; a job without any sees none.
            #expect(try await start(parts, gpus: 1) == nil)
            let none = try #require(try await start(parts, gpus: 0))
            #expect(await gpuNodes(none, parts) == [])
            #expect(
                await parts.jobs.gpuVariables(none.id) == ["ROCR_VISIBLE_DEVICES": "", "HIP_VISIBLE_DEVICES": ""])
            await parts.jobs.letGo(one.id)
            #expect(await gpuNodes(try #require(try await start(parts, gpus: 1)), parts).first == "/dev/dri/card0")
            #expect(await parts.jobs.devices().contains { $0.kind == "gpu" && $0.used == "job \(two.id)" })
        }
    }

    /// The same, of the built daemon: what it says, what a job without GPUs is told, and that a card without a node does not
    /// start a job without it.
    @Test func theBuiltDaemonGrantsCardsToo() async throws {
        let prepare: (String) throws -> Void = { directory in
            _ = try RisingCounter.makePackage(below: directory + "/sys")
            let uevent = directory + "/sys/class/drm/card97/device/uevent"
            try FileManager.default.createDirectory(
                atPath: (uevent as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
            try Data("DRIVER=amdgpu\nPCI_SLOT_NAME=0000:41:00.0\n".utf8).write(to: URL(fileURLWithPath: uevent))
        }
        try await RunningDaemon.with(arguments: ["--sysfs", "{}/sys"], prepare: prepare) { daemon in
            #expect(try daemon.mlctl("devices").out.contains("gpu 0: AMD GPU at 0000:41:00.0"))
            let none = try await daemon.submit(["sh", "-c", "echo \"${ROCR_VISIBLE_DEVICES-unset}.\"; ls /dev/dri"])
            _ = try await daemon.ended(none)
            #expect(try await daemon.logs(none, .stdout) == ".\n")
            let one = try await daemon.submit(["true"]) { $0.resources.gpus = 1 }
            let detail = try await daemon.ended(one)
            #expect(detail.placement?.gpus == [.init(index: 0, id: "gpu-0000:41:00.0", shared: false)])
            #expect(detail.job.state == .failed)
            #expect(detail.job.reason.contains("/dev/dri/card97"), "\(detail.job.reason)")
        }
    }

    /// Whatever the policy lets a job ask for, and whatever link leads there. These nodes are on every machine.
    @Test func nodesOfCardsAreNotToBeHadByName() throws {
        let link = "/tmp/mldt-link-\(UUID().uuidString.prefix(8))"
        defer { try? FileManager.default.removeItem(atPath: link) }
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: "/dev/zero")
        let card = MachineLayout.GPU(
            index: 0, vendor: .nvidia, id: "gpu-a", devices: ["/dev/zero"],
            sharedDevices: ["/dev/full", "/dev/no-such"])
        let asked = ["/dev/zero", link, "/dev/full", "/dev/null"]
        #expect(GPUGrant.withoutOthers(asked, of: MachineLayout(cpus: [], gpus: [card])) == ["/dev/null"])
        #expect(GPUGrant.withoutOthers(asked, of: MachineLayout(plain: 1)) == asked)
        #expect(GPUGrant.devices([card, card]) == ["/dev/zero", "/dev/full"])
    }

    @Test func eachVendorsLibrariesAreToldTheirOwnCards() {
        let cards = [
            MachineLayout.GPU(index: 0, vendor: .nvidia, id: "gpu-a", visibleName: "GPU-a"),
            MachineLayout.GPU(index: 1, vendor: .nvidia, id: "gpu-b", visibleName: "GPU-b"),
            MachineLayout.GPU(index: 2, vendor: .amd, id: "gpu-c", visibleName: "GPU-c"),
        ]
        let layout = MachineLayout(cpus: [], gpus: cards)
        #expect(
            GPUGrant.variables(Array(cards.dropFirst()), of: layout) == [
                "CUDA_VISIBLE_DEVICES": "GPU-b", "NVIDIA_VISIBLE_DEVICES": "GPU-b", "ROCR_VISIBLE_DEVICES": "GPU-c",
                "HIP_VISIBLE_DEVICES": "0",
            ])
        #expect(GPUGrant.variables([cards[0], cards[1]], of: layout)["CUDA_VISIBLE_DEVICES"] == "GPU-a,GPU-b")
        #expect(Set(GPUGrant.variables([], of: layout).values) == [""])
        #expect(GPUGrant.variables([], of: MachineLayout(plain: 2)).isEmpty)
    }

    /// Two jobs on one card would be worse than one that waits.
    @Test func noCardIsGivenWhileItIsNotKnownWhichIsTaken() async throws {
        try await DaemonParts.with(prepare: makeCards) { parts in
            let request = ResourceVector(cpus: 0, memory: .mebibytes(64), gpus: 1)
            await parts.jobs.allot(ActiveJob(id: JobID(77), uid: 0, request: request, startedAt: .now()), nil)
            #expect(await parts.jobs.choosePlacement(for: request) == nil)
            #expect(await parts.jobs.choosePlacement(for: ResourceVector(cpus: 1, memory: .zero)) != nil)
            let waiting = PendingJob(
                id: JobID(78), uid: 0, queue: "batch", priority: 0, submittedAt: .now(),
                request: ResourceVector(cpus: 1, memory: .mebibytes(64), gpus: 1))
            await parts.jobs.queue(waiting)
            let reason = await parts.jobs.scheduler.reason(for: JobID(78), now: .now())
            #expect(reason?.text.contains("without a record of its gpus") == true, "\(reason?.text ?? "")")
            await parts.jobs.letGo(JobID(77))
            #expect(await parts.jobs.choosePlacement(for: request) != nil)
            #expect(await parts.jobs.placements.isEmpty)
        }
    }

    /// Of a card that nobody can be seen on, whoever was given it pays; without an owner it is a gap.
    @Test func theEnergyOfACardIsItsOwners() async throws {
        try await DaemonParts.with(prepare: makeCards) { parts in
            var job = parts.tracked(JobID(7))
            job.gpus.alone = ["gpu-0000:41:00.0"]
            await parts.meter.begin([job])
            var shares: [String: Set<String>] = [:]
            for _ in 0..<600 where shares.count < 2 {
                try await Task.sleep(for: .milliseconds(10))
                try await parts.tick()
                for interval in await parts.meter.pending where interval.metered > .zero {
                    guard interval.domain.hasPrefix("gpu-") else { continue }
                    let drawn = interval.spans.filter { $0.active > .zero }
                    shares[interval.domain, default: []].formUnion(drawn.map { "\($0.account)" })
                }
            }
            #expect(shares["gpu-0000:41:00.0"] == ["\(SpanAccount.job(JobID(7), attempt: 1))"])
            #expect(shares["gpu-0000:c1:00.0"] == ["\(SpanAccount.gap)"])
        }
    }
}
