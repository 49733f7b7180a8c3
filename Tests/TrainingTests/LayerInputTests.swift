import ConfigFile
import Learning
import Testing

@testable import Training

/// What layers read, by the names in job files: shapes that follow from it, and inputs that do not fit.
@Suite struct LayerInputTests {
    /// The layers begin at line 7.
    private func job(_ layers: String, path: String) -> String {
        """
        [train]
        epochs = 1
        [data]
        reader = "idx"
        path = "\(path)"
        validation-split = 0.2
        \(layers)
        """
    }

    /// The shapes of the layers over pictures of 3x4 pixels in three classes, or what is wrong with them.
    private func shapes(_ text: String) throws(ConfigProblems) -> [String] {
        let workshop: Workshop
        do {
            workshop = try Workshop()
            try workshop.makeData(train: 12, test: 0)
        } catch { return ["\(error)"] }
        let spec = try JobFile.parse(job(text, path: workshop.path))
        let prepared = try TrainingPlan.parse(spec, file: "job.toml").prepared()
        return (prepared as? PreparedTraining)?.shapes ?? []
    }

    @Test func shapesFollowFromInputs() throws {
        let shapes = try shapes(
            """
            [[model.layer]]
            name = "positions"
            type = "position-embedding"
            max-length = 3
            [[model.layer]]
            name = "waves"
            type = "positional-encoding"
            input = "input"
            [[model.layer]]
            name = "self"
            type = "multi-head-attention"
            num-heads = 3
            key-dim = 5
            causal = true
            [[model.layer]]
            name = "other"
            type = "dense"
            units = 7
            input = "positions"
            [[model.layer]]
            name = "cross"
            type = "multi-head-attention"
            num-heads = 1
            key-dim = 2
            inputs = ["self", "other"]
            [[model.layer]]
            name = "sum"
            type = "add"
            inputs = ["cross", "self", "input-1"]
            [[model.layer]]
            name = "product"
            type = "multiply"
            inputs = ["sum", "waves"]
            [[model.layer]]
            name = "both"
            type = "concatenate"
            inputs = ["product", "other", "sum"]
            [[model.layer]]
            name = "part"
            type = "slice"
            start = 9
            size = 6
            [[model.layer]]
            name = "gate"
            type = "gated"
            [[model.layer]]
            name = "scores"
            type = "dot"
            inputs = ["gate", "gate"]
            [[model.layer]]
            type = "reshape"
            target-shape = [1, 3]
            [[model.layer]]
            type = "flatten"
            [[model.layer]]
            type = "layer-normalization"
            [[model.layer]]
            type = "dense"
            units = 3
            activation = "softmax"
            """)
        #expect(
            shapes == [
                "3x4", "3x4", "3x4", "3x7", "3x4", "3x4", "3x4", "3x15", "3x6", "3x3", "3x1", "1x3", "3", "3", "3",
            ])
    }

    /// The first layer, at line 7, gives 3x5; the second one, at line 11, is wrong.
    @Test(arguments: [
        ("type = \"add\"", "layer \"x\": an add layer takes at least two inputs"),
        ("type = \"multiply\"\ninput = \"a\"", "layer \"x\": a multiply layer takes at least two inputs"),
        (
            "type = \"add\"\ninputs = [\"a\", \"b\"]",
            "layer \"x\" reads \"b\", which is no layer before it and no input of the data"
        ),
        (
            "type = \"add\"\ninputs = [\"a\", \"x\"]",
            "layer \"x\" reads \"x\", which is no layer before it and no input of the data"
        ),
        (
            "type = \"dot\"\ninputs = [\"a\", \"input-2\"]",
            "layer \"x\" reads \"input-2\", which is no layer before it and no input of the data"
        ),
        (
            "type = \"add\"\ninputs = [\"input\", \"a\"]",
            "layer \"x\": an add layer takes inputs of one shape, not 3x4 and 3x5"
        ),
        (
            "type = \"multiply\"\ninputs = [\"a\", \"a\", \"input\"]",
            "layer \"x\": a multiply layer takes inputs of one shape, not 3x5 and 3x4"
        ),
        ("type = \"concatenate\"", "layer \"x\": a concatenate layer takes at least two inputs with at least one axis"),
        (
            "type = \"dot\"\ninputs = [\"a\", \"input\"]",
            "layer \"x\": a dot layer takes two inputs of the same shape"
        ),
        (
            "type = \"dot\"\ninputs = [\"a\", \"a\", \"a\"]",
            "layer \"x\": a dot layer takes two inputs of the same shape"
        ),
        ("type = \"slice\"\nstart = 3\nsize = 3", "layer \"x\": 3x5 has no 3 values from 3 in its last axis"),
        (
            "type = \"slice\"\nsize = 2\ninputs = [\"a\", \"a\"]",
            "layer \"x\": a slice layer takes one input with at least one axis"
        ),
        (
            "type = \"reshape\"\ntarget-shape = [2, 7]",
            "layer \"x\": a sample of 3x5 has 15 values, 2x7 would need 14"
        ),
        ("type = \"gated\"", "layer \"x\": a gated layer takes one input whose last axis has an even size"),
        (
            "type = \"multi-head-attention\"\nnum-heads = 1\nkey-dim = 2\ncausal = true\ninputs = [\"a\", \"input\"]",
            "layer \"x\": a causal multi-head-attention layer takes one input, which it compares with itself"
        ),
        (
            "type = \"multi-head-attention\"\nnum-heads = 1\nkey-dim = 2\ninputs = [\"a\", \"a\", \"a\"]",
            "layer \"x\": a multi-head-attention layer takes one sequence of vectors, or two: what asks, and what is asked"
        ),
        (
            "type = \"position-embedding\"\nmax-length = 2",
            "layer \"x\": sequences of 3 steps are longer than max-length = 2"
        ),
        (
            "type = \"positional-encoding\"\ninputs = [\"a\", \"a\"]",
            "layer \"x\": a positional-encoding layer takes one sequence of vectors"
        ),
        (
            "type = \"embedding\"\ninput-dim = 9\noutput-dim = 2\nmask-zero = true",
            "layer \"x\": mask-zero needs a sequence of tokens, not samples of 3x5"
        ),
        (
            "type = \"layer-normalization\"\ninputs = [\"a\", \"a\"]",
            "layer \"x\": a layer-normalization layer takes one input with at least one axis"
        ),
        (
            "type = \"tied-dense\"\nembedding = \"a\"",
            "layer \"x\" needs an embedding layer before it called \"a\""
        ),
    ])
    func wrongInputsAreNamed(layer: String, message: String) {
        let text = """
            [[model.layer]]
            name = "a"
            type = "dense"
            units = 5
            [[model.layer]]
            name = "x"
            \(layer)
            """
        let found = problems { () throws(ConfigProblems) in _ = try shapes(text) }
        #expect(found == ["job.toml:11: model: " + message])
    }

    @Test func aMatrixIsSharedOnceAndMustFit() {
        func found(_ width: Int, _ more: String = "") -> [String] {
            problems { () throws(ConfigProblems) in
                _ = try shapes(
                    """
                    [[model.layer]]
                    type = "flatten"
                    [[model.layer]]
                    name = "words"
                    type = "embedding"
                    input-dim = 300
                    output-dim = 6
                    [[model.layer]]
                    type = "dense"
                    units = \(width)
                    [[model.layer]]
                    name = "tied"
                    type = "tied-dense"
                    embedding = "words"
                    \(more)
                    """)
            }
        }
        #expect(
            found(5) == [
                "job.toml:17: model: layer \"tied\": vectors of 5 values do not fit the embedding \"words\" of 6"
            ])
        let again =
            "[[model.layer]]\ntype = \"dense\"\nunits = 6\n[[model.layer]]\nname = \"too\"\n"
            + "type = \"tied-dense\"\nembedding = \"words\""
        #expect(
            found(6, again) == [
                "job.toml:24: model: layer \"too\" is the second one that reads the matrix of \"words\""
            ])
    }
}
