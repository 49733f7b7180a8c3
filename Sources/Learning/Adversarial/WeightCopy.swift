import Tensors

/// Which floats of one runner's parameters go where in another's: found once by their names.
struct WeightCopy {
    private let from: FloatBuffer
    private let to: FloatBuffer
    private var parts: [(from: Int, to: Int, count: Int)] = []

    /// Between parameters whose names are equal once `adding` is put before the source's, or `removing` taken from it.
    init(from: StepRunner, to: StepRunner, adding: String = "", removing: String = "") {
        self.from = from.parameters
        self.to = to.parameters
        var places: [String: Int] = [:]
        for parameter in from.model.plan.parameters where parameter.name.hasPrefix(removing) {
            places[adding + parameter.name.dropFirst(removing.count)] = parameter.offset
        }
        for parameter in to.model.plan.parameters {
            if let place = places[parameter.name] { parts.append((place, parameter.offset, parameter.count)) }
        }
    }

    func run() {
        for part in parts { (to.base + part.to).update(from: from.base + part.from, count: part.count) }
    }
}
