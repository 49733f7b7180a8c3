import Units

/// A diagram as inline SVG: axes with round figures, lines, bars or points, and a legend.
struct Plot {
    struct Series {
        enum Mark { case line, steps, bars, points }

        var name: String
        var mark: Mark
        var points: [(x: Double, y: Double)]
        /// What is written beside a point, and whether it is filled; for `points`.
        var labels: [String] = []
        var filled: [Bool] = []
    }

    struct Tick {
        var at: Double
        var label: String
    }

    var title: String
    var xLabel: String
    var yLabel: String
    var series: [Series]
    /// Nil for round figures.
    var xTicks: [Tick]?
    /// Whether the y axis begins at 0 rather than at the least value.
    var isFromZero = true

    private static let width = 860.0
    private static let height = 320.0
    private static let margin = (left: 70.0, right: 20.0, top: 34.0, bottom: 46.0)
    private static let colours = ["#2a6fbb", "#d9730d", "#2e8b57", "#a23b72", "#7a6a00", "#5b5b8c"]

    /// The figure as an element with its title; a diagram of nothing says so.
    var svg: String {
        let points = series.flatMap(\.points).filter { $0.x.isFinite && $0.y.isFinite }
        guard let first = points.first else { return "<p class=\"note\">\(htmlText(title)): no data</p>\n" }
        var x = points.reduce((low: first.x, high: first.x)) { (min($0.low, $1.x), max($0.high, $1.x)) }
        var y = points.reduce((low: first.y, high: first.y)) { (min($0.low, $1.y), max($0.high, $1.y)) }
        if isFromZero { y = (min(0, y.low), max(0, y.high)) }
        if let ticks = xTicks { for tick in ticks { x = (min(x.low, tick.at), max(x.high, tick.at)) } }
        if x.high <= x.low { x.high = x.low + 1 }
        if y.high <= y.low { y.high = y.low + max(1, abs(y.low) * 0.1) }
        let yTicks = Self.roundTicks(y.low, y.high)
        y = (min(y.low, yTicks.first?.at ?? y.low), max(y.high, yTicks.last?.at ?? y.high))
        let frame = Frame(x: x, y: y)
        var body = ""
        for tick in yTicks {
            let at = coordinate(frame.y(tick.at))
            body += "<line x1=\"\(coordinate(frame.left))\" y1=\"\(at)\" x2=\"\(coordinate(frame.right))\" y2=\"\(at)\""
            body += " stroke=\"currentColor\" stroke-opacity=\".15\"/>\n"
            body += text(tick.label, x: frame.left - 8, y: frame.y(tick.at) + 4, anchor: "end")
        }
        for tick in xTicks ?? Self.roundTicks(x.low, x.high) where tick.at >= x.low && tick.at <= x.high {
            body += text(tick.label, x: frame.x(tick.at), y: frame.bottom + 18, anchor: "middle")
        }
        body += text(xLabel, x: (frame.left + frame.right) / 2, y: Self.height - 8, anchor: "middle")
        body += text(yLabel, x: frame.left, y: Self.margin.top - 14, anchor: "start")
        for (number, one) in series.enumerated() {
            body += draw(one, number, frame)
            body += legend(one, number, frame)
        }
        return """
            <figure>
            <figcaption>\(htmlText(title))</figcaption>
            <svg viewBox="0 0 \(Int(Self.width)) \(Int(Self.height))" role="img" aria-label="\(htmlText(title))">
            \(body)</svg>
            </figure>

            """
    }

    /// From values to places on the page.
    private struct Frame {
        var x: (low: Double, high: Double)
        var y: (low: Double, high: Double)
        let left = Plot.margin.left
        let right = Plot.width - Plot.margin.right
        let top = Plot.margin.top
        let bottom = Plot.height - Plot.margin.bottom

        func x(_ value: Double) -> Double { left + (value - x.low) / (x.high - x.low) * (right - left) }
        func y(_ value: Double) -> Double { bottom - (value - y.low) / (y.high - y.low) * (bottom - top) }
    }

