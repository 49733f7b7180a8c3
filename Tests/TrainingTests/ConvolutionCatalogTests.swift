import ConfigFile
import Learning
import Testing

@testable import Training

@Suite struct ConvolutionCatalogTests {
    private func plan(_ layers: String) throws(ConfigProblems) -> TrainingPlan {
        let text = """
            [train]
            epochs = 1
            batch-size = 8
            optimizer = { name = "adam" }
            [data]
            reader = "idx"
            path = "/nowhere"
            \(layers)
            [[model.layer]]
            type = "flatten"
            [[model.layer]]
            type = "dense"
            units = 10
            activation = "softmax"
            """
        return try TrainingPlan.parse(try JobFile.parse(text), file: "job.toml")
    }

    @Test func readsEveryOption() throws {
        let plan = try plan(
            """
            [[model.layer]]
            type = "conv-2d"
            filters = 8
            kernel-size = [3, 5]
            strides = 2
            padding = "same"
            activation = "relu"
            use-bias = false
            kernel-initializer = "he-normal"
            [[model.layer]]
            type = "conv-2d"
            filters = 8
            kernel-size = 3
            dilation-rate = [2, 1]
            groups = 4
            [[model.layer]]
            type = "batch-normalization"
            momentum = 0.9
            epsilon = 1e-5
            activation = "relu"
            [[model.layer]]
            type = "max-pooling-2d"
            pool-size = [3, 2]
            strides = 1
            padding = "same"
            [[model.layer]]
            type = "up-sampling-2d"
            size = 3
            """)
        let layers = plan.layers.entries.map(\.layer)
        let first = try #require(layers[0] as? Conv2D)
        #expect(
            first.options
                == Conv2D(
                    filters: 8, kernelSize: Extent(3, 5), strides: Extent(2), padding: .same, activation: .relu,
                    usesBias: false, kernelInitializer: .heNormal
                ).options)
        let second = try #require(layers[1] as? Conv2D)
        #expect(
            second.options
                == Conv2D(filters: 8, kernelSize: Extent(3), dilationRate: Extent(2, 1), groups: 4).options)
        let norm = try #require(layers[2] as? BatchNormalization)
        #expect(norm.momentum == 0.9 && norm.epsilon == 1e-5 && norm.activation == .relu)
        #expect(layers[3] is MaxPooling2D)
        #expect((layers[4] as? UpSampling2D)?.size == Extent(3))
    }

    @Test(arguments: [
        ("type = \"conv-2d\"\nkernel-size = 3", "\"filters\" is missing"),
        ("type = \"conv-2d\"\nfilters = 3", "\"kernel-size\" is missing"),
        ("type = \"conv-2d\"\nfilters = 3\nkernel-size = [3]", "two of them: [height, width]"),
        ("type = \"conv-2d\"\nfilters = 3\nkernel-size = [3, 0]", "two of them: [height, width]"),
        ("type = \"conv-2d\"\nfilters = 3\nkernel-size = 3\npadding = \"causal\"", "is for conv-1d"),
        ("type = \"max-pooling-2d\"\npool-size = 0", "must be from 1"),
        ("type = \"batch-normalization\"\nmomentum = 2", "between 0.0 and 1.0"),
    ])
    func namesWhatIsWrong(layer: String, part: String) {
        let found = problems { () throws(ConfigProblems) in _ = try plan("[[model.layer]]\n" + layer) }
        #expect(found.contains { $0.contains(part) }, "\(found)")
    }
}
