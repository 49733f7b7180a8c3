/// The figures of one epoch. Those of the training samples are means over the epoch's steps, each from before its
/// update, as in Keras.
package struct EpochSummary: Hashable, Sendable, Codable {
    package var epoch: Int
    package var train: Totals
    package var validation: Totals?
    package var seconds: Double

    package init(epoch: Int, train: Totals, validation: Totals?, seconds: Double) {
        self.epoch = epoch
        self.train = train
        self.validation = validation
        self.seconds = seconds
    }

    package func value(of monitor: EarlyStopping.Monitor) -> Double? {
        switch monitor {
        case .loss: train.meanLoss
        case .accuracy: train.accuracy
        case .validationLoss: validation?.meanLoss
        case .validationAccuracy: validation?.accuracy
        }
    }
}
