import LinuxSystem
import TestSupport
import Testing

@testable import Metering

@Suite struct InstalledCardTests {
    @Test func anAMDCardIsReachedByItsNodes() throws {
        let machine = try FakeMachine()
        for (number, address, driver) in [
            (0, "0000:41:00.0", "amdgpu"), (1, "0000:01:00.0", "ast"), (12, "0000:03:00.0", "amdgpu"),
        ] {
            try machine.write(
                "sys/class/drm/card\(number)/device/uevent", "DRIVER=\(driver)\nPCI_SLOT_NAME=\(address)\n")
        }
        try machine.write("sys/class/drm/card0/device/numa_node", "1\n")
        try machine.write("sys/class/drm/card0/device/product_name", "Instinct MI210\n")
        try machine.write("sys/class/drm/card0/device/mem_info_vram_total", "68702699520\n")
        try machine.write("sys/class/drm/card12/device/mem_info_vram_total", "-1\n")
        try machine.write("sys/class/drm/card12/device/numa_node", "-1\n")
        try machine.write("sys/class/drm/card0/device/drm/renderD128/dev", "226:128\n")
        try machine.write("sys/class/drm/card0/device/drm/card0/dev", "226:0\n")
        try machine.write("sys/class/drm/card0-HDMI-A-1/status", "connected\n")
        try machine.write("sys/class/kfd/kfd/topology/nodes/1/gpu_id", "4711\n")
        try machine.write(
            "sys/class/kfd/kfd/topology/nodes/1/properties",
            "simd_count 240\nlocation_id \(0x4100)\ndomain 0\nunique_id 12345678901234567\n")
        let cards = InstalledCard.all(roots: machine.roots).cards
        #expect(cards.map(\.domain) == ["gpu-0000:41:00.0", "gpu-0000:03:00.0"])
        #expect(cards.map(\.devices) == [["/dev/dri/card0", "/dev/dri/renderD128"], ["/dev/dri/card12"]])
        #expect(cards.map(\.node) == [1, nil])
        #expect(cards.map(\.model) == ["AMD Instinct MI210", "AMD GPU"])
        #expect(cards.map(\.memory) == [68_702_699_520, nil])
        #expect(cards.map(\.visibleName) == ["GPU-002bdc545d6b4b87", "1"])
        #expect(cards.allSatisfy { $0.vendor == .amd && $0.sharedDevices == ["/dev/kfd"] })
    }

    /// Its power is the socket's, and so is it: no card that a job could be given.
    @Test func theGraphicsPartOfAProcessorIsNoCard() throws {
        let machine = try FakeMachine()
        try machine.write("sys/class/drm/card0/device/uevent", "DRIVER=amdgpu\nPCI_SLOT_NAME=0000:03:00.0\n")
        try machine.chip(0, "amdgpu", address: "0000:03:00.0", ["in1_label": "vddnb", "power1_average": "5000000"])
        #expect(InstalledCard.all(roots: machine.roots).cards.isEmpty)
    }

    @Test(.enabled(if: FakeNVML.library != nil, "needs a C compiler"))
    func NVIDIAsCardsAreReachedByTheirMinorNumbers() throws {
        let machine = try FakeMachine()
        let library = try FakeNVML(in: machine.directory)
        try library.say(
            "0 power 1000", "0 minor 1", "0 bus 65", "0 name NVIDIA A100-SXM4-40GB", "0 memory 42949672960",
            "1 power 1000", "1 mig 1", "2 power 1000")
        try machine.write("sys/bus/pci/devices/0000:41:00.0/numa_node", "1\n")
        var roots = machine.roots
        roots.nvml = library.path
        let search = InstalledCard.all(roots: roots, patience: 60)
        #expect(search.cards.map(\.devices) == [["/dev/nvidia1"], ["/dev/nvidia2"]])
        #expect(search.cards.map(\.node) == [1, nil])
        #expect(search.cards.map(\.model) == ["NVIDIA A100-SXM4-40GB", "Fake"])
        #expect(search.cards.map(\.memory) == [42_949_672_960, nil])
        #expect(search.cards.map(\.visibleName).first == "GPU-00000000-0000-0000-0000-000000000000")
        #expect(search.cards.map(\.domain).first == "gpu-00000000-0000-0000-0000-000000000000")
        #expect(search.cards.first?.sharedDevices.contains("/dev/nvidiactl") == true)
        #expect(search.problems == ["GPU 1 is divided into instances (MIG): not granted"])
        // What is granted is what is metered.
        let reader = try #require(NVMLReader(roots: roots, patience: 60))
        #expect(reader.descriptions.map(\.domain).contains("gpu-00000000-0000-0000-0000-000000000000"))
    }

    @Test(.enabled(if: FakeNVML.library != nil, "needs a C compiler"))
    func ADriverThatDoesNotAnswerHasNoneToGrant() throws {
        let machine = try FakeMachine()
        let library = try FakeNVML(in: machine.directory)
        try library.say("0 power 1000", "-1 hang 1")
        var roots = machine.roots
        roots.nvml = library.path
        let search = InstalledCard.all(roots: roots, patience: 0.05)
        #expect(search.cards.isEmpty)
        #expect(search.problems == ["NVIDIA's GPUs cannot be granted: NVML does not answer"])
        try library.say("0 power 1000")
    }
}
