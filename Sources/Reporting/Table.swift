/// Rows under headings, aligned. Every cell is made ``printable(_:keepingLines:)`` on its way in.
package struct Table: Sendable {
    package enum Alignment: Sendable { case left, right }

    package struct Column: Sendable {
        package var title: String
        package var alignment: Alignment
        /// May be cut short when the table is wider than the terminal.
        package var isFlexible: Bool
        /// Left out when no row has anything in it.
        package var isOptional: Bool

        package init(
            _ title: String, _ alignment: Alignment = .left, flexible: Bool = false, optional: Bool = false
        ) {
            self.title = title
            self.alignment = alignment
            self.isFlexible = flexible
            self.isOptional = optional
        }
    }

    package struct Cell: Sendable, ExpressibleByStringLiteral {
        var text: String
        var tint: Style.Tint?

        package init(_ text: String, tint: Style.Tint? = nil) {
            self.text = printable(text)
            self.tint = tint
        }

        package init(stringLiteral value: String) {
            self.init(value)
        }
    }

    package var columns: [Column]
    private var rows: [[Cell]] = []
    /// Rows before which a rule is drawn.
    private var ruled: Set<Int> = []

    package init(_ columns: [Column]) {
        self.columns = columns
    }

    package var isEmpty: Bool { rows.isEmpty }

    /// Adds a row; missing cells are empty, surplus ones are dropped.
    package mutating func add(_ cells: [Cell], ruled isRuled: Bool = false) {
        if isRuled { ruled.insert(rows.count) }
        let padding = Array(repeating: Cell(""), count: max(0, columns.count - cells.count))
        rows.append(Array((cells + padding).prefix(columns.count)))
    }

    /// The table as lines, each ended by a line feed, without trailing spaces.
    package func render(_ style: Style = .plain) -> String {
        let shown = columns.indices.filter { index in
            !columns[index].isOptional || rows.contains { !$0[index].text.isEmpty }
        }
        var widths = shown.map { index in
            rows.reduce(displayWidth(columns[index].title)) { max($0, displayWidth($1[index].text)) }
        }
        if let limit = style.width { shrink(&widths, shown, to: limit) }
        let header = shown.map { Cell(columns[$0].title, tint: .bold) }
        var text = line(header, shown, widths, style)
        for (number, row) in rows.enumerated() {
            if ruled.contains(number) {
                text += widths.map { String(repeating: "-", count: $0) }.joined(separator: "  ") + "\n"
            }
            text += line(shown.map { row[$0] }, shown, widths, style)
        }
        return text
    }

    /// Takes columns from the widest flexible ones until the table fits or each is at its least.
    private func shrink(_ widths: inout [Int], _ shown: [Int], to limit: Int) {
        func total() -> Int { widths.reduce(0, +) + 2 * max(0, widths.count - 1) }
        while total() > limit {
            let candidates = widths.indices.filter { position in
                let column = columns[shown[position]]
                return column.isFlexible && widths[position] > max(8, displayWidth(column.title))
            }
            guard let widest = candidates.max(by: { widths[$0] < widths[$1] }) else { return }
            widths[widest] -= 1
        }
    }

    private func line(_ cells: [Cell], _ shown: [Int], _ widths: [Int], _ style: Style) -> String {
        var text = ""
        for (position, cell) in cells.enumerated() {
            let content = clipped(cell.text, to: widths[position])
            let padding = String(repeating: " ", count: max(0, widths[position] - displayWidth(content)))
            let coloured = style.tinted(content, cell.tint)
            if position > 0 { text += "  " }
            text += columns[shown[position]].alignment == .left ? coloured + padding : padding + coloured
        }
        while text.last == " " { text.removeLast() }
        return text + "\n"
    }
}
