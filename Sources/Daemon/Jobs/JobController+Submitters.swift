import JobAPI
import LinuxSystem
import Policy
import Scheduling
import Units

// Who submitters are to rules, budgets and reservations. The system's user database may be slow, so each is looked up at most once
// in a while, however many jobs are theirs.
extension JobController {
    struct KnownSubmitter: Sendable {
        var submitter: Submitter
        var asOf: Timestamp
    }

    private static let lookUpAgainAfter = Duration.seconds(300)

    func submitter(uid: UInt32, gid: UInt32) -> Submitter {
        let now = Timestamp.now()
        if let known = submitters[uid], (.zero..<Self.lookUpAgainAfter).contains(now.since(known.asOf)) {
            return known.submitter
        }
        let user = User.lookup(uid: uid, gid: gid)
        return remember(Submitter(uid: user.uid, user: user.name, groups: user.groupNames, home: user.home))
    }

    @discardableResult
    func remember(_ submitter: Submitter) -> Submitter {
        submitters[submitter.uid] = KnownSubmitter(submitter: submitter, asOf: .now())
        scheduler.know(submitter)
        return submitter
    }

    /// Before a job of theirs is told to the scheduler.
    func know(uid: UInt32, gid: UInt32) { _ = submitter(uid: uid, gid: gid) }

    /// Looks all up again whose jobs there are: a new policy asks who they are now.
    func lookUpSubmitters() {
        let known = submitters.values.map(\.submitter.uid)
        submitters = [:]
        for uid in known where scheduler.hasJobs(uid: uid) { know(uid: uid, gid: uid) }
    }
}
