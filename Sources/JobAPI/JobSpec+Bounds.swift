package import Units

extension JobSpec {
    package static let cpuBounds = 1...100_000
    package static let gpuBounds = 0...1024

    /// What is wrong with an amount of memory, whoever asks for it; nil for nothing.
    package static func problem(memory: ByteSize) -> String? {
        if memory < .mebibytes(1) { return "must be at least 1 MiB" }
        return memory.bytes < 1 << 60 ? nil : "must be less than 1048576 TiB"
    }

    /// What is wrong with a time limit or a delay, in seconds; nil for nothing.
    package static func problem(seconds: Double) -> String? {
        if !(seconds >= 1) { return "must be at least 1 s" }
        return seconds < 1e9 ? nil : "must be less than 1000000000 s (31 years)"
    }
}
