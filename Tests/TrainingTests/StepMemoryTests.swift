import Foundation
import Testing

@testable import Training

/// A step keeps no memory. In processes of their own, since other tests allocate while one looks; not as exit tests of Swift
/// Testing, whose monitor waits for any child and starves when another test leaves one behind.
@Suite struct StepMemoryTests {
    @Test(arguments: ["mlp", "cnn", "sentiment-80", "gpt"])
    func stepsKeepNothing(workload: String) throws {
        let workshop = try Workshop()
        let run = try Program.run(
            ["bench", workload, "--threads", "2", "--shards", "4", "--seconds", "0.5", "--format", "json"], in: workshop
        )
        #expect(run.status == 0, "\(run.errors)")
        let result = try #require(
            try JSONSerialization.jsonObject(with: Data(run.output.utf8)) as? [String: Any], "\(run.output)")
        #expect(try #require(result["steps"] as? Int) >= 5)
        #expect(result["heap_growth_bytes"] as? Int == 0, "\(run.output)")
    }
}
