import Glibc
import JobAPI
import Ledger
import LinuxSystem
import Logging
import Policy
import ServiceLifecycle
import Synchronization

/// Tells people and programs of jobs' ends, a bounded number at once, and never makes a job wait for it.
final class Notifier: Service {
    /// One thing to run.
    struct Delivery: Sendable {
        var hook: Hook
        var input: [UInt8]
        var job: JobID
    }

    static let atOnce = 4
    static let backlog = 1000

    private let deliveries: AsyncStream<Delivery>
    private let feed: AsyncStream<Delivery>.Continuation
    private let sendmail: String
    private let logger: Logger
    /// How many wait or run.
    private let pending = Mutex(0)

    init(sendmail: String = "/usr/sbin/sendmail", logger: Logger) {
        self.sendmail = sendmail
        self.logger = logger
        (deliveries, feed) = AsyncStream.makeStream(of: Delivery.self, bufferingPolicy: .unbounded)
    }

    /// Takes what the policy and the job want told of the job's end. Returns at once.
    func take(_ job: JobRecord, _ wish: JobSpec.Notification?, policy: PolicySet.Notify) {
        let notice = Notice(job)
        if let path = policy.hook.value, policy.on.value.contains(job.state) {
            do {
                let hook = Hook(
                    path: path,
                    environment: [
                        "MLD_EVENT": notice.event, "MLD_JOB_ID": "\(job.id)", "MLD_JOB_STATE": job.state.rawValue,
                    ])
                add(Delivery(hook: hook, input: Array(try JSON.encode(notice)) + [0x0A], job: job.id))
            } catch {
                logger.error("cannot tell of its end: \(error)", metadata: ["job": "\(job.id)"])
            }
        }
        guard policy.mail.value, let address = wish?.mail, wish?.on?.contains(job.state) ?? true else { return }
        guard access(sendmail, X_OK) == 0 else {
            logger.warning("no mail: there is no \(sendmail)", metadata: ["job": "\(job.id)"])
            return
        }
        guard let mail = Mail(notice, to: address) else {
            logger.error("no mail: its address is none", metadata: ["job": "\(job.id)"])
            return
        }
        add(Delivery(hook: Hook(path: sendmail, arguments: ["-t", "-i"]), input: mail.message, job: job.id))
    }

    private func add(_ delivery: Delivery) {
        let hasRoom = pending.withLock { count in
            guard count < Self.backlog else { return false }
            count += 1
            return true
        }
        guard hasRoom else {
            logger.warning(
                "its end is not told to \(delivery.hook.path): \(Self.backlog) notices wait already",
                metadata: ["job": "\(delivery.job)"])
            return
        }
        feed.yield(delivery)
    }

    func run() async throws {
        await cancelWhenGracefulShutdown {
            await withTaskGroup(of: Void.self) { group in
                var running = 0
                for await delivery in self.deliveries {
                    if running == Self.atOnce {
                        await group.next()
                        running -= 1
                    }
                    running += 1
                    group.addTask { await self.deliver(delivery) }
                }
                group.cancelAll()
            }
        }
        let left = pending.withLock { $0 }
        if left > 0 { logger.warning("\(left) notices of jobs' ends were not sent: mld stops") }
    }

    private func deliver(_ delivery: Delivery) async {
        do throws(LinuxError) {
            try await delivery.hook.run(input: delivery.input)
        } catch {
            logger.warning("telling of its end: \(error)", metadata: ["job": "\(delivery.job)"])
        }
        pending.withLock { $0 -= 1 }
    }
}

extension JobController {
    /// Lets the job's end be told.
    func notify(_ id: JobID) async {
        guard policy.notify.isOn else { return }
        do {
            guard let stored = try await ledger.job(id), stored.record.state.isFinal else { return }
            notifier.take(stored.record, stored.spec.notify, policy: policy.notify)
        } catch {
            logger.error("cannot tell of its end: \(error)", metadata: ["job": "\(id)"])
        }
    }
}
