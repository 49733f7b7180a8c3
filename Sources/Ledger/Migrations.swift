import GRDB

/// The schema, release by release. Append only: a migration that has been shipped is never edited.
///
/// `docs/ledger.md` describes the tables for people who query them with `sqlite3`.
enum Migrations {
    static var all: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        let releases = [
            version1, version2, version3, version4, version5, version6, version7, version8, version9, version10,
        ]
        for (index, sql) in releases.enumerated() {
            migrator.registerMigration("v\(index + 1)") { db in try db.execute(sql: sql) }
        }
        return migrator
    }

    private static let version1 = """
        CREATE TABLE hosts (
            id INTEGER PRIMARY KEY,
            name TEXT NOT NULL UNIQUE,
            cpu_model TEXT NOT NULL,
            cpus INTEGER NOT NULL,
            memory_bytes INTEGER NOT NULL
        ) STRICT;

        CREATE TABLE jobs (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            name TEXT NOT NULL,
            user TEXT NOT NULL,
            uid INTEGER NOT NULL,
            gid INTEGER NOT NULL,
            project TEXT NOT NULL,
            queue TEXT NOT NULL,
            priority INTEGER NOT NULL,
            kind TEXT NOT NULL,
            spec TEXT NOT NULL,
            state TEXT NOT NULL,
            reason TEXT NOT NULL,
            rule TEXT,
            held INTEGER NOT NULL DEFAULT 0,
            cancelled_by TEXT,
            attempt INTEGER NOT NULL DEFAULT 0,
            cpus INTEGER NOT NULL,
            memory_bytes INTEGER NOT NULL,
            gpus INTEGER NOT NULL,
            time_limit_s REAL,
            not_before_us INTEGER,
            submitted_us INTEGER NOT NULL,
            started_us INTEGER,
            ended_us INTEGER,
            exit_status INTEGER,
            signal INTEGER,
            policy_hash TEXT NOT NULL
        ) STRICT;
        CREATE INDEX jobs_by_state ON jobs(state);
        CREATE INDEX jobs_by_end ON jobs(ended_us);

        CREATE TABLE attempts (
            job_id INTEGER NOT NULL REFERENCES jobs(id),
            number INTEGER NOT NULL,
            started_us INTEGER NOT NULL,
            ended_us INTEGER,
            boot_id TEXT NOT NULL,
            supervisor_pid INTEGER,
            supervisor_start INTEGER,
            cgroup TEXT,
            enforced TEXT NOT NULL DEFAULT '[]',
            epochs INTEGER,
            samples INTEGER,
            progress TEXT,
            events_offset INTEGER NOT NULL DEFAULT 0,
            PRIMARY KEY (job_id, number)
        ) STRICT, WITHOUT ROWID;

        CREATE TABLE transitions (
            id INTEGER PRIMARY KEY,
            job_id INTEGER NOT NULL REFERENCES jobs(id),
            at_us INTEGER NOT NULL,
            from_state TEXT,
            to_state TEXT NOT NULL,
            cause TEXT NOT NULL
        ) STRICT;
        CREATE INDEX transitions_by_job ON transitions(job_id, id);

        CREATE TABLE decisions (
            id INTEGER PRIMARY KEY,
            at_us INTEGER NOT NULL,
            job_id INTEGER,
            user TEXT NOT NULL,
            decision TEXT NOT NULL,
            reason TEXT NOT NULL,
            rule TEXT,
            policy_hash TEXT NOT NULL
        ) STRICT;

        CREATE TABLE policies (
            hash TEXT PRIMARY KEY,
            applied_us INTEGER NOT NULL,
            text TEXT NOT NULL
        ) STRICT, WITHOUT ROWID;

        CREATE TABLE domains (
            id INTEGER PRIMARY KEY,
            host_id INTEGER NOT NULL REFERENCES hosts(id),
            name TEXT NOT NULL,
            kind TEXT NOT NULL,
            source TEXT NOT NULL,
            UNIQUE (host_id, name)
        ) STRICT;

        CREATE TABLE domain_minutes (
            minute INTEGER NOT NULL,
            domain_id INTEGER NOT NULL REFERENCES domains(id),
            metered_uj INTEGER NOT NULL,
            low_uj INTEGER NOT NULL,
            high_uj INTEGER NOT NULL,
            metered_us INTEGER NOT NULL,
            gap_us INTEGER NOT NULL,
            tier TEXT NOT NULL,
            PRIMARY KEY (minute, domain_id)
        ) STRICT, WITHOUT ROWID;

        CREATE TABLE spans (
            minute INTEGER NOT NULL,
            domain_id INTEGER NOT NULL REFERENCES domains(id),
            account TEXT NOT NULL,
            job_id INTEGER NOT NULL DEFAULT 0,
            attempt INTEGER NOT NULL DEFAULT 0,
            active_uj INTEGER NOT NULL,
            idle_uj INTEGER NOT NULL,
            low_uj INTEGER NOT NULL,
            high_uj INTEGER NOT NULL,
            carbon_ug INTEGER NOT NULL,
            carbon_low_ug INTEGER NOT NULL,
            carbon_high_ug INTEGER NOT NULL,
            gap_us INTEGER NOT NULL,
            tier TEXT NOT NULL,
            PRIMARY KEY (minute, domain_id, account, job_id, attempt)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX spans_by_job ON spans(job_id, attempt);

        CREATE TABLE intensities (
            from_us INTEGER PRIMARY KEY,
            zone TEXT NOT NULL,
            g_per_kwh REAL NOT NULL,
            pue REAL NOT NULL,
            source TEXT NOT NULL
        ) STRICT;

        CREATE TABLE metrics (
            job_id INTEGER NOT NULL REFERENCES jobs(id),
            attempt INTEGER NOT NULL,
            at_us INTEGER NOT NULL,
            name TEXT NOT NULL,
            split TEXT,
            value REAL,
            epoch INTEGER
        ) STRICT;
        CREATE INDEX metrics_by_job ON metrics(job_id, attempt);

        CREATE TABLE artifacts (
            job_id INTEGER NOT NULL REFERENCES jobs(id),
            attempt INTEGER NOT NULL,
            kind TEXT NOT NULL,
            path TEXT NOT NULL
        ) STRICT;
        CREATE INDEX artifacts_by_job ON artifacts(job_id, attempt);

        CREATE TABLE learned (
            key TEXT PRIMARY KEY,
            value TEXT NOT NULL,
            updated_us INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;
        """
}
