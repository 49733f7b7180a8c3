import Glibc
import Testing

@testable import Training

@Suite struct PeakMemoryTests {
    /// What a run took is its own, however large the program is that started it.
    @Test func aLargeParentDoesNotCount() throws {
        let workshop = try Workshop()
        try workshop.makeData()
        let job = try workshop.write("job.toml", workshop.job(epochs: 1))
        // Written, so that it is there: 400 MiB.
        let size = 400 << 20
        let ballast = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 4096)
        defer { ballast.deallocate() }
        memset(ballast, 1, size)
        let run = try Program.run(["fit", job, "--output", workshop.path + "/model"], in: workshop)
        #expect(run.status == 0, "\(run.errors)")
        let most = try #require(run.output.firstMatch(of: /(\d+) MiB at most/)).1
        #expect(try #require(Int(most)) < 300 && Int(most) != 0, "\(run.output)")
    }
}
