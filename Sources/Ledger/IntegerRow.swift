import GRDB

/// The row a cursor stands on, where every column is an integer and none is null: read straight from SQLite, without asking for
/// each figure what it is. A report reads millions.
struct IntegerRow {
    private let statement: SQLiteStatement

    /// - Parameter statement: that of the cursor; its rows are read while the cursor stands on them.
    init(_ statement: Statement) { self.statement = statement.sqliteStatement }

    subscript(column: Int) -> Int64 { Int64(sqliteStatement: statement, index: CInt(column)) }
}
