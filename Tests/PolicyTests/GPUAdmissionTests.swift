import JobAPI
import Testing
import Units

@testable import Policy

/// What a job may ask of each of its GPUs.
@Suite struct GPUAdmissionTests {
    private let machine = MachineCapacity(
        cpus: 4, memory: .gibibytes(16), gpus: 4,
        cards: [
            .init(model: "NVIDIA A100-SXM4-40GB", memory: .gibibytes(40)),
            .init(model: "NVIDIA A100-SXM4-40GB", memory: .gibibytes(40)),
            .init(model: "Tesla T4", memory: .gibibytes(16)), .init(model: "AMD GPU"),
        ])

    private func ask(
        _ gpus: Int, _ memory: ByteSize? = nil, _ model: String? = nil, share: Bool? = nil,
        on machine: MachineCapacity? = nil
    ) -> Admission {
        var spec = job()
        spec.resources.gpus = gpus
        spec.resources.gpuMemory = memory
        spec.resources.gpuModel = model
        spec.resources.gpuShare = share
        return PolicySet.builtIn.admit(
            spec, by: alice, machine: machine ?? self.machine, queuedByUser: 0, now: tuesday)
    }

    @Test func whatThereIsIsTaken() {
        for admission in [
            ask(4), ask(2, gib(40)), ask(3, gib(16)), ask(2, nil, "a100"), ask(1, gib(40), "SXM4", share: true),
            ask(1, nil, "amd"),
        ] {
            #expect(admission.job != nil, "\(admission)")
        }
    }

    @Test func whatThereIsNotIsToldWithWhatThereIs() {
        let has = "there is 2 x NVIDIA A100-SXM4-40GB with 40 GiB and 1 x Tesla T4 with 16 GiB and 1 x AMD GPU"
        let cases: [(Admission, String, String)] = [
            (ask(1, gib(41)), "1 gpu with 41 GiB", "ask for at most 40 GiB of each"),
            (ask(3, gib(17)), "3 gpus with 17 GiB each", "ask for at most 16 GiB of each"),
            (ask(3, nil, "A100"), "3 gpus of model A100", "ask for at most 2 of it"),
            (ask(1, nil, "A10"), "1 gpu of model A10", "leave out the model, or ask for one of these"),
            (
                ask(1, gib(1), "amd"), "1 gpu of model amd with 1 GiB",
                "leave out the memory: how much these have their driver does not say"
            ),
        ]
        for (admission, words, hint) in cases {
            #expect(admission.refusal?.message == "asks for \(words); \(has)", "\(admission)")
            #expect(admission.refusal?.hint == hint, "\(admission)")
        }
        let counted = MachineCapacity(cpus: 4, memory: .gibibytes(16), gpus: 2)
        #expect(ask(2, on: counted).job != nil)
        #expect(ask(1, gib(1), on: counted).refusal?.message.contains("it is not known of what model") == true)
    }

    /// The wire can carry what no job file could.
    @Test func whatMakesNoSenseIsRefused() {
        for admission in [
            ask(1, .zero), ask(1, ByteSize(bytes: -5)), ask(1, ByteSize(bytes: .max)), ask(1, nil, ""),
            ask(1, nil, "a\nb"),
            ask(1, nil, String(repeating: "a", count: 5000)), ask(1, nil, nil, share: true), ask(0, nil, "\u{1B}[2J"),
        ] {
            #expect(admission.refusal != nil, "\(admission)")
            #expect(admission.refusal?.message.contains("\u{1B}") == false)
        }
    }

    @Test func aQueueSharesWhereTheMachineDoes() throws {
        let off = try policy("[queue.a]\ndefault = true\n")
        #expect(!off.sharesGPUs(inQueue: "a"))
        let on = try policy(
            "[machine]\ngpu-share = \"memory\"\n[queue.a]\ndefault = true\n[queue.b]\ngpu-share = false\n")
        #expect(on.sharesGPUs(inQueue: "a") && !on.sharesGPUs(inQueue: "b"))
    }
}
