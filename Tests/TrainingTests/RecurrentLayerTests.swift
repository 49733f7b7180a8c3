import ConfigFile
import Learning
import Testing

@testable import Training

@Suite struct RecurrentLayerTests {
    private func layers(_ text: String) throws(ConfigProblems) -> [any Layer] {
        let job = """
            [train]
            epochs = 1
            [data]
            reader = "idx"
            path = "/nowhere"

            """
        return try TrainingPlan.parse(try JobFile.parse(job + text), file: "job.toml").layers.entries.map(\.layer)
    }

    @Test func optionsAndTheirDefaults() throws {
        let layers = try layers(
            """
            [[model.layer]]
            type = "lstm"
            units = 64
            return-sequences = true
            [[model.layer]]
            type = "gru"
            units = 3
            bidirectional = true
            [[model.layer]]
            type = "simple-rnn"
            units = 5
            """)
        let lstm = try #require(layers[0] as? LSTM)
        #expect(lstm.units == 64 && lstm.returnsSequences && !lstm.isBidirectional)
        let gru = try #require(layers[1] as? GRU)
        #expect(gru.units == 3 && !gru.returnsSequences && gru.isBidirectional)
        let simple = try #require(layers[2] as? SimpleRNN)
        #expect(simple.units == 5 && !simple.returnsSequences && !simple.isBidirectional)
    }

    @Test(arguments: [
        ("", "\"units\" is missing"), ("units = 0", "it must be from 1 to"),
        ("units = 2\nreturn-sequence = true", "did you mean \"return-sequences\"?"),
    ])
    func mistakes(_ options: String, _ message: String) {
        let messages = problems { () throws(ConfigProblems) in
            _ = try layers("[[model.layer]]\ntype = \"lstm\"\n\(options)")
        }
        #expect(messages.contains { $0.contains(message) })
    }
}
