import Datasets
import Learning
import Tensors

/// The data of a job, read, split and normalised.
struct TrainingData {
    let train: SampleSelection
    let validation: SampleSelection?
    let test: SampleSelection?
    let normalization: Normalization

    init(_ plan: TrainingPlan) throws(TrainingError) {
        let images = try TrainingData.read(plan.data.trainImages, plan.data.trainLabels)
        let split = Split(count: images.count, validationFraction: plan.data.validationSplit, seed: plan.seed)
        let normalization = Normalization(
            plan.data.normalization, bytes: images.images.bytes, width: images.images.shape.count,
            indices: split.train)
        let samples = try training(arrays: { () throws(TensorError) in try images.samples(normalization) })
        train = try training { () throws(LearningError) in try SampleSelection(samples, split.train) }
        validation =
            split.validation.isEmpty
            ? nil : try training { () throws(LearningError) in try SampleSelection(samples, split.validation) }
        if let files = plan.data.test {
            let images = try TrainingData.read(files.images, files.labels)
            test = SampleSelection(
                all: try training(arrays: { () throws(TensorError) in try images.samples(normalization) }))
        } else {
            test = nil
        }
        self.normalization = normalization
    }

    private static func read(_ images: String, _ labels: String) throws(TrainingError) -> LabelledImages {
        try training(data: { () throws(DatasetError) in
            try LabelledImages(images: try IDXFile.read(images), labels: try IDXFile.read(labels), path: images)
        })
    }
}
