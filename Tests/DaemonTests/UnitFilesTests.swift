import Foundation
import Testing

/// The units as systemd reads them; where its tools are.
@Suite struct UnitFilesTests {
    private static let analyze = "/usr/bin/systemd-analyze"
    private static let isThere = FileManager.default.isExecutableFile(atPath: analyze)
    private static let directory =
        URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().path + "/systemd"

    private func units() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: Self.directory).filter {
            ["service", "socket", "timer"].contains(($0 as NSString).pathExtension)
        }
    }

    /// A key that systemd does not know is a warning and no failure: so there may be no output at all.
    @Test(.enabled(if: isThere, "there is no systemd-analyze"))
    func systemdUnderstandsEveryLine() throws {
        let directory = "/tmp/mldt-units-\(UUID().uuidString.prefix(8))"
        defer { try? FileManager.default.removeItem(atPath: directory) }
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        for unit in try units() {
            var text = try String(contentsOfFile: Self.directory + "/" + unit, encoding: .utf8)
            // They are installed where the units say; here they need only be programs.
            for program in ["/usr/bin/mlctl", "/usr/bin/mld", "/usr/libexec/mld/mld-exec"] {
                text = text.replacingOccurrences(of: program + " ", with: "/bin/true ")
                text = text.replacingOccurrences(of: program + "\n", with: "/bin/true\n")
            }
            try text.write(toFile: directory + "/" + unit, atomically: true, encoding: .utf8)
        }
        for unit in try units() {
            let result = try RunningDaemon.run(
                Self.analyze, ["verify", "--man=no", directory + "/" + unit],
                environment: ["SYSTEMD_UNIT_PATH": directory + ":", "SYSTEMD_LOG_LEVEL": "notice"])
            #expect(result.status == 0, "\(unit)")
            #expect(result.out + result.err == "", "\(unit)")
        }
    }

    /// In tenths, as systemd reckons it; docs/security.md says what they are made of.
    @Test(
        .enabled(if: isThere, "there is no systemd-analyze"),
        arguments: [
            ("mld.service", 25), ("mld-jobs.service", 20), ("mld-spawn.service", 58), ("mld-audit.service", 15),
        ])
    func noneIsMoreExposedThanDocumented(unit: String, tenths: Int) throws {
        let result = try RunningDaemon.run(
            Self.analyze,
            ["security", "--offline=yes", "--no-pager", "--threshold=\(tenths)", Self.directory + "/" + unit])
        #expect(result.status == 0, "\(result.out.suffix(100))\(result.err)")
        #expect(result.out.contains("Overall exposure level for \(unit)"))
    }
}
