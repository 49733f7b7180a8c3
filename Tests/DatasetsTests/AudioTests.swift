import Glibc
import Tensors
import Testing

@testable import Datasets

private func little(_ value: Int, _ count: Int) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
}

private func chunk(_ name: String, _ bytes: [UInt8]) -> [UInt8] {
    Array(name.utf8) + little(bytes.count, 4) + bytes + (bytes.count % 2 == 1 ? [0] : [])
}

/// A WAV file of samples as they are stored.
private func wav(
    _ data: [UInt8], bits: Int = 16, channels: Int = 1, rate: Int = 8000, tag: Int = 1, extra: [UInt8] = []
) -> [UInt8] {
    let frame = channels * bits / 8
    let format =
        little(tag, 2) + little(channels, 2) + little(rate, 4) + little(rate * frame, 4) + little(frame, 2)
        + little(bits, 2)
    let body = Array("WAVE".utf8) + chunk("fmt ", format + extra) + chunk("LIST", [1, 2, 3]) + chunk("data", data)
    return Array("RIFF".utf8) + little(body.count, 4) + body
}

private func wav16(_ samples: [Int], rate: Int = 8000) -> [UInt8] {
    wav(samples.flatMap { little($0, 2) }, rate: rate)
}

@Suite struct WAVTests {
    @Test func everyFormat() throws {
        #expect(try WAVFile(wav([0, 128, 192], bits: 8)).samples == [-1, 0, 0.5])
        #expect(try WAVFile(wav16([-32768, 0, 16384])).samples == [-1, 0, 0.5])
        #expect(
            try WAVFile(wav(little(-8_388_608, 3) + little(4_194_304, 3), bits: 24)).samples == [-1, 0.5])
        #expect(try WAVFile(wav(little(Int(Int32.min), 4) + little(1 << 30, 4), bits: 32)).samples == [-1, 0.5])
        let floats: [Float] = [0.25, -3]
        let bytes = floats.flatMap { little(Int($0.bitPattern), 4) }
        #expect(try WAVFile(wav(bytes, bits: 32, tag: 3)).samples == floats)
        // Extensible: a longer header that names the format at its end.
        let extra = little(22, 2) + little(32, 2) + little(0, 4) + little(3, 2) + [UInt8](repeating: 0, count: 14)
        #expect(try WAVFile(wav(bytes, bits: 32, tag: 0xfffe, extra: extra)).samples == floats)
        let stereo = try WAVFile(wav([32768, 0, 16384, -16384].flatMap { little($0, 2) }, channels: 2))
        #expect(stereo.samples == [-0.5, 0] && stereo.channels == 2 && stereo.sampleRate == 8000)
        #expect(try WAVFile(wav16([])).samples.isEmpty)
    }

    @Test func filesThatAreNone() {
        func message(_ bytes: [UInt8]) -> String? {
            #expect(throws: DatasetError.self) { try WAVFile(bytes) }?.message
        }
        let good = wav16([1, 2, 3])
        #expect(message([]) == "not a WAV file: it does not begin with RIFF and WAVE")
        #expect(
            message(Array("RIFX".utf8) + good.dropFirst(4)) == "not a WAV file: it does not begin with RIFF and WAVE")
        #expect(
            message(Array(good.dropLast(2)))
                == "a WAV file that is cut short: the chunk \"data\" claims 6 bytes, but 4 follow")
        #expect(message(Array(good.prefix(15))) == "a WAV file that is cut short: in the header of a chunk")
        #expect(message(Array(good.prefix(12))) == "a WAV file without a chunk \"fmt \"")
        #expect(message(Array(good.prefix(36))) == "a WAV file without a chunk \"data\"")
        #expect(message(wav([1, 2, 3])) == "a WAV file that is cut short: 3 bytes are no whole frames of 2")
        #expect(message(wav([1, 2], tag: 2)) == "a WAV file of the kind 2; only PCM (1) and floats (3) are read")
        #expect(message(wav([], bits: 12))?.hasPrefix("WAV samples of 12 bits") == true)
        #expect(message(wav([], bits: 64, tag: 3))?.hasPrefix("WAV samples of 64 bits") == true)
        #expect(message(wav([], channels: 0)) == "a WAV file of 0 channels and 8000 samples a second")
        #expect(message(wav([], rate: 0)) == "a WAV file of 1 channels and 0 samples a second")
        #expect(
            message(wav(little(Int(Float.nan.bitPattern), 4), bits: 32, tag: 3))
                == "sample 0 of the recording is no finite number")
        var frames = good
        frames[32] = 4
        #expect(message(frames) == "a WAV file with frames of 4 bytes for 1 samples of 2")
        let short = Array("RIFF    WAVE".utf8) + chunk("fmt ", [1, 0])
        #expect(message(short) == "a WAV file whose format takes 2 bytes; at least 16 are needed")
    }

    @Test func garbageIsAnErrorOrARecording() {
        var random = SplitMix64(seed: 21)
        let good = [
            wav16([1, 2, 3, 4]), wav([1, 2, 3], bits: 8), wav([UInt8](repeating: 7, count: 24), bits: 24, channels: 2),
        ]
        var read = 0
        for _ in 0..<20_000 {
            var bytes = good[random.below(3)]
            for _ in 0..<(1 + random.below(3)) {
                switch random.below(4) {
                case 0: bytes[random.below(bytes.count)] = UInt8(truncatingIfNeeded: random.next())
                case 1: bytes[random.below(bytes.count)] = [0, 1, 0x7f, 0xff][random.below(4)]
                case 2: bytes = Array(bytes.prefix(1 + random.below(bytes.count)))
                default: bytes.insert(UInt8(truncatingIfNeeded: random.next()), at: random.below(bytes.count))
                }
            }
            if let file = try? WAVFile(bytes) {
                read += 1
                #expect(file.samples.allSatisfy { $0.isFinite })
            }
        }
        #expect(read > 1000)
    }
}

