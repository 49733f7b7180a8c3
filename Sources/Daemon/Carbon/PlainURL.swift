import Units

/// An `http://` address in its parts. The policy's reader has checked it; what it let through and is none is refused here.
struct PlainURL: Sendable, Hashable {
    var host: String
    var port: Int
    /// Path without the query, at least `/`.
    var path: String
    /// Without the question mark.
    var query: String?

    init?(_ text: String) {
        let scheme = "http://"
        guard text.hasPrefix(scheme), text.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else { return nil }
        let rest = text.dropFirst(scheme.count).prefix { $0 != "#" }
        let authority = rest.prefix { $0 != "/" && $0 != "?" }
        let target = rest.dropFirst(authority.count)
        var port: Substring?
        if authority.hasPrefix("[") {
            guard let end = authority.firstIndex(of: "]") else { return nil }
            host = String(authority[authority.index(after: authority.startIndex)..<end])
            let tail = authority[authority.index(after: end)...]
            guard tail.isEmpty || tail.hasPrefix(":") else { return nil }
            if !tail.isEmpty { port = tail.dropFirst() }
        } else {
            let parts = authority.split(separator: ":", omittingEmptySubsequences: false)
            guard parts.count <= 2, let name = parts.first else { return nil }
            host = String(name)
            if parts.count == 2 { port = parts[1] }
        }
        guard !host.isEmpty, !authority.contains("@") else { return nil }
        self.port = 80
        if let port {
            guard let number = Int(port), (1...65535).contains(number) else { return nil }
            self.port = number
        }
        let path = target.prefix { $0 != "?" }
        self.path = path.isEmpty ? "/" : String(path)
        let query = target.dropFirst(path.count).dropFirst()
        self.query = query.isEmpty ? nil : String(query)
    }

    /// As the request's first line has it.
    var target: String { path + (query.map { "?" + $0 } ?? "") }

    /// As the header `Host` has it.
    var hostHeader: String {
        let name = host.contains(":") ? "[\(host)]" : host
        return port == 80 ? name : "\(name):\(port)"
    }

    /// Without the query, in which a secret may stand.
    var shown: String { "http://\(hostHeader)\(path)" }

    func with(path: String) -> PlainURL {
        var url = self
        url.path = path
        return url
    }

    /// With this in its query, unless that is there already.
    func asking(_ key: String, _ value: String) -> PlainURL {
        let isThere = query?.split(separator: "&").contains { $0.hasPrefix(key + "=") } ?? false
        if isThere { return self }
        var url = self
        url.query = (query.map { $0 + "&" } ?? "") + key + "=" + value
        return url
    }
}
