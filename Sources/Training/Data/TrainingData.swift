import Datasets
import Learning
import Tensors

/// The data of a job, read, split and normalised.
struct TrainingData {
    let dataset: Dataset
    let train: SampleSelection
    let validation: SampleSelection?
    let test: SampleSelection?

    init(_ prepared: PreparedTraining) throws(TrainingError) {
        // What had to be read to compile the model is not read twice.
        if let loaded = prepared.outline.loaded {
            dataset = loaded
        } else {
            let plan = prepared.plan
            dataset = try training(data: { () throws(DatasetError) in try plan.data.load(seed: plan.seed) })
        }
        guard let train = try TrainingData.selection(dataset.train) else {
            throw TrainingError(.data, "no sample is left to train on")
        }
        self.train = train
        validation = try TrainingData.selection(dataset.validation)
        test = try TrainingData.selection(dataset.test)
    }

    private static func selection(_ buckets: [Dataset.Bucket]) throws(TrainingError) -> SampleSelection? {
        guard let bucket = buckets.first else { return nil }
        guard buckets.count == 1 else {
            throw TrainingError(.data, "samples of \(buckets.count) lengths; only one is trained on")
        }
        return try training { () throws(LearningError) in try SampleSelection(bucket.samples, bucket.indices) }
    }
}
