import Datasets
import Learning
import Tensors

/// The data of a job, read, split and normalised: one selection for each shape of the samples.
struct TrainingData {
    let dataset: Dataset
    let train: [SampleSelection]
    let validation: [SampleSelection]
    let test: [SampleSelection]

    init(_ plan: TrainingPlan, _ outline: DatasetOutline) throws(TrainingError) {
        // What had to be read to compile the model is not read twice.
        if let loaded = outline.loaded {
            dataset = loaded
        } else {
            dataset = try training(data: { () throws(DatasetError) in try plan.data.load(seed: plan.seed) })
        }
        train = try TrainingData.selections(dataset.train)
        validation = try TrainingData.selections(dataset.validation)
        test = try TrainingData.selections(dataset.test)
        if train.isEmpty { throw TrainingError(.data, "no sample is left to train on") }
    }

    private static func selections(_ buckets: [Dataset.Bucket]) throws(TrainingError) -> [SampleSelection] {
        try buckets.map { bucket throws(TrainingError) in
            try training { () throws(LearningError) in try SampleSelection(bucket.samples, bucket.indices) }
        }
    }

    static func count(_ selections: [SampleSelection]) -> Int { selections.reduce(0) { $0 + $1.indices.count } }
}
