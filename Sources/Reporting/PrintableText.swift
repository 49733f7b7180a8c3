/// `text` with everything that could move the cursor, recolour, reorder or hide what follows shown as an escape.
///
/// Names and reasons come from users and jobs: printed raw, `ESC ] ...` would retitle an administrator's terminal, and a
/// right-to-left override would make one name look like another.
///
/// - Parameter keepingLines: leave line feeds, carriage returns and tabs alone, for a job's own output.
package func printable(_ text: String, keepingLines: Bool = false) -> String {
    guard text.unicodeScalars.contains(where: { isUnsafe($0) }) else { return text }
    var result = ""
    for scalar in text.unicodeScalars {
        if keepingLines, scalar == "\n" || scalar == "\r" || scalar == "\t" {
            result.unicodeScalars.append(scalar)
        } else if isUnsafe(scalar) {
            result += escape(scalar)
        } else {
            result.unicodeScalars.append(scalar)
        }
    }
    return result
}

private func isUnsafe(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.properties.generalCategory {
    // Controls (C0, DEL, C1), formats (bidirectional overrides, zero-width characters), line and paragraph separators.
    case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse: true
    default: false
    }
}

private func escape(_ scalar: Unicode.Scalar) -> String {
    switch scalar {
    case "\n": return "\\n"
    case "\r": return "\\r"
    case "\t": return "\\t"
    default:
        let digits = String(scalar.value, radix: 16)
        if scalar.value < 0x100 { return "\\x" + (digits.count < 2 ? "0" : "") + digits }
        return "\\u{" + digits + "}"
    }
}

/// How many columns of a terminal `text` takes: none for combining marks, two for wide East Asian characters and emoji.
package func displayWidth(_ text: String) -> Int {
    text.unicodeScalars.reduce(0) { $0 + width($1) }
}

private func width(_ scalar: Unicode.Scalar) -> Int {
    switch scalar.properties.generalCategory {
    case .nonspacingMark, .enclosingMark: return 0
    default: break
    }
    switch scalar.value {
    case 0x1100...0x115F, 0x2E80...0x303E, 0x3041...0xA4CF, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE6F,
        0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x1F300...0x1F64F, 0x1F680...0x1F6FF, 0x1F900...0x1FAFF, 0x20000...0x3FFFD:
        return 2
    default: return 1
    }
}

/// `text` in at most `columns` columns, its end replaced by `…` when it is longer.
package func clipped(_ text: String, to columns: Int) -> String {
    guard columns > 0 else { return "" }
    guard displayWidth(text) > columns else { return text }
    var result = ""
    var used = 0
    for character in text {
        let width = displayWidth(String(character))
        if used + width > columns - 1 { break }
        result.append(character)
        used += width
    }
    return result + "…"
}