@Suite struct AudioTests {
    let scratch = Scratch()

    private func error(_ source: any DataSource) -> String? {
        do throws(DatasetError) {
            _ = try source.load(seed: 1)
            return nil
        } catch { return error.description }
    }

    @Test func namesAndTheirFields() throws {
        let pattern = try NamePattern("{label}_{speaker}_{take}.wav")
        #expect(pattern.fields == ["label", "speaker", "take"])
        #expect(pattern.match("7_jackson_12.wav") == ["label": "7", "speaker": "jackson", "take": "12"])
        #expect(pattern.match("7_jackson_1_2.wav")?["take"] == "1_2")
        #expect(pattern.match("a.b_c_d.wav.wav")?["take"] == "d.wav")
        for wrong in ["", ".wav", "7_jackson.wav", "7_jackson_.wav", "_j_1.wav", "7_j_1.mp3", "__.wav"] {
            #expect(pattern.match(wrong) == nil, "\(wrong)")
        }
        #expect(pattern.hasEnding("x.wav") && !pattern.hasEnding("README"))
        let prefix = try NamePattern("rec-{label}")
        #expect(prefix.match("rec-yes.wav") == ["label": "yes.wav"] && prefix.match("yes") == nil)
        #expect(prefix.hasEnding("anything"))
        for wrong in ["{a}{b}", "{a", "a}", "{}", "{a}_{a}", "{a{b}}"] {
            #expect(throws: DatasetError.self) { try NamePattern(wrong) }
        }
    }

