/// A page that stands alone: no script, nothing fetched, readable on paper and in the dark.
func htmlPage(title: String, body: String) -> String {
    """
    <!DOCTYPE html>
    <html lang="en">
    <head>
    <meta charset="utf-8">
    <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>\(htmlText(title))</title>
    <style>
    :root { color-scheme: light dark; }
    body { font: 15px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; }
    table { border-collapse: collapse; margin: 1rem 0; }
    th, td { padding: .25rem .8rem; text-align: right; border-bottom: 1px solid #8884; }
    th:first-child, td:first-child { text-align: left; }
    figure { margin: 2rem 0; }
    svg { width: 100%; height: auto; }
    svg text { fill: currentColor; font: 12px system-ui, sans-serif; }
    .note { opacity: .8; }
    </style>
    </head>
    <body>
    <h1>\(htmlText(title))</h1>
    \(body)
    </body>
    </html>

    """
}

/// A hostile text as the content of an element or of a quoted attribute.
func htmlText(_ text: String) -> String {
    var escaped = ""
    for scalar in printable(text).unicodeScalars {
        switch scalar {
        case "&": escaped += "&amp;"
        case "<": escaped += "&lt;"
        case ">": escaped += "&gt;"
        case "\"": escaped += "&quot;"
        case "'": escaped += "&#39;"
        default: escaped.unicodeScalars.append(scalar)
        }
    }
    return escaped
}

/// Rows under headings; the first column is text, the others numbers.
func htmlTable(_ headings: [String], _ rows: [[String]]) -> String {
    func line(_ cells: [String], _ tag: String) -> String {
        "<tr>" + cells.map { "<\(tag)>\(htmlText($0))</\(tag)>" }.joined() + "</tr>\n"
    }
    return "<table>\n<thead>\n\(line(headings, "th"))</thead>\n<tbody>\n"
        + rows.map { line($0, "td") }.joined() + "</tbody>\n</table>\n"
}

func htmlNotes(_ notes: [String]) -> String {
    if notes.isEmpty { return "" }
    return "<ul class=\"note\">\n" + notes.map { "<li>\(htmlText($0))</li>\n" }.joined() + "</ul>\n"
}