    // MARK: - Marks

    private func draw(_ series: Series, _ number: Int, _ frame: Frame) -> String {
        let colour = Self.colours[number % Self.colours.count]
        let points = series.points.filter { $0.x.isFinite && $0.y.isFinite }
        switch series.mark {
        case .line, .steps:
            var path = ""
            var last: Double?
            for point in points {
                let (x, y) = (coordinate(frame.x(point.x)), coordinate(frame.y(point.y)))
                if series.mark == .steps, let last { path += "L\(x) \(coordinate(frame.y(last)))" }
                path += (path.isEmpty ? "M" : "L") + "\(x) \(y)"
                last = point.y
            }
            return "<path d=\"\(path)\" fill=\"none\" stroke=\"\(colour)\" stroke-width=\"1.6\"/>\n"
        case .bars:
            let bars = self.series.filter { $0.mark == .bars }.count
            let slot = (frame.x(1) - frame.x(0)) * 0.8
            let width = max(1, slot / Double(max(1, bars)))
            return points.map { point in
                let left = frame.x(point.x) - slot / 2 + Double(number) * width
                let (top, bottom) = (frame.y(max(0, point.y)), frame.y(min(0, point.y)))
                return "<rect x=\"\(coordinate(left))\" y=\"\(coordinate(top))\" width=\"\(coordinate(width))\""
                    + " height=\"\(coordinate(bottom - top))\" fill=\"\(colour)\"/>\n"
            }.joined()
        case .points:
            return points.enumerated().map { index, point in
                let isFilled = index < series.filled.count ? series.filled[index] : true
                let (x, y) = (frame.x(point.x), frame.y(point.y))
                let circle =
                    "<circle cx=\"\(coordinate(x))\" cy=\"\(coordinate(y))\" r=\"4\" stroke=\"\(colour)\" stroke-width=\"1.6\""
                    + " fill=\"\(isFilled ? colour : "none")\"/>\n"
                let label = index < series.labels.count ? series.labels[index] : ""
                return circle + (label.isEmpty ? "" : text(label, x: x + 7, y: y - 6, anchor: "start"))
            }.joined()
        }
    }

    private func legend(_ series: Series, _ number: Int, _ frame: Frame) -> String {
        guard self.series.count > 1 || series.mark == .points else { return "" }
        let x = frame.right - 200
        let y = frame.top + 6 + Double(number) * 18
        return "<rect x=\"\(coordinate(x))\" y=\"\(coordinate(y - 9))\" width=\"10\" height=\"10\""
            + " fill=\"\(Self.colours[number % Self.colours.count])\"/>\n"
            + text(series.name, x: x + 16, y: y, anchor: "start")
    }

    private func text(_ text: String, x: Double, y: Double, anchor: String) -> String {
        "<text x=\"\(coordinate(x))\" y=\"\(coordinate(y))\" text-anchor=\"\(anchor)\">\(htmlText(text))</text>\n"
    }

    private func coordinate(_ value: Double) -> String { fixed(value, decimals: 1, trimming: true) }

    // MARK: - Ticks

    /// About five multiples of 1, 2 or 5 times a power of ten from at or below `low` to at or above `high`.
    static func roundTicks(_ low: Double, _ high: Double) -> [Tick] {
        guard low.isFinite, high.isFinite, high > low else { return [Tick(at: low, label: significant(low))] }
        var power = 1.0
        let rough = (high - low) / 5
        while power * 10 <= rough, power < 1e15 { power *= 10 }
        while power > rough, power > 1e-15 { power /= 10 }
        let step = [1.0, 2, 5, 10].map { $0 * power }.first { $0 >= rough } ?? power * 10
        let first = (low / step).rounded(.down)
        let last = (high / step).rounded(.up)
        guard last - first < 100 else { return [] }
        return (0...Int(last - first)).map { index in
            let value = (first + Double(index)) * step
            return Tick(at: value, label: abs(value) >= 1e6 ? "\(significant(value / 1e6)) M" : significant(value))
        }
    }
}
