import Dispatch
import Glibc
import Reporting
import Units

extension Context {
    /// The real terminal, environment, clock and signals.
    package static func standard() -> Context {
        // A closed pipe is answered where it is written to, not by a silent death.
        signal(SIGPIPE, SIG_IGN)
        let environment = environmentVariables()
        let outputIsTerminal = isatty(STDOUT_FILENO) == 1
        let isPlain = environment["NO_COLOR"].map { !$0.isEmpty } ?? false || environment["TERM"] == "dumb"
        return Context(
            output: { bytes in if !write(bytes, to: STDOUT_FILENO) { throw OutputClosed() } },
            errors: { bytes in _ = write(bytes, to: STDERR_FILENO) },
            outputStyle: outputIsTerminal
                ? Style(colour: !isPlain, width: terminalWidth(STDOUT_FILENO)) : .plain,
            outputIsTerminal: outputIsTerminal, errorIsTerminal: isatty(STDERR_FILENO) == 1,
            inputIsTerminal: isatty(STDIN_FILENO) == 1, errorWidth: terminalWidth(STDERR_FILENO) ?? 80,
            environment: environment, directory: workingDirectory(), uid: getuid(), executable: executablePath(),
            now: { .now() }, interrupts: signals, ask: answer)
    }

    /// - Returns: false when the descriptor takes no more.
    private static func write(_ bytes: [UInt8], to descriptor: Int32) -> Bool {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count > 0 {
                rest = rest.dropFirst(count)
            } else if errno == EAGAIN {
                // A terminal shared with a program that made it non-blocking.
                var waiting = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                poll(&waiting, 1, 1000)
            } else if errno != EINTR {
                return false
            }
        }
        return true
    }

    private static func terminalWidth(_ descriptor: Int32) -> Int? {
        var size = winsize()
        guard ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return nil }
        return Int(size.ws_col)
    }

    private static func environmentVariables() -> [String: String] {
        var result: [String: String] = [:]
        var pointer = environ
        while let entry = pointer.pointee {
            let pair = String(cString: entry).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            if pair.count == 2 { result[String(pair[0])] = String(pair[1]) }
            pointer += 1
        }
        return result
    }

    private static func workingDirectory() -> String {
        guard let path = getcwd(nil, 0) else { return "/" }
        defer { free(path) }
        return String(cString: path)
    }

    private static func executablePath() -> String? {
        guard let path = realpath("/proc/self/exe", nil) else { return nil }
        defer { free(path) }
        return String(cString: path)
    }

    private static func signals() -> AsyncStream<Interrupt> {
        let (stream, continuation) = AsyncStream.makeStream(of: Interrupt.self)
        let watched: [(Int32, Interrupt)] = [(SIGINT, .interrupt), (SIGTERM, .terminate)]
        for (number, interrupt) in watched {
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            // The handler holds its source: it lives as long as the program, as the commands that watch do.
            source.setEventHandler { withExtendedLifetime(source) { _ = continuation.yield(interrupt) } }
            source.resume()
        }
        return stream
    }

    private static func answer(_ question: String) async -> Bool {
        _ = write(Array(question.utf8), to: STDERR_FILENO)
        // Looked at ten times a second rather than read, because the job may end while the question stands.
        while true {
            var waiting = pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0)
            if poll(&waiting, 1, 0) > 0 {
                let line = readLine() ?? ""
                return ["y", "yes"].contains(line.lowercased())
            }
            do { try await Task.sleep(for: .milliseconds(100)) } catch { return false }
        }
    }
}
