import Units

extension SiteCarbon {
    /// The same site under what a signal says of the grid now: each figure with its origin, and a forecast with the range that
    /// its error so far makes likely.
    ///
    /// - Parameter errorPercent: how far forecasts of its kind were off in the mean; nil where that is not known yet.
    package func under(_ figure: Signal.Figure, errorPercent: Double?) -> SiteCarbon {
        guard figure.origin != .table else { return self }
        var site = self
        site.intensity = CarbonIntensity(gramsPerKilowattHour: figure.value)
        site.source = "\(figure.source), \(figure.origin.rawValue)"
        // Told is told; what is expected may be otherwise.
        let part = figure.origin == .measured ? 0 : min(max(0, errorPercent ?? 0), 100) / 100
        site.lowIntensity = CarbonIntensity(gramsPerKilowattHour: figure.value * (1 - part))
        site.highIntensity = CarbonIntensity(gramsPerKilowattHour: figure.value * (1 + part))
        return site
    }
}

extension Signal {
    /// The mean error in percent of forecasts like this figure, so many hours ahead as is nearest; nil where it is not known.
    package func errorPercent(of figure: Figure) -> Double? {
        switch figure.origin {
        case .measured, .table: nil
        case .forecast: score.errors[1]
        case .model: model.errors[(figure.age ?? .zero) <= .seconds(2 * 3600) ? 1 : 6]
        }
    }
}
