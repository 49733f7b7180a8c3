import ConfigFile

extension BlockCatalog {
    /// `relu(F(x) + x)` with two 3x3 convolutions, each with batch normalisation: He et al., "Deep residual learning for
    /// image recognition", 2016. Where the size changes, `x` goes through a 1x1 convolution.
    static let residual: Writer = { reader in
        let strides = reader.integer("strides", in: 1...8) ?? 1
        let projects = reader.boolean("projection") ?? (strides != 1)
        guard let filters = size(reader, "filters", example: 16) else { return nil }
        let convolution =
            "type = \"conv-2d\"\nfilters = \(filters)\nuse-bias = false\nkernel-initializer = \"he-normal\""
        let shortcut =
            projects
            ? """
            [[layer]]
            name = "shortcut"
            \(convolution)
            kernel-size = 1
            strides = \(strides)
            padding = "same"
            inputs = ["@"]
            [[layer]]
            name = "shortcut-norm"
            type = "batch-normalization"
            momentum = 0.9
            epsilon = 1e-5

            """ : ""
        return shortcut + """
            [[layer]]
            name = "conv-1"
            \(convolution)
            kernel-size = 3
            strides = \(strides)
            padding = "same"
            inputs = ["@"]
            [[layer]]
            name = "norm-1"
            type = "batch-normalization"
            momentum = 0.9
            epsilon = 1e-5
            activation = "relu"
            [[layer]]
            name = "conv-2"
            \(convolution)
            kernel-size = 3
            padding = "same"
            [[layer]]
            name = "norm-2"
            type = "batch-normalization"
            momentum = 0.9
            epsilon = 1e-5
            [[layer]]
            name = "sum"
            type = "add"
            inputs = ["norm-2", "\(projects ? "shortcut-norm" : "@")"]
            activation = "relu"
            """
    }
}
