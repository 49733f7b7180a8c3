import Testing

@testable import Reporting

@Suite struct TableTests {
    private func sample() -> Table {
        var table = Table([.init("N", .right), .init("NAME", flexible: true), .init("NOTE", optional: true)])
        table.add(["1", "short", ""])
        table.add(["12345", "a rather long name, this one", ""])
        return table
    }

    @Test func alignmentAndEmptyColumns() {
        #expect(
            sample().render() == """
                    N  NAME
                    1  short
                12345  a rather long name, this one

                """)
    }

    @Test func fitsTheTerminal() {
        let text = sample().render(Style(colour: false, width: 20))
        #expect(text.split(separator: "\n").map { displayWidth(String($0)) }.max() == 20)
        #expect(text.contains("a rather lon…"))
        // What cannot shrink any further overflows rather than vanishes.
        #expect(sample().render(Style(colour: false, width: 3)).contains("12345  a rathe…"))
    }

    @Test func colourOnlyWhenAsked() {
        var table = Table([.init("A")])
        table.add([.init("x", tint: .green)])
        #expect(table.render() == "A\nx\n")
        #expect(
            table.render(Style(colour: true, width: nil)) == "\u{1b}[1mA\u{1b}[0m\n\u{1b}[32mx\u{1b}[0m\n")
    }

    @Test func surplusAndMissingCells() {
        var table = Table([.init("A"), .init("B")])
        table.add(["1"])
        table.add(["1", "2", "3"], ruled: true)
        #expect(table.render() == "A  B\n1\n-  -\n1  2\n")
    }

    @Test func wideCharactersCountDouble() {
        #expect(displayWidth("日本") == 4)
        #expect(displayWidth("e\u{301}") == 1)
        #expect(clipped("日本語", to: 5) == "日本…")
        #expect(clipped("abc", to: 3) == "abc")
        #expect(clipped("abcd", to: 0) == "")
    }
}

@Suite struct PrintableTests {
    @Test func controlsAreShown() {
        #expect(printable("plain ü 日本 🙂") == "plain ü 日本 🙂")
        #expect(printable("a\u{1b}[31mb\u{07}\u{7f}\u{9b}c") == "a\\x1b[31mb\\x07\\x7f\\x9bc")
        #expect(printable("a\nb\tc\r") == "a\\nb\\tc\\r")
        // A right-to-left override, a zero-width space, a line separator.
        #expect(printable("a\u{202E}b\u{200B}c\u{2028}") == "a\\u{202e}b\\u{200b}c\\u{2028}")
        #expect(printable("a\nb\u{1b}c\t", keepingLines: true) == "a\nb\\x1bc\t")
        // A line feed joined to a carriage return is one Character; both must be seen.
        #expect(printable("a\r\nb") == "a\\r\\nb")
    }

    @Test func cellsAndFieldsAreMadePrintable() {
        var table = Table([.init("A")])
        table.add([.init("\u{1b}]0;title\u{07}")])
        #expect(!table.render().unicodeScalars.contains("\u{1b}"))
        var fields = Fields(style: .plain)
        fields.add("name", "x\ny")
        #expect(fields.text == "name  x\\ny\n")
    }
}
