import ConfigFile
import Units

extension PolicyLoader {
    mutating func addSandboxes(_ reader: ConfigReader) {
        for (name, section) in reader.namedTables("sandbox") {
            checkName(name, section)
            let index = set.sandboxes.firstIndex { $0.name == name } ?? set.sandboxes.count
            if index == set.sandboxes.count { set.sandboxes.append(SandboxProfile(name: name)) }
            if set.sandboxes[index].source == nil {
                set.sandboxes[index].source = section.reference("sandbox.\(name)")
            }
            read(section, into: &set.sandboxes[index])
            section.finish()
        }
    }

    private func read(_ section: ConfigReader, into profile: inout SandboxProfile) {
        assign(section, "network", section.boolean("network"), &profile.network)
        assign(section, "read-only", paths("read-only", section), &profile.readOnly)
        assign(section, "read-write", paths("read-write", section), &profile.readWrite)
        assign(section, "bind", binds(section), &profile.bind)
        assign(section, "devices", devices(section), &profile.devices)
        assign(section, "require", section.choice("require"), &profile.require)
        assign(section, "max-memory", size("max-memory", atLeast: .mebibytes(1), section), &profile.maxMemory)
        assign(section, "max-cpus", section.integer("max-cpus", in: 1...100_000), &profile.maxCpus)
        assign(section, "max-processes", section.integer("max-processes", in: 1...4_194_304), &profile.maxProcesses)
        assign(section, "max-file-size", fileSize(section), &profile.maxFileSize)
        let files = section.integer("max-open-files", in: SandboxProfile.leastOpenFiles...1_048_576)
        assign(section, "max-open-files", files, &profile.maxOpenFiles)
        assign(section, "max-core-size", section.size("max-core-size"), &profile.maxCoreSize)
        assign(section, "max-log-size", size("max-log-size", atLeast: .mebibytes(1), section), &profile.maxLogSize)
        let refused = calls("refuse-syscalls", section, problem: Syscalls.problem(refusing:))
        assign(section, "refuse-syscalls", refused, &profile.refuseSyscalls)
        let allowed = calls("allow-syscalls", section, problem: Syscalls.problem(allowing:))
        assign(section, "allow-syscalls", allowed, &profile.allowSyscalls)
        assign(section, "landlock", section.choice("landlock"), &profile.landlock)
    }

    private func fileSize(_ reader: ConfigReader) -> ByteSize? {
        size("max-file-size", atLeast: .mebibytes(1), reader, hint: "a job writes its log to a file too")
    }

    private func size(
        _ key: String, atLeast least: ByteSize, _ reader: ConfigReader, hint: String? = nil
    ) -> ByteSize? {
        guard let size = reader.size(key) else { return nil }
        if size < least {
            reader.report(key, "\"\(reader.name).\(key)\" must be at least \(least)", hint: hint)
            return nil
        }
        return size
    }

    private func paths(_ key: String, _ reader: ConfigReader) -> [String]? {
        guard let paths = reader.strings(key) else { return nil }
        for path in paths {
            let isRooted = path.hasPrefix("/") || path == "~" || path.hasPrefix("~/")
            if !isRooted || path.split(separator: "/").contains("..") || path.split(separator: "/").contains(".") {
                reader.report(
                    key, "\"\(reader.name).\(key)\" has \"\(path)\", which is not an absolute path",
                    hint: "start with / or ~ and leave out . and ..")
            } else {
                reportNeverGiven(path, key, reader)
            }
        }
        return paths
    }

    /// Followed with the daemon's rights, so a path of the submitter's making (`~`) is none to bind.
    private func binds(_ reader: ConfigReader) -> [String]? {
        guard let paths = reader.strings("bind") else { return nil }
        for path in paths {
            if !path.hasPrefix("/") || path.split(separator: "/").contains(where: { $0 == "." || $0 == ".." }) {
                reader.report(
                    "bind", "\"\(reader.name).bind\" has \"\(path)\", which is not an absolute path",
                    hint: path.hasPrefix("~")
                        ? "homes are given to jobs that ask, with read-only" : "start with / and leave out . and ..")
            } else if path.split(separator: "/").isEmpty {
                reader.report(
                    "bind", "\"\(reader.name).bind\" has \"\(path)\", but no job sees the whole system",
                    hint: "name the directories jobs need")
            } else {
                reportNeverGiven(path, "bind", reader)
            }
        }
        return paths
    }

    private func devices(_ reader: ConfigReader) -> [String]? {
        guard let paths = reader.strings("devices") else { return nil }
        for path in paths {
            if !DevicePath.isBelowDev(path) {
                reader.report(
                    "devices", "\"\(reader.name).devices\" has \"\(path)\", which is not a path below /dev",
                    hint: "write /dev/NAME, or /dev/DIRECTORY for all devices in it")
            } else if DevicePath.isNever(path) {
                reader.report(
                    "devices", "\"\(reader.name).devices\" has \"\(path)\", which no job is given", hint: "remove it")
            }
        }
        return paths
    }

    private func reportNeverGiven(_ path: String, _ key: String, _ reader: ConfigReader) {
        guard let never = SandboxProfile.neverGiven.first(where: { (path + "/").hasPrefix($0 + "/") }) else { return }
        reader.report(
            key, "\"\(reader.name).\(key)\" has \"\(path)\", but no job is given anything of \(never)",
            hint: "remove it")
    }

    private func calls(
        _ key: String, _ reader: ConfigReader, problem: (String) -> (message: String, hint: String)?
    ) -> [String]? {
        guard let names = reader.strings(key) else { return nil }
        for name in names {
            guard let (message, hint) = problem(name) else { continue }
            reader.report(key, "\"\(reader.name).\(key)\" has \"\(name)\", \(message)", hint: hint)
        }
        return names
    }
}
