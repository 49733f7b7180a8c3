import ConfigFile
package import Datasets
import FoundationEssentials
import JobAPI
package import Learning
package import Tensors

/// A model directory that `mltrain fit` wrote. It may have come from anywhere: each file is checked as it is read.
package struct SavedModel {
    package enum Content {
        case network(LayerList)
        case tree(DecisionTree)
        case adversaries(TrainingPlan.Adversaries)
    }

    package let path: String
    package let content: Content
    package let preprocessing: Preprocessing
    /// Of one sample, the longest where lengths vary.
    package let inputs: [Shape]

    /// - Throws: `model` with the file and what is wrong with it.
    package init(reading path: String) throws(TrainingError) {
        self.path = path
        preprocessing = try SavedModel.decode(Preprocessing.self, path + "/preprocess.json")
        if let problem = preprocessing.problem { throw TrainingError(.model, "\(path)/preprocess.json: \(problem)") }
        do {
            inputs = try preprocessing.inputShapes.map { try Shape($0) }
        } catch { throw TrainingError(.model, "\(path)/preprocess.json: \(error)") }
        let plan = try SavedModel.plan(path + "/" + ModelFile.fileName)
        switch plan.form {
        case .network: content = .network(plan.layers)
        case .adversaries(let adversaries): content = .adversaries(adversaries)
        case .tree:
            let tree = try SavedModel.decode(DecisionTree.self, path + "/" + TreeDirectory.treeFile)
            guard tree.features == inputs.reduce(0, { $0 + $1.count }) else {
                throw TrainingError(
                    .model, "\(path): a tree of \(tree.features) features for samples of \(inputs[0])")
            }
            content = .tree(tree)
        }
    }

    private static func plan(_ file: String) throws(TrainingError) -> TrainingPlan {
        let collector = ConfigReader.Collector()
        var plan = TrainingPlan(file: file)
        do {
            let bytes = try FileBytes.read(file, limit: 16 << 20)
            guard let text = String(validating: bytes, as: UTF8.self) else {
                throw TrainingError(.model, "\(file): not UTF-8 text")
            }
            let reader = ConfigReader(try TOMLParser.parse(text, file: file), file: file, collector: collector)
            guard let model = reader.table("model") else {
                throw TrainingError(.model, "\(file): no layers and no tree in it")
            }
            plan.readModel(model)
            try collector.check()
        } catch { throw TrainingError(.model, "\(error)") }
        return plan
    }

    private static func decode<T: Decodable>(_ type: T.Type, _ file: String) throws(TrainingError) -> T {
        do {
            let bytes = try FileBytes.read(file, limit: 1 << 30)
            return try JSON.decode(type, from: Data(bytes))
        } catch let error as DatasetError {
            throw TrainingError(.model, "\(error)")
        } catch {
            throw TrainingError(.model, "\(file): \(error)")
        }
    }
}
