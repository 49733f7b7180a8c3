import Units

/// Shows on a terminal how long something already takes, in one line that is gone afterwards; elsewhere nothing.
func showingWait<R: Sendable>(
    _ what: String, _ context: Context, every pace: Duration = .seconds(1),
    _ body: @Sendable () async throws -> R
) async throws -> R {
    guard context.errorIsTerminal else { return try await body() }
    let began = ContinuousClock.now
    let ticker = Task {
        while true {
            try await Task.sleep(for: pace)
            let waited = Duration.seconds((ContinuousClock.now - began).seconds.rounded(.down))
            context.errors(Array("\r\u{1b}[2K\(what): \(waited.brief)".utf8))
        }
    }
    let result: Result<R, any Error>
    do { result = .success(try await body()) } catch { result = .failure(error) }
    ticker.cancel()
    _ = await ticker.result
    context.errors(Array("\r\u{1b}[2K".utf8))
    return try result.get()
}
