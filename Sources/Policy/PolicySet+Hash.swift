import Units

extension PolicySet {
    /// SHA-256 over, for each file in order: its name without directories, a line end, its size in bytes, a line end, its
    /// text. `docs/policy.md` shows how to compute it with `sha256sum`.
    package static func hash(of files: [(name: String, text: String)]) -> String {
        var hash = SHA256()
        for file in files {
            hash.update("\(lastComponent(file.name))\n\(file.text.utf8.count)\n".utf8)
            hash.update(file.text.utf8)
        }
        return SHA256.hex(of: hash.digest())
    }

    static func lastComponent(_ path: String) -> String { path.split(separator: "/").last.map(String.init) ?? path }
}
