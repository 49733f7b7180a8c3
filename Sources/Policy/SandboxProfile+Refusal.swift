import JobAPI
import Units

// What a profile answers to a job that asks: the first thing it does not grant, with the line that bound.

extension SandboxProfile {
    func refusal(of spec: JobSpec, by submitter: Submitter, queue: String) -> Refusal? {
        let request = spec.sandbox
        if request.network, !network.value {
            return Refusal(
                "asks for the network, which jobs in queue \"\(queue)\" may not have"
                    + " (sandbox.\(name).network, \(network.place))",
                rule: network.source,
                hint: "fetch what the job needs before submitting and drop network = true, or ask an admin")
        }
        return refusal(ofResources: spec.resources, queue: queue) ?? refusal(ofPaths: spec, by: submitter)
            ?? refusal(ofDevices: request.devices, queue: queue) ?? refusal(ofLimits: request, queue: queue)
    }

    private func refusal(ofResources asked: JobSpec.Resources, queue: String) -> Refusal? {
        if let most = maxCpus.value, asked.cpus > most {
            return excess(
                "asks for \(counted(asked.cpus, "cpu"))", queue, "\(most)", "max-cpus", maxCpus.source, "cpus")
        }
        if let most = maxMemory.value, asked.memory > most {
            return excess(
                "asks for \(asked.memory) of memory", queue, "\(most)", "max-memory", maxMemory.source, "memory")
        }
        return nil
    }

    private func refusal(ofPaths spec: JobSpec, by submitter: Submitter) -> Refusal? {
        let request = spec.sandbox
        var asked: [(path: String, writing: Bool, key: String)] = []
        if let workdir = request.workdir { asked.append((workdir, true, "sandbox.workdir")) }
        asked += request.readWrite.map { ($0, true, "sandbox.read-write") }
        asked += request.readOnly.map { ($0, false, "sandbox.read-only") }
        // A training job is given its data to read, so its data is asked for.
        asked += (spec.train?.dataPaths ?? []).map { ($0.path, false, "data.\(printable($0.key))") }
        for (path, writing, key) in asked where !allows(path, writing: writing, for: submitter) {
            // What the policy gives to every job anyway.
            if !writing, let normal = NormalPath(path), bind.value.contains(where: { normal.isInside($0) }) { continue }
            return refusal(of: path, writing: writing, key: key)
        }
        return nil
    }

    private func refusal(of path: String, writing: Bool, key: String) -> Refusal {
        let shown = printable(path)
        guard let normal = NormalPath(path) else {
            return Refusal(
                "\(key) is \"\(shown)\", which is not an absolute path without \"..\"", hint: "write the full path")
        }
        if normal.isRoot || Self.neverGiven.contains(where: { normal.isInside($0) }) {
            return Refusal(
                "\(key) is \"\(shown)\", which no job is given",
                hint: key == "sandbox.workdir"
                    ? "submit from a directory of your own, or set sandbox.workdir" : "name the directory you need")
        }
        let setting = writing ? readWrite : readOnly
        let prefixes = setting.value.isEmpty ? "nothing" : setting.value.joined(separator: ", ")
        return Refusal(
            "\(key) is \"\(shown)\", where jobs may not \(writing ? "write" : "read")"
                + " (sandbox.\(name).\(writing ? "read-write" : "read-only"), \(setting.place))",
            rule: setting.source, hint: "allowed is what lies under: \(prefixes)")
    }

    private func refusal(ofDevices asked: [String], queue: String) -> Refusal? {
        for path in asked where !allows(device: path) {
            let shown = printable(path)
            guard DevicePath.isBelowDev(path) else {
                return Refusal(
                    "sandbox.devices has \"\(shown)\", which is not a path below /dev", hint: "write /dev/NAME")
            }
            if DevicePath.isNever(path) {
                return Refusal(
                    "sandbox.devices has \"\(shown)\", which no job is given",
                    hint: "memory, disks, meters, terminals and virtual machines stay with the system")
            }
            let allowed = devices.value.isEmpty ? "none" : devices.value.joined(separator: ", ")
            return Refusal(
                "sandbox.devices has \"\(shown)\", which jobs in queue \"\(queue)\" may not have"
                    + " (sandbox.\(name).devices, \(devices.place))",
                rule: devices.source, hint: "allowed here: \(allowed)")
        }
        return nil
    }

    private func refusal(ofLimits asked: JobSpec.SandboxRequest, queue: String) -> Refusal? {
        func check(_ key: String, _ value: Int?, _ most: Int, _ least: Int, _ source: RuleReference?) -> Refusal? {
            guard let value else { return nil }
            if value < least { return tooLittle(key, "\(value)", "\(least)") }
            if value <= most { return nil }
            return excess("sandbox.\(key) is \(value)", queue, "\(most)", key, source, key)
        }
        func check(
            _ key: String, _ value: ByteSize?, _ most: ByteSize?, _ least: ByteSize, _ source: RuleReference?
        ) -> Refusal? {
            guard let value else { return nil }
            if value < least { return tooLittle(key, "\(value)", "\(least)") }
            guard let most, value > most else { return nil }
            return excess("sandbox.\(key) is \(value)", queue, "\(most)", key, source, key)
        }
        return check("max-processes", asked.maxProcesses, maxProcesses.value, 1, maxProcesses.source)
            ?? check("max-file-size", asked.maxFileSize, maxFileSize.value, .mebibytes(1), maxFileSize.source)
            ?? check(
                "max-open-files", asked.maxOpenFiles, maxOpenFiles.value, Self.leastOpenFiles, maxOpenFiles.source)
            ?? check("max-core-size", asked.maxCoreSize, maxCoreSize.value, .zero, maxCoreSize.source)
    }

    /// The loader, a shared library or two and the standard three need some.
    static let leastOpenFiles = 16

    private func tooLittle(_ key: String, _ value: String, _ least: String) -> Refusal {
        Refusal("sandbox.\(key) is \(value)", hint: "ask for at least \(least)")
    }

    private func excess(
        _ what: String, _ queue: String, _ most: String, _ key: String, _ source: RuleReference?, _ asked: String
    ) -> Refusal {
        Refusal(
            "\(what); jobs in queue \"\(queue)\" may have at most \(most)"
                + " (sandbox.\(name).\(key), \(source?.place ?? "built in"))",
            rule: source, hint: "ask for at most \(asked) = \(most.contains(" ") ? "\"\(most)\"" : most)")
    }
}
