import Glibc
import Scheduling

/// What a job is given with its GPUs, and what it is not given without them.
enum GPUGrant {
    /// The cards' own nodes, and of their drivers' what is there.
    static func devices(_ gpus: [MachineLayout.GPU]) -> [String] {
        unique(gpus.flatMap(\.devices) + gpus.flatMap(\.sharedDevices).filter { access($0, F_OK) == 0 })
    }

    /// What the drivers' libraries read of the kernel's file systems, as far as it is there.
    static func readable(_ gpus: [MachineLayout.GPU]) -> [String] {
        unique(gpus.flatMap(\.readable).filter { access($0, F_OK) == 0 })
    }

    /// Devices a job asked for by name, without the nodes of GPUs: those come with the GPUs that it is granted, and no other
    /// way, whatever link leads to them.
    static func withoutOthers(_ devices: [String], of layout: MachineLayout) -> [String] {
        let nodes = Set(layout.gpus.flatMap { $0.devices + $0.sharedDevices }.map(followed))
        return devices.filter { !nodes.contains(followed($0)) }
    }

    private static func followed(_ path: String) -> String {
        guard let real = realpath(path, nil) else { return path }
        defer { free(real) }
        return String(cString: real)
    }

    private static func unique(_ paths: [String]) -> [String] {
        var seen: Set<String> = []
        return paths.filter { seen.insert($0).inserted }
    }

    /// What tells libraries which cards are theirs. Of each vendor whose cards the machine has, so that libraries of a job
    /// without GPUs look for none.
    static func variables(_ gpus: [MachineLayout.GPU], of layout: MachineLayout) -> [String: String] {
        var variables: [String: String] = [:]
        for vendor in Set(layout.gpus.map(\.vendor)) {
            let own = gpus.filter { $0.vendor == vendor }
            let names = own.map(\.visibleName).joined(separator: ",")
            switch vendor {
            case .nvidia:
                variables["CUDA_VISIBLE_DEVICES"] = names
                variables["NVIDIA_VISIBLE_DEVICES"] = names
            case .amd:
                variables["ROCR_VISIBLE_DEVICES"] = names
                // HIP counts what ROCR lets through, from 0.
                variables["HIP_VISIBLE_DEVICES"] = own.indices.map(String.init).joined(separator: ",")
            }
        }
        return variables
    }
}
