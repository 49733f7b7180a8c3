import JobAPI
import Testing

@Suite struct ShowCommandTests {
    @Test func table() async throws {
        try await FakeServer.with(["GET /v1/jobs/7": [try .json(Samples.detail())]]) { server in
            let outcome = await Terminal().run(["show", "7"], socket: server.socket)
            #expect(outcome.status == 0)
            expectSnapshot(
                outcome.out,
                """
                job          7  fashion
                state        succeeded
                reason       exited with status 0
                user         ada (uid 1000)
                project      vision
                queue        batch
                kind         train
                command      python3 'train it.py' --lr=0.1
                workdir      /home/ada/lab
                resources    2 cpus, 2 GiB, at most 1 h
                attempt      1
                submitted    2026-11-24T08:00:58Z
                started      2026-11-24T08:01:00Z
                ended        2026-11-24T08:01:45Z
                run time     45 s
                exit status  0
                progress     epoch 3/10, step 5/100, 960 samples
                energy       1235 J (1100 J-1400 J), 0.123 gCO2e (0.11-0.14), table
                of which     1201 J active, 34 J reserved idle

                transitions
                  AT                        FROM      TO         CAUSE
                  2026-11-24T08:00:58.000Z  -         queued     submitted
                  2026-11-24T08:00:59.000Z  queued    starting   2 of 2 cpus free
                  2026-11-24T08:01:00.000Z  starting  running    started
                  2026-11-24T08:01:45.000Z  running   succeeded  exited with status 0

                sandbox, as enforced
                  filesystem: read-only but /home/ada/lab
                  network: none

                metrics
                  EPOCH  SPLIT  METRIC     VALUE
                      3  train  loss      0.4322
                         test   accuracy  0.8841

                artifacts
                  model  /home/ada/lab/model.safetensors
                  output  /home/ada/lab/figures/loss.svg  (20 KiB)

                """)
        }
    }

    @Test func json() async throws {
        try await FakeServer.with(["GET /v1/jobs/7": [try .json(Samples.detail())]]) { server in
            let outcome = await Terminal().run(["show", "7", "--format", "json"], socket: server.socket)
            let expected = try JSON.text(Samples.detail(), pretty: true) + "\n"
            #expect(outcome.out == expected)
            #expect(outcome.out.contains("\"energy_j\" : 1234.5"))
        }
    }

    @Test func unknownJob() async throws {
        let error = APIError(.notFound, "there is no job 9", hint: "mlctl list")
        try await FakeServer.with(["GET /v1/jobs/9": [try .error(error)]]) { server in
            let outcome = await Terminal().run(["show", "9"], socket: server.socket)
            #expect(outcome.status == 1)
            #expect(outcome.out.isEmpty)
            #expect(outcome.err == "mlctl: there is no job 9\nhint: mlctl list\n")
        }
    }
}
