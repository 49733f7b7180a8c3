import Testing

@testable import Policy

@Suite struct AccessTests {
    private let root = Submitter(uid: 0, user: "root", groups: [])
    private let bob = Submitter(uid: 7, user: "bob", groups: ["students"])

    @Test func theBuiltIn() {
        for (action, everybody) in [
            (AccessAction.submit, true), (.seeOthers, false), (.reloadPolicy, false), (.changeBudgets, false),
        ] {
            #expect(PolicySet.builtIn.mayRun(action, bob).isAllowed == everybody)
            #expect(PolicySet.builtIn.mayRun(action, root).isAllowed)
        }
        let refusal = PolicySet.builtIn.mayRun(.reloadPolicy, bob).refusal
        #expect(refusal?.message == "bob may not reload the policy (access.reload-policy, built in)")
        #expect(refusal?.hint == "it is for admins only; ask an admin")
    }

    @Test func whoIsListed() throws {
        let set = try policy(
            """
            [access]
            admins = ["carol"]
            submit = ["@staff"]
            see-others = ["*"]
            reload-policy = ["bob"]
            """)
        #expect(set.mayRun(.submit, alice).isAllowed)
        #expect(
            set.mayRun(.seeOthers, bob)
                == AccessAnswer(
                    isAllowed: true, key: "access.see-others", source: set.access.seeOthers.source))
        #expect(set.mayRun(.reloadPolicy, bob).isAllowed)
        #expect(!set.mayRun(.reloadPolicy, alice).isAllowed)
        let admin = set.mayRun(.changeBudgets, Submitter(uid: 9, user: "carol", groups: []))
        #expect(admin.isAllowed && admin.key == "access.admins" && admin.source?.line == 2)
        let refusal = try #require(set.ask(job(), by: bob).refusal)
        #expect(refusal.message == "bob may not submit jobs (access.submit, p.toml:3)")
        #expect(refusal.hint == "it is for @staff and admins; ask an admin")
        #expect(refusal.rule == RuleReference(file: "p.toml", line: 3, name: "access.submit"))
        #expect(set.ask(job()).job != nil)
        #expect(set.ask(job(), by: root).job != nil)
    }

    /// A user cannot take the name of a group or of everybody.
    @Test func namesThatLookLikeLists() throws {
        let set = try policy("[access]\nsubmit = [\"@staff\", \"bob\"]\n")
        for name in ["@staff", "*", "staff", ""] {
            #expect(!set.mayRun(.submit, Submitter(uid: 5, user: name, groups: ["bob", "*"])).isAllowed, "\(name)")
        }
    }
}
