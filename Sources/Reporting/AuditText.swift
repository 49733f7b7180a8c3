import Units
package import JobAPI

/// `mlctl report --audit`: the verdict first, then what was checked and the hash to keep.
package func text(_ report: AuditReport) -> String {
    var lines: [String] = []
    if report.ok {
        lines.append("the ledger is what mld wrote")
    } else {
        lines.append("THE LEDGER IS NOT WHAT MLD WROTE")
        for finding in report.findings {
            lines.append("- \(printable(finding.check)): \(printable(finding.row)): \(printable(finding.problem))")
        }
    }
    lines.append("")
    let rows = report.rows.sorted { $0.key < $1.key }.map { "\($0.value) of \(printable($0.key))" }
    lines.append("rows recomputed: \(rows.isEmpty ? "none are sealed yet" : rows.joined(separator: ", "))")
    lines.append("chain: \(report.entries) entries, last hash \(printable(report.head.isEmpty ? "-" : report.head))")
    if report.unsealedRows > 0 {
        lines.append(
            "not sealed yet: \(report.unsealedRows) rows of the last minutes, checked for balance, range and carbon only"
        )
    }
    return lines.joined(separator: "\n") + "\n"
}
