import JobAPI
package import Units

/// What the jobs of a queue may ask of their sandbox, and the limits they get whether they ask or not.
package struct SandboxProfile: Hashable, Sendable {
    /// What to do where the machine cannot enforce all of the sandbox.
    package enum Requirement: String, CaseIterable, Sendable, Codable {
        /// Do not run the job.
        case full
        /// Run it, and record what was enforced.
        case bestEffort = "best-effort"
    }

    package var name: String
    /// Whether a job gets the network if it asks; one that does not ask never has it.
    package var network: Setting<Bool>
    /// Where the paths may lie that a job asks to read. `~` is the submitter's home.
    package var readOnly: Setting<[String]>
    /// Where the paths may lie that a job asks to write; its working directory is one of them.
    package var readWrite: Setting<[String]>
    package var require: Setting<Requirement>
    package var maxProcesses: Setting<Int>
    /// Nil for no limit.
    package var maxFileSize: Setting<ByteSize?>
    /// The first line that defined it; nil when built in.
    package var source: RuleReference?

    /// The built-in profile under a name.
    package init(name: String, source: RuleReference? = nil) {
        self.name = name
        self.network = Setting(false)
        self.readOnly = Setting(["/"])
        self.readWrite = Setting(["/"])
        self.require = Setting(.bestEffort)
        self.maxProcesses = Setting(4096)
        self.maxFileSize = Setting(nil)
        self.source = source
    }

    /// Never given to a job whatever a policy says: the kernel's interfaces, where the meters and other processes show.
    static let neverGiven = ["/proc", "/sys", "/dev"]

    /// Whether a job of `submitter` may be given `path`.
    ///
    /// The comparison is by text. Whoever binds the path asks again with symbolic links resolved, or a link inside an
    /// allowed directory leads out of it.
    package func allows(_ path: String, writing: Bool, for submitter: Submitter) -> Bool {
        guard let path = NormalPath(path), !path.isRoot,
            !Self.neverGiven.contains(where: { path.isInside($0) })
        else { return false }
        let prefixes = writing ? readWrite.value : readOnly.value
        return prefixes.contains { prefix in
            if prefix == "~" || prefix.hasPrefix("~/") {
                guard let home = submitter.home else { return false }
                return path.isInside(home + prefix.dropFirst(1))
            }
            return path.isInside(prefix)
        }
    }

    /// The first thing in `request` this profile does not grant.
    func refusal(of request: JobSpec.SandboxRequest, by submitter: Submitter, queue: String) -> Refusal? {
        if request.network, !network.value {
            return Refusal(
                "asks for the network, which jobs in queue \"\(queue)\" may not have"
                    + " (sandbox.\(name).network, \(network.place))",
                rule: network.source,
                hint: "fetch what the job needs before submitting and drop network = true, or ask an admin")
        }
        var asked: [(path: String, writing: Bool, key: String)] = []
        if let workdir = request.workdir { asked.append((workdir, true, "workdir")) }
        asked += request.readWrite.map { ($0, true, "read-write") }
        asked += request.readOnly.map { ($0, false, "read-only") }
        for (path, writing, key) in asked where !allows(path, writing: writing, for: submitter) {
            return refusal(of: path, writing: writing, key: key)
        }
        return nil
    }

    private func refusal(of path: String, writing: Bool, key: String) -> Refusal {
        let shown = printable(path)
        guard let normal = NormalPath(path) else {
            return Refusal(
                "sandbox.\(key) is \"\(shown)\", which is not an absolute path without \"..\"",
                hint: "write the full path")
        }
        if normal.isRoot || Self.neverGiven.contains(where: { normal.isInside($0) }) {
            return Refusal(
                "sandbox.\(key) is \"\(shown)\", which no job is given",
                hint: key == "workdir"
                    ? "submit from a directory of your own, or set sandbox.workdir" : "name the directory you need")
        }
        let setting = writing ? readWrite : readOnly
        let prefixes = setting.value.isEmpty ? "nothing" : setting.value.joined(separator: ", ")
        return Refusal(
            "sandbox.\(key) is \"\(shown)\", where jobs may not \(writing ? "write" : "read")"
                + " (sandbox.\(name).\(writing ? "read-write" : "read-only"), \(setting.place))",
            rule: setting.source, hint: "allowed is what lies under: \(prefixes)")
    }
}

/// An absolute path as its components, without `.`, and refused with `..`.
private struct NormalPath {
    var components: [Substring]

    init?(_ path: String) {
        guard path.hasPrefix("/"), path.utf8.count <= 4096, !path.utf8.contains(0) else { return nil }
        components = path.split(separator: "/").filter { $0 != "." }
        if components.contains("..") { return nil }
    }

    var isRoot: Bool { components.isEmpty }

    func isInside(_ prefix: String) -> Bool { components.starts(with: prefix.split(separator: "/")) }
}

/// Text from a job in a message: bounded, and without control characters.
func printable(_ text: String) -> String {
    let clean = String(
        String.UnicodeScalarView(
            text.unicodeScalars.prefix(120).map {
                $0.value < 0x20 || $0.value == 0x7F || (0x80...0x9F).contains($0.value) ? "?" : $0
            }))
    return text.unicodeScalars.count > 120 ? clean + "..." : clean
}
