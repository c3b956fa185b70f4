import Foundation
import Testing

@Suite struct EnsembleTests {
  private static let grid = """
    replicates: 2
    sweep:
      - key: data.length
        values: [30, 40]
      - {key: initial.scale, from: 0.001, to: 0.1, count: 3}
    """

  private func scratch(_ sweep: String = grid) throws -> Scratch {
    let scratch = try Scratch()
    try scratch.write(SmallExperiment.adding(sweep), as: "x.yaml")
    return scratch
  }

  @Test func everyRunIsAnOrdinaryRun() throws {
    let scratch = try scratch()
    let result = try scratch.run("run", "x.yaml", "--out", "run", "--quiet")
    #expect(result.code == 0 && result.errors == "", "\(result.errors)")
    #expect(
      try scratch.names(in: "run") == [
        "events.csv", "experiment.yaml", "flows", "flows.csv", "manifest.json",
      ])
    #expect(try scratch.names(in: "run/flows") == (1...6).map { "00000\($0)" })
    for flow in 1...6 {
      #expect(try scratch.names(in: "run/flows/00000\(flow)") == ["replicates"])
      for replicate in ["001", "002"] {
        let inner = "run/flows/00000\(flow)/replicates/\(replicate)"
        #expect(try scratch.names(in: inner) == completeRun)
        #expect(try scratch.state(of: inner) == "finished")
      }
    }
    // Flow 5 is length 40, scale 0.01; its second replicate has the next seed.
    let alone = try scratch.run(
      "run", "x.yaml", "--out", "alone", "--quiet", "--set", "sweep=[]", "--set", "replicates=1",
      "--set", "data.length=40", "--set", "initial.scale=0.01", "--set", "data.seed=2")
    #expect(alone.code == 0)
    let own = try scratch.files(in: "alone")
    #expect(own.keys.sorted() == completeRun.filter { $0 != "manifest.json" })
    #expect(try scratch.files(in: "run/flows/000005/replicates/002") == own)
    #expect(try scratch.files(in: "run/flows/000005/replicates/001") != own)
    // And it runs again to the same bytes.
    let again = try scratch.run(
      "run", "run/flows/000005/replicates/002/experiment.yaml", "--out", "again", "--quiet")
    #expect(again.code == 0)
    #expect(try scratch.files(in: "again") == own)
  }

  @Test func neitherThreadsNorTheResolvedFileChangeAByte() throws {
    let scratch = try scratch()
    for threads in ["1", "2", "5"] {
      #expect(
        try scratch.run("run", "x.yaml", "--out", threads, "--quiet", "--threads", threads).code
          == 0)
    }
    let one = try scratch.files(in: "1")
    #expect(one.count == 3 + 12 * 5)
    #expect(try scratch.files(in: "2") == one)
    #expect(try scratch.files(in: "5") == one)
    #expect(try scratch.run("run", "1/experiment.yaml", "--out", "again", "--quiet").code == 0)
    #expect(try scratch.files(in: "again") == one)
  }

  @Test func theTablesAtTheTopCollectTheRuns() throws {
    let scratch = try scratch()
    let result = try scratch.run("run", "x.yaml", "--out", "run")
    #expect(result.code == 0)
    let flows = try scratch.table("run/flows.csv")
    #expect(
      flows.columns == [
        "flow", "replicate", "data.length", "initial.scale", "path", "status", "loss",
        "gradient_norm", "leader", "leading_share", "a", "message",
      ])
    #expect(flows.rows.count == 12)
    #expect(
      flows.rows[8].prefix(6) == [
        "5", "1", "40", "0.01", "flows/000005/replicates/001", "finished",
      ])
    let end = try scratch.table("run/flows/000005/replicates/001/trajectory.csv")
    #expect(flows.rows[8][6] == end.rows.last?[2])
    let events = try scratch.table("run/events.csv")
    #expect(
      events.columns == [
        "flow", "replicate", "stage", "name", "t", "t_error", "status", "sampling_error",
      ])
    let inner = try scratch.table("run/flows/000005/replicates/001/events.csv")
    #expect(
      events.rows.filter { $0[0] == "5" && $0[1] == "1" }.map { Array($0.dropFirst(2)) }
        == inner.rows)
    #expect(events.rows.count == 12 * inner.rows.count)
    // One line for each run, and no long summary.
    #expect(result.output.contains("Does the small run work?"))
    #expect(result.output.split(separator: "\n").filter { $0.hasSuffix("finished") }.count == 12)
    #expect(result.output.contains("12 runs: 12 finished"))
    #expect(!result.output.contains("C_D conserved"))
    #expect(result.errors.split(separator: "\n").count == 12)
    #expect(result.errors.contains("12 of 12 done: "))
    let manifest = try scratch.manifest(of: "run")
    let counts = try #require(manifest["flows"] as? [String: Int])
    #expect(counts == ["total": 12, "finished": 12, "failed": 0, "stopped": 0])
  }

  @Test func replicatesAloneNeedNoFlows() throws {
    let scratch = try scratch("")
    let result = try scratch.run(
      "run", "x.yaml", "--out", "run", "--quiet", "--set", "replicates=3")
    #expect(result.code == 0)
    #expect(try scratch.names(in: "run/replicates") == ["001", "002", "003"])
    #expect(try scratch.names(in: "run").contains("flows.csv"))
    let single = try scratch.run("run", "x.yaml", "--out", "single", "--quiet")
    #expect(single.code == 0)
    #expect(try scratch.names(in: "single") == completeRun)
    #expect(try scratch.files(in: "single") == scratch.files(in: "run/replicates/001"))
    #expect(try scratch.manifest(of: "single")["flows"] == nil)
  }

  @Test func aFlowThatFailsLeavesTheOthers() throws {
    let scratch = try scratch("sweep: [{key: solver.step_limit, values: [100000, 40, 1000]}]")
    let result = try scratch.run("run", "x.yaml", "--out", "run", "--quiet")
    #expect(result.code == 1)
    #expect(result.errors.contains("1 of 3 runs failed:"))
    #expect(result.errors.contains("flows/000002: The limit of 40 steps was reached in stage"))
    #expect(result.output.contains("3 flows: 2 finished, 1 failed"))
    let flows = try scratch.table("run/flows.csv")
    #expect(flows.rows.map { $0[4] } == ["finished", "failed", "finished"])
    for (flow, state) in [("1", "finished"), ("2", "failed"), ("3", "finished")] {
      #expect(try scratch.names(in: "run/flows/00000\(flow)") == completeRun)
      #expect(try scratch.state(of: "run/flows/00000\(flow)") == state)
    }
    #expect(try scratch.state(of: "run") == "failed")
    let events = try scratch.table("run/events.csv").rows
    #expect(Set(events.map { $0[0] }) == ["1", "2", "3"])
    let inspection = try scratch.run("inspect", "run")
    #expect(inspection.code == 1)
    #expect(inspection.output.contains("flows/000002: The run is failed: The limit of 40"))
  }

  /// The first two flows are short; the third, and the fourth where two run at a time, would never end.
  @Test(arguments: [SIGINT, SIGTERM])
  func aSignalStopsAllRuns(signal: Int32) throws {
    let scratch = try Scratch()
    let text = SmallExperiment.text.replacing("sequences: 200", with: "sequences: 5000")
      .replacing("length: 30", with: "length: 100").replacing("1.0e+2", with: "1.0e+8")
    try scratch.write(
      text + """
        solver:
          relative_tolerance: 1e-12
          absolute_tolerance: 1e-14
          checkpoint_steps: 20
        sweep: [{key: stages.selection.until, values: [1.0e-3, 2.0e-3, 2e8, 3e8, 4e8]}]
        """, as: "x.yaml")
    let result = try scratch.run(
      "run", "x.yaml", "--out", "run", "--quiet", "--threads", "2", "--set",
      "stages.copying.until=1e-3", "--set", "stages.classification.until=1e-3",
      haltingAt: Moment(file: "run/flows/000003/checkpoint.bin")
    ) { kill($0, signal) }
    #expect(result.code == 130)
    #expect(result.errors.contains("stopped; all up to there is in run"))
    let names = try scratch.names(in: "run/flows")
    let three = ["000001", "000002", "000003"]
    #expect(names == three || names == three + ["000004"])
    let states = try scratch.table("run/flows.csv").rows.map { $0[4] }
    // The third begins once one of the first two has ended.
    #expect(states[..<2].contains("finished") && states[2] == "stopped")
    for flow in 1...5 {
      guard flow <= names.count else {
        #expect(states[flow - 1] == "not started")
        continue
      }
      let files = try scratch.names(in: "run/flows/00000\(flow)")
      #expect(files.filter { !$0.hasPrefix("checkpoint") } == completeRun)
      #expect(try scratch.state(of: "run/flows/00000\(flow)") == states[flow - 1])
    }
    #expect(try scratch.state(of: "run") == "stopped")
    let inspected = try scratch.run("inspect", "run").output
    #expect(inspected.contains("\(5 - names.count) of 5 runs are missing."), "\(inspected)")
  }

  @Test func flowsShareTheirTokens() throws {
    let scratch = try Scratch()
    try scratch.write("0 1 2 0 1 2 0\n1 1 2 0 0 2 1\n", as: "a.txt")
    try scratch.write("0 1 2 0 1 2 0\n1 1 2 0 0 2 2\n", as: "b.txt")
    try scratch.write(
      SmallExperiment.tokens("a.txt") + """
        sweep:
          - {key: data.file, values: [a.txt, b.txt]}
          - {key: initial.scale, values: [0.01, 0.1]}
        """, as: "x.yaml")
    let result = try scratch.run("run", "x.yaml", "--out", "run", "--quiet")
    #expect(result.code == 0, "\(result.errors)")
    for (flow, overrides) in [
      (2, ["initial.scale=0.1"]), (3, ["data.file=b.txt"]),
      (4, ["data.file=b.txt", "initial.scale=0.1"]),
    ] {
      let arguments = ["run", "x.yaml", "--out", "alone\(flow)", "--quiet", "--set", "sweep=[]"]
      let alone = try Program.run(
        arguments + overrides.flatMap { ["--set", $0] }, in: scratch)
      #expect(alone.code == 0)
      #expect(try scratch.files(in: "alone\(flow)") == scratch.files(in: "run/flows/00000\(flow)"))
    }
  }

  @Test func inspectionLooksIntoEveryRun() throws {
    let scratch = try scratch()
    _ = try scratch.run("run", "x.yaml", "--out", "run", "--quiet")
    let whole = try scratch.run("inspect", "run")
    #expect(whole.code == 0)
    for part in [
      "runs: 12 in all", "flows/000006/replicates/002", "flows.csv", "The run is complete.",
    ] { #expect(whole.output.contains(part), "\(part)") }
    let inner = scratch.folder.appendingPathComponent("run/flows/000004/replicates/002")
    try FileManager.default.removeItem(at: inner.appendingPathComponent("steps.csv"))
    let damaged = try scratch.run("inspect", "run")
    #expect(damaged.code == 1)
    #expect(damaged.output.contains("flows/000004/replicates/002: steps.csv is missing."))
    try FileManager.default.removeItem(at: inner)
    #expect(try scratch.run("inspect", "run").output.contains("1 of 12 runs are missing."))
    try FileManager.default.removeItem(
      at: scratch.folder.appendingPathComponent("run/flows.csv"))
    #expect(try scratch.run("inspect", "run").output.contains("flows.csv is missing."))
  }

  @Test func checkPrintsTheGrid() throws {
    let scratch = try scratch()
    let result = try scratch.run("run", "x.yaml", "--check", "--threads", "2")
    #expect(result.code == 0)
    for part in [
      "The experiment is valid.", "6 flows with 2 replicates each, 12 runs",
      "data.length: 30, 40", "initial.scale: 0.001, 0.01, 0.1", "200 sequences of length 40",
      "for the largest run, 2 at a time",
    ] { #expect(result.output.contains(part), "\(result.output)") }
    #expect(try scratch.names() == ["x.yaml"])
  }

  @Test(arguments: [
    "sweep[0].values=[30, 3]", "replicates=0", "sweep[1].from=0", "sweep[0].key=data.lenght",
    "data.sequences=1000000000000",
  ])
  func nothingIsWrittenWhenAnyRunIsBad(override: String) throws {
    let scratch = try scratch()
    let result = try scratch.run("run", "x.yaml", "--out", "run", "--set", override)
    #expect(result.code == 2)
    #expect(result.output == "")
    #expect(try scratch.names() == ["x.yaml"])
  }
}
