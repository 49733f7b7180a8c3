import JobAPI
import Reporting
import Units

/// One result, as `Benchmarks/README.md` describes it.
package struct BenchmarkRow: Encodable {
    package var row: String
    /// Nil where it could not be measured.
    package var value: Double?
    package var unit: String
    package var peer: String?
    package var peerValue: Double?
    /// How many times better than the peer's our value is.
    package var ratio: Double?
    package var goal: Double?
    package var met: Bool?

    /// A value held against a bound, and a peer's on the same data.
    package init(
        _ row: String, _ value: Double?, unit: String, atMost goal: Double? = nil, atLeast floor: Double? = nil,
        peer: String? = nil, peerValue: Double? = nil
    ) {
        self.row = row
        self.value = value
        self.unit = unit
        self.peer = peer
        self.peerValue = peerValue
        self.goal = goal ?? floor
        // A goal that could not be measured, or came out as no number, is not met.
        if let goal { met = value.map { $0 <= goal } ?? false }
        if let floor { met = value.map { $0 >= floor } ?? false }
        if let value, let peerValue, value > 0, peerValue > 0 {
            ratio = floor == nil ? peerValue / value : value / peerValue
        }
    }

    private enum CodingKeys: String, CodingKey { case row, value, unit, peer, peerValue, ratio, goal, met }

    /// With `null` for what is missing: every row has every key.
    package func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: CodingKeys.self)
        try values.encode(row, forKey: .row)
        try values.encode(value, forKey: .value)
        try values.encode(unit, forKey: .unit)
        try values.encode(peer, forKey: .peer)
        try values.encode(peerValue, forKey: .peerValue)
        try values.encode(ratio, forKey: .ratio)
        try values.encode(goal, forKey: .goal)
        try values.encode(met, forKey: .met)
    }

    static func json(_ rows: [BenchmarkRow]) throws -> String { try JSON.text(rows, pretty: true) + "\n" }

    static func table(_ rows: [BenchmarkRow]) -> String {
        var table = Table([
            .init("ROW"), .init("VALUE", .right), .init("UNIT"), .init("PEER", optional: true),
            .init("PEER'S", .right, optional: true), .init("TIMES BETTER", .right, optional: true),
            .init("GOAL", .right, optional: true), .init("MET", optional: true),
        ])
        for row in rows {
            table.add([
                .init(row.row), .init(row.value.map { significant($0) } ?? "-"), .init(row.unit), .init(row.peer ?? ""),
                .init(row.peerValue.map { significant($0) } ?? ""), .init(row.ratio.map { significant($0) } ?? ""),
                .init(row.goal.map { significant($0) } ?? ""), .init(row.met.map { $0 ? "yes" : "NO" } ?? ""),
            ])
        }
        return table.render()
    }
}
