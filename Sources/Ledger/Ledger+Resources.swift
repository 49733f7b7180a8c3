import GRDB
import JobAPI
import Units

extension Ledger {
    /// What a job asked for of each of its GPUs, from its description: few ask, so there are no columns of it.
    static let gpuColumns = gpuColumns(of: "jobs")

    /// People may edit a description into anything: what is not as it should be is as if it were not there. CASE and not AND, of
    /// which SQLite may ask the second part first.
    static func gpuColumns(of table: String) -> String {
        func stated(_ key: String, _ types: String) -> String {
            """
            CASE WHEN \(table).gpus > 0 THEN CASE WHEN json_valid(\(table).spec) THEN
                CASE WHEN json_type(\(table).spec, '$.resources.\(key)') IN (\(types))
                THEN json_extract(\(table).spec, '$.resources.\(key)') END END END AS \(key)
            """
        }
        return [
            stated("gpu_memory_bytes", "'integer'"), stated("gpu_model", "'text'"),
            stated("gpu_share", "'true', 'false'"),
        ].joined(separator: ",\n")
    }

    static func resources(_ row: Row) -> JobSpec.Resources {
        JobSpec.Resources(
            cpus: row["cpus"], memory: ByteSize(bytes: row["memory_bytes"]), gpus: row["gpus"],
            gpuMemory: (row["gpu_memory_bytes"] as Int64?).map { ByteSize(bytes: $0) }, gpuModel: row["gpu_model"],
            gpuShare: row["gpu_share"], timeLimit: row["time_limit_s"])
    }
}
