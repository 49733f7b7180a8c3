import HTTPTypes
import Hummingbird
import HummingbirdCore
import JobAPI
import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle

/// HTTP/1.1 over a Unix socket that is already bound.
///
/// The framework's own server neither takes an inherited descriptor nor stops at once; this one does both, so there is
/// one path for a socket from systemd and one bound by us.
struct SocketServer: Service {
    let socket: Int32
    let responder: RouterResponder<PeerContext>
    let logger: Logger
    /// Called once connections are accepted.
    let onReady: @Sendable () -> Void

    func run() async throws {
        let logger = logger
        let responder = responder
        let requests = OpenRequests()
        let child = HTTP1Channel(
            responder: { request, writer, channel in
                requests.begin(channel)
                defer { requests.end(channel) }
                let context = PeerContext(source: .init(channel: channel, logger: logger))
                var response: Response
                do {
                    response = try await responder.respond(to: request, context: context)
                } catch {
                    response = Responses.failure(error, logger: logger)
                }
                // The framework's own refusals say nothing.
                if response.status.kind == .clientError, response.body.contentLength == 0 {
                    response = Responses.failure(HTTPError(response.status), logger: logger)
                }
                // Nobody reads the rest of it: a client that sends all before it listens would wait for ever.
                if response.status == .contentTooLarge {
                    response.headers[.connection] = "close"
                    channel.eventLoop.scheduleTask(in: .seconds(1)) { channel.close(promise: nil) }
                }
                // Who follows a job does so for as long as it runs.
                if response.headers[.contentType]?.hasPrefix("text/event-stream") == true { requests.end(channel) }
                try await writer.write(response: response.head, body: response.body)
            }, configuration: .init(idleTimeout: .seconds(60)))
        let server = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelOption(ChannelOptions.allowRemoteHalfClosure, value: true)
            .bind(socket) { channel in
                requests.begin(channel)
                return child.setup(channel: channel, logger: logger).map(AcceptedConnection.init)
            }
        onReady()
        try await withThrowingDiscardingTaskGroup { group in
            group.addTask { try await letOut(requests, of: server.channel) }
            try await server.executeThenClose { inbound in
                for try await connection in inbound {
                    group.addTask { await connection.serve(with: child, logger: logger) }
                }
            }
            // Followers hold connections open for as long as a job runs; a stop does not wait for them.
            group.cancelAll()
        }
    }

    /// At a stop: who comes now is not let in and waits for the next daemon, where systemd holds the socket; whoever was let in gets an
    /// answer before the server closes.
    private func letOut(_ requests: OpenRequests, of server: any Channel) async throws {
        // Only the end of the server cancels it, and then there is nothing to close.
        do { try await gracefulShutdown() } catch { return }
        // One that closes loses those it has just accepted, which its loop has not been given yet.
        try await server.setOption(.autoRead, value: false).get()
        await requests.settle(within: .seconds(2))
        try await server.close()
    }
}
