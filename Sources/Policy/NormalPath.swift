/// An absolute path as its components, without `.`, and refused with `..`.
struct NormalPath {
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
