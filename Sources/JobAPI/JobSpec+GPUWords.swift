import Units

extension JobSpec.Resources {
    /// `2 gpus of model A100 with 16 GiB each`; nil where none is asked for.
    package var gpuWords: String? {
        guard gpus > 0 else { return nil }
        return "\(gpus) gpu" + (gpus == 1 ? "" : "s") + (gpuModel.map { " of model \($0)" } ?? "")
            + (gpuMemory.map { " with \($0)" + (gpus > 1 ? " each" : "") } ?? "")
    }
}
