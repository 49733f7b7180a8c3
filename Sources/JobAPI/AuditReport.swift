package import Units

/// `GET /v1/audit`: whether the ledger still says what mld wrote into it.
package struct AuditReport: Codable, Hashable, Sendable {
    /// Something that does not hold, with the row that shows it first.
    package struct Finding: Codable, Hashable, Sendable {
        /// What was checked: `chain`, `frontiers`, `conservation`, `roll-up`, `range`, `carbon`, `policy`, `state`.
        package var check: String
        /// `spans minute=28400000 domain_id=1 account=job job_id=7 attempt=1`.
        package var row: String
        package var problem: String

        package init(check: String, row: String, problem: String) {
            self.check = check
            self.row = row
            self.problem = problem
        }
    }

    package var ok: Bool
    /// The first bad row of each check that failed, the chain's first.
    package var findings: [Finding]
    /// Rows that were recomputed, by table.
    package var rows: [String: Int]
    /// The length of the chain and its last hash. Kept elsewhere, they prove later that nothing before was rewritten.
    package var entries: Int
    package var head: String
    /// Rows of minutes that are not closed yet, which the chain does not cover.
    package var unsealedRows: Int
    package var at: Timestamp

    package init(
        findings: [Finding], rows: [String: Int], entries: Int, head: String, unsealedRows: Int, at: Timestamp
    ) {
        ok = findings.isEmpty
        self.findings = findings
        self.rows = rows
        self.entries = entries
        self.head = head
        self.unsealedRows = unsealedRows
        self.at = at
    }
}
