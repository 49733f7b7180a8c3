import ConfigFile
import Units

extension PolicyLoader {
    /// Lays a file's `[carbon]` over what there is. A source or price is one value: a later file's takes the place of all of it.
    mutating func addCarbon(_ reader: ConfigReader) {
        guard let section = reader.table("carbon") else { return }
        reading("carbon.source") { loader in
            loader.assign(section, "source", loader.intensitySource(section), &loader.set.carbon.source)
        }
        assign(section, "price", priceSource(section), &set.carbon.price)
        assign(section, "refresh", within(.seconds(60), .seconds(86_400), "refresh", section), &set.carbon.refresh)
        let stale = within(.seconds(60), .seconds(30 * 86_400), "stale-after", section)
        assign(section, "stale-after", stale, &set.carbon.staleAfter)
        section.finish()
    }

    private func intensitySource(_ reader: ConfigReader) -> IntensitySource? {
        switch reader.node("source")?.value {
        case nil: return nil
        case .table:
            guard let section = reader.table("source") else { return nil }
            defer { section.finish() }
            return intensitySource(in: section)
        case .string("table"): return .table
        case .string(let text):
            reader.report(
                "source", "\"carbon.source\" is \"\(printable(text))\"; it must be \"table\", a file or a service",
                hint: "write \"table\", { file = \"/srv/intensity.csv\" }"
                    + " or { url = \"http://...\", format = \"electricity-maps\" }")
        default:
            reader.report(
                "source", "\"carbon.source\" must be \"table\" or a table",
                hint: "for example { file = \"/srv/intensity.csv\" }")
        }
        return nil
    }

    private func intensitySource(in section: ConfigReader) -> IntensitySource? {
        let file = path("file", section)
        let url = url("url", section)
        let format: IntensityService.Format? = section.choice("format")
        let zone = zone(section)
        let token = path("token-file", section)
        let (hasFile, hasURL) = (section.table["file"] != nil, section.table["url"] != nil)
        if hasFile == hasURL {
            section.report(
                hasURL ? "url" : "",
                "\"carbon.source\" has \(hasFile ? "both a file and a url" : "neither a file nor a url")",
                hint: "give one of them, or source = \"table\"")
            return nil
        }
        if hasFile {
            for key in ["format", "zone", "token-file"] where section.table[key] != nil {
                section.report(key, "\"carbon.source.\(key)\" has no effect for a file", hint: "remove it")
            }
            return file.map { .file($0) }
        }
        if section.table["format"] == nil {
            section.missing("format", example: "\"\(IntensityService.Format.electricityMaps.rawValue)\"")
        }
        guard let url, let format else { return nil }
        return .service(IntensityService(url: url, format: format, zone: zone, tokenFile: token))
    }

    private func priceSource(_ reader: ConfigReader) -> PriceSource? {
        guard let node = reader.node("price") else { return nil }
        guard case .table = node.value else {
            let price = quantity("price", reader, example: "0.32 EUR/kWh", or: "{ file = \"/srv/prices.csv\" }") {
                text throws(UnitError) in try EnergyPrice(parsing: text)
            }
            guard let price else { return nil }
            if price.perKilowattHour > 0 { return .constant(price) }
            reader.report(
                "price", "\"carbon.price\" is \(price); a constant price must be above 0",
                hint: "leave the key out if nothing costs money")
            return nil
        }
        guard let section = reader.table("price") else { return nil }
        defer { section.finish() }
        let file = path("file", section)
        let currency = section.string("currency")
        let fallback = quantity("fallback", section, example: "0.32 EUR/kWh") {
            text throws(UnitError) in try EnergyPrice(parsing: text)
        }
        if section.table["file"] == nil { section.missing("file", example: "\"/srv/prices.csv\"") }
        if section.table["currency"] == nil { section.missing("currency", example: "\"EUR\"") }
        guard let file, let currency else { return nil }
        guard Money.isCurrency(currency) else {
            section.report(
                "currency", "\"carbon.price.currency\" is \"\(printable(currency))\"; it must be three capitals",
                hint: "for example \"EUR\" or \"USD\"")
            return nil
        }
        if let fallback, fallback.currency != currency {
            section.report(
                "fallback", "\"carbon.price.fallback\" is in \(fallback.currency), but the file is in \(currency)",
                hint: "write it in \(currency)/kWh")
            return nil
        }
        return .file(file, currency: currency, fallback: fallback)
    }

    // MARK: - Values

    private func url(_ key: String, _ reader: ConfigReader) -> String? {
        guard let url = reader.string(key) else { return nil }
        let name = "\"\(reader.name).\(key)\""
        let isPlain = url.utf8.allSatisfy { (0x21...0x7E).contains($0) } && url.utf8.count <= 2048
        let scheme = "http://"
        if isPlain, url.hasPrefix("https://") {
            reader.report(
                key, "\(name) begins with https://, which mld does not speak",
                hint: "let a proxy on this machine speak it for mld, and write its address: http://127.0.0.1:PORT/PATH")
            return nil
        }
        guard isPlain, url.hasPrefix(scheme) else {
            reader.report(
                key, "\(name) is \"\(printable(url))\", which is not the address of a service",
                hint: "write it like \"http://api.example.org/v3/carbon-intensity/latest\"")
            return nil
        }
        let host = url.dropFirst(scheme.count).prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        if host.contains("@") {
            reader.report(
                key, "\(name) has a name or password in it, which every user could read",
                hint: "put the token into a file of mld's own and name that as token-file")
            return nil
        }
        if host.isEmpty || host.hasPrefix(":") {
            reader.report(key, "\(name) is \"\(url)\", which names no host", hint: "write http://HOST/PATH")
            return nil
        }
        return url
    }

    /// An absolute path: the daemon stands in no directory that an admin would think of.
    private func path(_ key: String, _ reader: ConfigReader) -> String? {
        guard let path = reader.string(key) else { return nil }
        if let normal = NormalPath(path), !normal.isRoot, !path.hasSuffix("/") { return path }
        reader.report(
            key, "\"\(reader.name).\(key)\" has \"\(printable(path))\", which is not the absolute path of a file",
            hint: "start with / and leave out ..")
        return nil
    }
}
