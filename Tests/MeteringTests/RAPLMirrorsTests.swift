import Metering
import TestSupport
import Testing

/// Packages that may show one counter, read one after the other on a machine that is busy, and real sockets beside them.
@Suite struct RAPLMirrorsTests {
    private func machine(_ zones: Int = 2) throws -> FakeMachine {
        let machine = try FakeMachine()
        for index in 0..<zones { try machine.zone("intel-rapl:\(index)", name: "package-\(index)", energy: 5_000) }
        return machine
    }

    /// The joules that the zones have counted since the start.
    private func write(_ joules: Double..., to machine: FakeMachine) throws {
        for (index, joules) in joules.enumerated() {
            try machine.energy("intel-rapl:\(index)", 5_000 + UInt64(joules * 1e6))
        }
    }

    @Test func diesThatShowOneCounterAreCountedOnce() throws {
        let machine = try FakeMachine()
        for index in 0..<3 { try machine.zone("intel-rapl:\(index)", name: "package-\(index)", energy: 5_000) }
        var meters = machine.meters()
        var total = 0.0
        for step in 1...5 {
            for index in 0..<3 { try machine.energy("intel-rapl:\(index)", 5_000 + UInt64(step) * 50_000_000) }
            total += machine.tick(&meters).values.compactMap(\.joules).reduce(0, +)
        }
        #expect(total == 250)
        let status = meters.descriptions.first { $0.domain == "package-2" }?.status
        #expect(status == "shows the counter of package-0: counted once")
        // A renewal of the counter between the two reads is no second socket.
        try machine.energy("intel-rapl:0", 300_005_000)
        try machine.energy("intel-rapl:1", 300_055_000)
        try machine.energy("intel-rapl:2", 300_055_000)
        #expect(machine.tick(&meters).mapValues(\.joules) == ["package-0": 50])
    }

    /// 1 J ahead at 100 W: the second was read 10 ms after the first. The reading after it is 1 J behind.
    @Test func oneLateReadDoesNotMakeTwoSockets() throws {
        let machine = try machine()
        var meters = machine.meters()
        for second in 1...20 {
            let joules = Double(second) * 100
            try write(joules, joules + (second == 7 ? 1 : 0), to: machine)
            #expect(machine.tick(&meters).mapValues(\.joules) == ["package-0": 100])
        }
        let status = meters.descriptions.first { $0.domain == "package-1" }?.status
        #expect(status == "shows the counter of package-0: counted once")
    }

    /// 0.3 s late, far more than any pause between two reads that mld allows for.
    @Test func norDoesAReadThatIsVeryLate() throws {
        let machine = try machine()
        var meters = machine.meters()
        for second in 1...20 {
            let joules = Double(second) * 100
            try write(joules, joules + (second == 7 ? 30 : 0), to: machine)
            #expect(machine.tick(&meters).mapValues(\.joules) == ["package-0": 100])
        }
    }

    /// Up to 40 ms late in every second reading, at 50 to 250 W: never more than the one counter told.
    @Test func diesAreCountedOnceHoweverOftenTheyAreReadLate() throws {
        let machine = try machine()
        var meters = machine.meters()
        var generator = Seeded(11)
        var joules = 0.0
        for _ in 1...500 {
            let watts = Double.random(in: 50...250, using: &generator)
            let late = Bool.random(using: &generator) ? Double.random(in: 0...0.04, using: &generator) : 0
            joules += watts
            try write(joules, joules + watts * late, to: machine)
            let samples = machine.tick(&meters)
            #expect(samples["package-0"]?.joules != nil)
            #expect(samples["package-1"]?.joules == nil)
        }
    }

    /// The very first reading is late: as long as nobody knows, the second zone is a gap.
    @Test(arguments: [0.5, 1, 4]) func diesReadLateAtTheStartAreNotAddedUp(late: Double) throws {
        let machine = try machine()
        var meters = machine.meters()
        try write(100, 100 + late, to: machine)
        let samples = machine.tick(&meters)
        #expect(samples["package-0"]?.joules == 100)
        #expect(samples["package-1"]?.gap == "not yet told apart from package-0" && samples["package-1"]?.seconds == 1)
        for second in 2...10 {
            let joules = Double(second) * 100
            try write(joules, joules + late, to: machine)
            #expect(machine.tick(&meters).mapValues(\.joules) == ["package-0": 100])
        }
    }

    /// A pause of 0.3 s in the first reading looks like two sockets, but not for long.
    @Test func diesTakenForTwoSocketsAreFoundOut() throws {
        let machine = try machine()
        var meters = machine.meters()
        for second in 1...10 {
            let joules = Double(second) * 100
            try write(joules, joules + 30, to: machine)
            let samples = machine.tick(&meters)
            if second > 3 { #expect(samples.mapValues(\.joules) == ["package-0": 100]) }
        }
    }

    @Test func socketsThatMoveApartAreBothCountedFromThenOn() throws {
        let machine = try FakeMachine()
        for index in 0..<2 { try machine.zone("intel-rapl:\(index)", name: "package-\(index)", energy: 0) }
        var meters = machine.meters()
        for (first, second, sum) in [(50, 60, 110.0), (100, 110, 100.0), (150, 170, 110.0)] {
            try machine.energy("intel-rapl:0", UInt64(first) * 1_000_000)
            try machine.energy("intel-rapl:1", UInt64(second) * 1_000_000)
            #expect(machine.tick(&meters).values.compactMap(\.joules).reduce(0, +) == sum)
        }
    }

    /// 100 W and 101 W: 1 J further apart each second. A late read could have made 5.05 J of it.
    @Test func socketsThatDrawNearlyTheSameAreToldApartWithinSeconds() throws {
        let machine = try machine()
        var meters = machine.meters()
        for second in 1...10 {
            try write(Double(second) * 100, Double(second) * 101, to: machine)
            let samples = machine.tick(&meters)
            #expect(samples["package-0"]?.joules == 100)
            #expect(samples["package-1"]?.joules == (second > 5 ? 101 : nil))
            if second <= 5 { #expect(samples["package-1"]?.gap == "not yet told apart from package-0") }
        }
    }

    /// Taken for one until they have been apart in three readings.
    @Test func socketsThatBeginAlikeByChanceAreToldApart() throws {
        let machine = try machine()
        var meters = machine.meters()
        for (first, second, counted) in [(50.0, 50.0, 1), (100, 110, 1), (150, 170, 1), (200, 230, 2), (250, 290, 2)] {
            try write(first, second, to: machine)
            #expect(machine.tick(&meters).values.compactMap(\.joules).count == counted)
        }
    }

    /// Later on a chance does not make one of two, not even two running.
    @Test func socketsThatAreEqualNowAndThenStayTwo() throws {
        let machine = try machine()
        var meters = machine.meters()
        var (first, second) = (0.0, 0.0)
        for step in 1...20 {
            first += 50
            second += step % 5 < 2 && step > 1 ? 50 : 70
            try write(first, second, to: machine)
            #expect(machine.tick(&meters)["package-1"]?.joules == (step % 5 < 2 && step > 1 ? 50 : 70))
        }
    }

    /// While the first gives no figure nothing can be counted twice.
    @Test func besideAGapTheOtherIsCounted() throws {
        let machine = try machine()
        var meters = machine.meters()
        try machine.write("sys/class/powercap/intel-rapl:0/energy_uj", "")
        try machine.energy("intel-rapl:1", 45_005_000)
        let samples = machine.tick(&meters)
        #expect(samples["package-0"]?.gap != nil && samples["package-1"]?.joules == 45)
    }
}
