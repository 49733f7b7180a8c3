import Tensors
import Testing

@testable import Training

@Suite struct SafetensorsTests {
    private func file(_ header: String, _ data: [UInt8] = []) -> [UInt8] {
        let bytes = [UInt8](header.utf8)
        return withUnsafeBytes(of: UInt64(bytes.count).littleEndian) { [UInt8]($0) } + bytes + data
    }

    private func read(_ bytes: [UInt8]) throws -> SafetensorsFile { try SafetensorsFile(bytes, path: "w.safetensors") }

    @Test func whatIsWrittenIsReadBack() throws {
        let values: [Float] = [1, -0.5, .infinity, -0, 3, 7]
        let workshop = try Workshop()
        try values.withUnsafeBufferPointer { all in
            try OutputDirectory(workshop.path).write([
                Safetensors.file(
                    "x.safetensors",
                    [
                        .init(name: "a.kernel", shape: [2, 2], values: .init(rebasing: all[0..<4])),
                        .init(name: "camelCase", shape: [2], values: .init(rebasing: all[4..<6])),
                    ], metadata: ["format": "x"])
            ])
        }
        let file = try SafetensorsFile(reading: workshop.path + "/x.safetensors")
        #expect(file.metadata == ["format": "x"])
        let buffer = try FloatBuffer(count: 4)
        try file.copy("a.kernel", shape: [2, 2], to: buffer.base)
        #expect(buffer.values == Array(values[0..<4]))
        #expect(file.arrays["camelCase"]?.shape == [2])
        #expect(throws: TrainingError.self) { try file.copy("a.kernel", shape: [4], to: buffer.base) }
        #expect(throws: TrainingError.self) { try file.copy("b", shape: [4], to: buffer.base) }
    }

    @Test(arguments: [
        "", "[]", "{", #"{"a": 3}"#, #"{"a": {"dtype": "F16", "shape": [2], "data_offsets": [0, 4]}}"#,
        #"{"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 4]}}"#,
        #"{"a": {"dtype": "F32", "shape": [2], "data_offsets": [8, 0]}}"#,
        #"{"a": {"dtype": "F32", "shape": [2], "data_offsets": [4, 12]}}"#,
        #"{"a": {"dtype": "F32", "shape": [-2], "data_offsets": [0, 8]}}"#,
        #"{"a": {"dtype": "F32", "shape": [4611686018427387904, 4], "data_offsets": [0, 8]}}"#,
        #"{"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 9223372036854775807]}}"#,
        #"{"a": {"dtype": "F32", "shape": [1e99], "data_offsets": [0, 8]}}"#,
        #"{"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}, "b": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}"#,
        #"{"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}"#,
    ])
    func hostileHeadersAreRefused(header: String) {
        let error = #expect(throws: TrainingError.self) { try read(file(header, [UInt8](repeating: 0, count: 8))) }
        #expect(error?.message.contains("w.safetensors: not a sound safetensors file") == true)
    }

    @Test func hostileLengthsAreRefused() throws {
        #expect(throws: TrainingError.self) { try read([]) }
        #expect(throws: TrainingError.self) { try read([1, 2, 3]) }
        #expect(throws: TrainingError.self) { try read([UInt8](repeating: 255, count: 64)) }
        #expect(throws: TrainingError.self) { try read([200, 0, 0, 0, 0, 0, 0, 0, 123, 125]) }
    }

    @Test func garbageNeverTraps() throws {
        var generator = SplitMix64(seed: 8)
        let good = file(
            #"{"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}, "__metadata__": {"k": "v"}}"#,
            [UInt8](repeating: 1, count: 8))
        #expect(try read(good).arrays.count == 1)
        for _ in 0..<2000 {
            var bytes = good
            for _ in 0...generator.below(4) { bytes[generator.below(bytes.count)] = UInt8(generator.below(256)) }
            if generator.below(4) == 0 { bytes.removeLast(generator.below(bytes.count)) }
            _ = try? read(bytes)
        }
    }
}