    @Test func lengthAndLoudness() throws {
        func row(
            _ samples: [Float], _ count: Int, _ loudness: RecordingPreparation.Loudness = .none,
            _ alignment: RecordingPreparation.Alignment = .start
        ) -> [Float] {
            let rule = RecordingPreparation(sampleRate: 1, sampleCount: count, loudness: loudness, alignment: alignment)
            var row = [Float](repeating: 0, count: count)
            row.withUnsafeMutableBufferPointer { if let base = $0.baseAddress { rule.write(samples, to: base) } }
            return row
        }
        #expect(row([1, 2, 3], 2) == [1, 2] && row([1, 2], 4) == [1, 2, 0, 0])
        #expect(row([1, 2, 3, 4, 5], 3, .none, .center) == [2, 3, 4])
        #expect(row([1, 2], 5, .none, .center) == [0, 1, 2, 0, 0])
        // Of the whole recording, though the loudest part is cut off.
        #expect(row([1, -4], 1, .peak) == [0.25])
        #expect(row([3, -3], 2, .rms) == [1, -1])
        #expect(row([0, 0], 2, .peak) == [0, 0] && row([], 2, .rms) == [0, 0])
    }

    @Test func recordingsInADirectory() throws {
        for label in ["no", "yes"] {
            for take in 0..<4 {
                scratch.write("\(label)_ann_\(take).wav", wav16([16384 * (label == "no" ? 1 : -1), take]))
            }
        }
        scratch.write("README.txt", "not a recording")
        var source = AudioSource(pattern: try NamePattern("{label}_{speaker}_{take}.wav"))
        source.directory = scratch.path
        source.sampleCount = 3
        source.loudness = .none
        source.alignment = .start
        source.test = ("take", ["0"])
        source.split = SplitRule(validation: 0.34, isStratified: true)
        let data = try source.load(seed: 2)
        #expect(data.preprocessing.classes == ["no", "yes"] && data.classes == 2)
        #expect(data.test[0].indices == [0, 4])
        #expect(data.validation[0].indices.count == 2 && data.train[0].indices.count == 4)
        let samples = data.train[0].samples
        #expect(samples.targets.values == [0, 0, 0, 0, 1, 1, 1, 1] && samples.shape.dimensions == [3, 1])
        #expect(Array(samples.features.values[3..<6]) == [0.5, 0x1p-15, 0])
        let outline = try source.outline(seed: 2)
        #expect(outline.trainCount == 4 && outline.validationCount == 2 && outline.testCount == 2)
        #expect(outline.dataBytes == data.bytes && outline.classes == 2)
        let rule = try #require(data.preprocessing.recording)
        #expect(rule.sampleRate == 8000)
        #expect(try rule.encode(try WAVFile(wav16([32767 / 2 + 1]))) == [0.5, 0, 0])
        #expect(throws: DatasetError.self) { try rule.encode(try WAVFile(wav16([1], rate: 1))) }

        source.test = ("take", ["9"])
        #expect(error(source) == "\(scratch.path): no file is left for the test")
        source.test = ("place", ["9"])
        #expect(error(source) == "the pattern \"{label}_{speaker}_{take}.wav\" has no {place}")
        source.test = nil
        scratch.write("yes_ann_3.wav", wav16([1], rate: 44100))
        #expect(error(source) == "\(scratch.path)/yes_ann_3.wav: 44100 samples a second; the first file has 8000")
        source.sampleRate = 44100
        #expect(error(source) == "\(scratch.path)/no_ann_0.wav: 8000 samples a second, not 44100")
        source.sampleRate = nil
        scratch.write("yes_ann_3.wav", Array(wav16([1, 2]).dropLast()))
        #expect(error(source)?.hasPrefix("\(scratch.path)/yes_ann_3.wav: a WAV file that is cut short") == true)
        scratch.write("odd.wav", "")
        #expect(
            error(source) == "\(scratch.path)/odd.wav: the name does not match \"{label}_{speaker}_{take}.wav\"")
        source.directory += "/none"
        #expect(error(source) == "\(scratch.path)/none: cannot open it: No such file or directory")
        let empty = Scratch()
        source.directory = empty.path
        #expect(error(source)?.hasSuffix("no file in it matches \"{label}_{speaker}_{take}.wav\"") == true)
        source.pattern = try NamePattern("{take}.wav")
        #expect(error(source) == "the pattern \"{take}.wav\" has no {label}")
    }
}
