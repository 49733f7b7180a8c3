import ConfigFile
import Datasets
import Learning
import Tensors
import Units

// A plan held against its data: what all forms of models have in common.
extension TrainingPlan {
    /// - Throws: what was collected, if the data cannot be read.
    func outline(_ collector: ConfigReader.Collector) throws(ConfigProblems) -> DatasetOutline {
        let outline = try reading(collector) { () throws(DatasetError) in try data.outline(seed: seed) }
        if outline.trainCount == 0 { collector.add(problem(lines.split, "data: no sample is left to train on")) }
        return outline
    }

    func reading<T>(
        _ collector: ConfigReader.Collector, _ body: () throws(DatasetError) -> T
    ) throws(ConfigProblems) -> T {
        do throws(DatasetError) { return try body() } catch {
            collector.add(
                problem(
                    lines.path, "data: \(error)",
                    hint: error.code == .file ? "is \"path\" the directory of the data set?" : nil))
            throw ConfigProblems(collector.problems)
        }
    }

    /// Reports batch normalisations that would make the same of every sample.
    func checkBatches(_ network: Network, _ layers: LayerList, _ collector: ConfigReader.Collector) {
        // A network that was compiled has shapes.
        guard batchSize <= shards, let shapes = try? network.shapes() else { return }
        for (index, node) in network.nodes.enumerated() where node.layer is BatchNormalization {
            guard shapes[index].leading == 1 else { continue }
            collector.add(
                problem(
                    layers.line(of: index) ?? lines.train,
                    "model: layer \"\(node.name)\" takes its means over each shard's samples, which is one sample with "
                        + "batch-size = \(batchSize) and shards = \(shards): its output would not depend on it",
                    hint: "batch-size = \(2 * shards) or more, or fewer shards"))
        }
    }

    func checkMemory(_ bytes: Int, _ collector: ConfigReader.Collector) {
        guard let memory, bytes > Int(memory.bytes) else { return }
        collector.add(
            problem(
                0, "training needs \(ByteSize(bytes: Int64(bytes))), but the job asks for \(memory)",
                hint: "raise memory in [resources]"))
    }

    /// - Parameter isLongest: samples vary in length, and the outline is of the longest.
    static func summary(of outline: DatasetOutline, isLongest: Bool = false) -> String {
        "data    \(outline.trainCount) training, \(outline.validationCount) validation, \(outline.testCount) test "
            + "samples of \(outline.inputs.map(\.description).joined(separator: " and "))"
            + (isLongest ? " and shorter" : "") + (outline.classes.map { ", \($0) classes" } ?? "")
    }
}
