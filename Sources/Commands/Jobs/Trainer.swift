import Glibc

/// The training program beside mlctl, which alone knows the keys of training sections.
struct Trainer {
    var path: String

    /// Looks beside mlctl, in `../libexec/mld`, then along PATH; nil when it is not installed.
    static func locate(executable: String?, searchPath: String?) -> Trainer? {
        var places: [String] = []
        if let executable, let slash = executable.lastIndex(of: "/") {
            let directory = String(executable[..<slash])
            places = [directory, directory + "/../libexec/mld"]
        }
        // An empty element would mean the working directory: not a place to run programs from unasked.
        places += (searchPath ?? "").split(separator: ":").map(String.init).filter { $0.hasPrefix("/") }
        return places.map { $0 + "/mltrain" }.first { access($0, X_OK) == 0 }.map { Trainer(path: $0) }
    }

    /// Runs `mltrain check FILE` here, and returns what it said when it found problems; nil when the file is fine.
    func check(_ file: String) throws -> String? {
        let checked = try ProgramOutput(of: path, [path, "check", file], keepsErrors: true, read: Self.readAll)
        let status = checked.status
        if status == 0 { return nil }
        if !checked.output.isEmpty { return checked.output }
        let end = status & 0x7F == 0 ? "status \(status >> 8 & 0xFF)" : "signal \(status & 0x7F)"
        return "\(path) check \(file) ended with \(end)"
    }

    /// Everything up to the end, of which the first 64 KiB are kept.
    private static func readAll(_ descriptor: Int32) -> String {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = read(descriptor, &chunk, chunk.count)
            if count < 0, errno == EINTR { continue }
            if count <= 0 { break }
            if bytes.count < 1 << 16 { bytes.append(contentsOf: chunk[..<count]) }
        }
        while bytes.last == 0x0A { bytes.removeLast() }
        return String(decoding: bytes, as: UTF8.self)
    }
}
