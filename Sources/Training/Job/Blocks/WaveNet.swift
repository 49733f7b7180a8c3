import ConfigFile

extension BlockCatalog {
    /// Gated dilated causal convolutions with residual and skip connections; the output is the sum of the skips: van den
    /// Oord et al., "WaveNet: a generative model for raw audio", 2016. The input must have `filters` channels.
    static let waveNet: Writer = { reader in
        let kernel = reader.integer("kernel-size", in: 2...64) ?? 2
        let dilations = reader.integers("dilations", in: 1...65_536) ?? [1, 2, 4, 8, 16, 32, 64, 128, 256, 512]
        guard let filters = size(reader, "filters", example: 32) else { return nil }
        if dilations.isEmpty {
            reader.report("dilations", "\"dilations\" is empty; for example dilations = [1, 2, 4, 8]")
            return nil
        }
        var text = ""
        var input = "@"
        for (index, dilation) in dilations.enumerated() {
            let n = index + 1
            let isLast = n == dilations.count
            text += """
                [[layer]]
                name = "conv-\(n)"
                type = "conv-1d"
                filters = \(2 * filters)
                kernel-size = \(kernel)
                dilation-rate = \(dilation)
                padding = "causal"
                inputs = ["\(input)"]
                [[layer]]
                name = "gate-\(n)"
                type = "gated"
                [[layer]]
                name = "skip-\(n)"
                type = "conv-1d"
                filters = \(filters)
                kernel-size = 1

                """
            if isLast { break }
            // One more convolution for what goes on; after the last block nothing does.
            text += """
                [[layer]]
                name = "residual-\(n)"
                type = "conv-1d"
                filters = \(filters)
                kernel-size = 1
                inputs = ["gate-\(n)"]
                [[layer]]
                name = "sum-\(n)"
                type = "add"
                inputs = ["residual-\(n)", "\(input)"]

                """
            input = "sum-\(n)"
        }
        let skips = dilations.indices.map { "\"skip-\($0 + 1)\"" }.joined(separator: ", ")
        return text + """
            [[layer]]
            name = "skips"
            type = "add"
            inputs = [\(skips)]
            """
    }
}
