import Carbon
import Glibc
import JobAPI
import LinuxSystem
import Policy
import Units

/// A place outside of mld that tells a signal.
enum SignalSource: Sendable, Hashable {
    case file(String)
    case service(IntensityService, zone: String?)

    /// For reports: it goes with every figure.
    var name: String {
        switch self {
        case .file(let path): path
        case .service(let service, _): service.format.serviceName
        }
    }

    /// By which what was kept is known again.
    var key: String {
        switch self {
        case .file(let path): "file \(path)"
        case .service(let service, let zone): "\(service.format.rawValue) \(service.url) \(zone ?? "")"
        }
    }

    /// What one look told.
    struct Answer: Sendable {
        var readings: [SignalReading]
        /// What was asked as well and not answered.
        var lack: String?
        /// Of a file: what it was like.
        var stamp: FileStamp?
    }

    /// - Parameter known: the file as it was when it was read last: as long as it is so, it is not read again.
    /// - Returns: nil for a file that is as it was.
    func look(
        _ quantity: SignalQuantity, known: FileStamp?, now: Timestamp, within timeLimit: Duration
    ) async throws -> Answer? {
        switch self {
        case .file(let path):
            let stamp = try FileStamp(path)
            if let known, known == stamp { return nil }
            let bytes = Array(try SystemFile.text(path, limit: SignalCSV.mostBytes).utf8)
            let reading = try SignalFormat.csv.read(bytes, name: path, quantity: quantity)
            return Answer(readings: [reading], stamp: stamp)
        case .service(let service, let zone):
            return try await ask(service, zone, now: now, within: timeLimit)
        }
    }

    private func ask(
        _ service: IntensityService, _ zone: String?, now: Timestamp, within timeLimit: Duration
    ) async throws -> Answer {
        guard let questions = ServiceQuestions(service, zone: zone, now: now) else {
            throw DaemonError(
                stage: "carbon source", message: "\"\(service.url.prefix(200))\" is no address that mld can ask",
                hint: "write it like \"http://127.0.0.1:8080/v3/carbon-intensity/latest\"")
        }
        let token = try SourceToken.read(service.tokenFile)
        let headers = token.map { [(name: "auth-token", value: $0)] } ?? []
        let fetch = HTTPFetch(timeLimit: timeLimit, sizeLimit: JSONAnswer.mostBytes)
        let format = service.format.signalFormat
        var answer = Answer(
            readings: [try format.read(try await fetch.get(questions.first, headers: headers), name: name)])
        for question in questions.others {
            do {
                let bytes = try await fetch.get(question, headers: headers)
                answer.readings.append(try format.read(bytes, name: name))
            } catch let error as CancellationError {
                throw error
            } catch {
                answer.lack = answer.lack ?? "\(error)"
            }
        }
        return answer
    }
}

/// Whether a file is the one that was read.
struct FileStamp: Sendable, Hashable {
    var inode: UInt64
    var size: Int64
    var seconds: Int
    var nanoseconds: Int

    init(_ path: String) throws(DaemonError) {
        var info = Glibc.stat()
        guard stat(path, &info) == 0 else { throw DaemonError(stage: "carbon source", "read \(path)", errno: errno) }
        inode = UInt64(info.st_ino)
        size = Int64(info.st_size)
        seconds = info.st_mtim.tv_sec
        nanoseconds = info.st_mtim.tv_nsec
    }

    /// When it was written last.
    var writtenAt: Timestamp { Timestamp(microseconds: Int64(seconds) * 1_000_000 + Int64(nanoseconds) / 1000) }
}

/// What a service is sent to show who asks. Read at use and kept nowhere.
enum SourceToken {
    /// The name of the credential that systemd may give mld (`LoadCredential=carbon-token:...`).
    static let credential = "carbon-token"

    /// - Parameter file: what the policy names; nil for systemd's credential, if it gave one.
    /// - Returns: nil where there is none.
    static func read(
        _ file: String?, credentials: String? = Daemon.environment()["CREDENTIALS_DIRECTORY"]
    ) throws -> String? {
        if let file { return try token(file) }
        guard let path = credentials.map({ "\($0)/\(credential)" }), access(path, F_OK) == 0 else { return nil }
        return try token(path)
    }

    private static func token(_ path: String) throws -> String {
        var info = Glibc.stat()
        if stat(path, &info) == 0, info.st_mode & 0o007 != 0 {
            throw DaemonError(
                stage: "carbon source", message: "the token in \(path) can be read by every user, so it is not used",
                hint: "chmod 600 \(path), and let the service give you another one")
        }
        let token = try SystemFile.word(path)
        // It becomes a line of the request. What it is stands in no message.
        guard token.utf8.count <= 2048, token.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw DaemonError(
                stage: "carbon source", message: "\(path) holds no token: there are characters in it that none has",
                hint: "one word on one line")
        }
        return token
    }
}
