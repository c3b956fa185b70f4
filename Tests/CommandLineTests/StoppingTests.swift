import Foundation
import Testing

/// The times at which stages ended; JSONSerialization would read them a few last places off.
private struct StageTimes: Decodable {
  struct Stage: Decodable { let tEnd: Double }
  let stages: [Stage]

  static func read(_ scratch: Scratch, _ run: String) throws -> [Double] {
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    return try decoder.decode(Self.self, from: scratch.data("\(run)/manifest.json"))
      .stages.map(\.tEnd)
  }
}

@Suite struct StoppingTests {
  /// Enough work for many seconds in the first stage.
  private func longRun() throws -> Scratch {
    let scratch = try Scratch()
    let text = SmallExperiment.text.replacing("sequences: 200", with: "sequences: 5000")
      .replacing("length: 30", with: "length: 100").replacing("1.0e+2", with: "1.0e+8")
    try scratch.write(
      text
        + "solver: {relative_tolerance: 1e-12, absolute_tolerance: 1e-14, checkpoint_steps: 20}\n",
      as: "x.yaml")
    return scratch
  }

  @Test(arguments: [SIGINT, SIGTERM])
  func aSignalStopsTheRunWithWholeFiles(signal: Int32) throws {
    let scratch = try longRun()
    let result = try scratch.run(
      "run", "x.yaml", "--out", "run", "--quiet", haltingAt: Moment(file: "run/checkpoint.bin")
    ) { kill($0, signal) }
    #expect(result.code == 130)
    #expect(result.errors.contains("stopped; all up to there is in run"))
    #expect(result.output.contains("recorded in run"))
    #expect(try scratch.names(in: "run").filter { !$0.hasPrefix("checkpoint") } == completeRun)
    #expect(try scratch.state(of: "run") == "stopped")
    let table = try scratch.table("run/trajectory.csv")
    #expect(!table.rows.isEmpty && table.rows.allSatisfy { $0.count == table.columns.count })
    let stages = try #require(try scratch.manifest(of: "run")["stages"] as? [[String: Any]])
    #expect(stages.last?["ending"] as? String == "stopped")
    // The last row is where the flow stands.
    #expect(
      try table.rows.last.flatMap { Double($0[1]) } == StageTimes.read(scratch, "run").last)
    let inspection = try scratch.run("inspect", "run")
    #expect(inspection.code == 1)
    #expect(inspection.output.contains("The run is stopped: stopped on its way"))
  }

  /// `timeout` and the like send a signal to a process and to its group at once.
  @Test func aSignalTwiceAtOnceStopsInOrder() throws {
    let scratch = try longRun()
    let result = try scratch.run(
      "run", "x.yaml", "--out", "run", "--quiet", haltingAt: Moment(file: "run/checkpoint.bin")
    ) { process in
      // Two of a kind that come to a process that stands still would be one.
      kill(process, SIGINT)
      kill(process, SIGTERM)
    }
    #expect(result.code == 130)
    #expect(try scratch.state(of: "run") == "stopped")
  }

  /// While data are sampled nobody can be asked; after a time of grace, here a second, the program ends all the same.
  @Test func aSignalWhereNobodyCanBeAskedEndsTheRunLater() throws {
    let scratch = try Scratch()
    // Many seconds of sampling.
    try scratch.write(
      SmallExperiment.text.replacing("sequences: 200", with: "sequences: 1000000")
        .replacing("length: 30", with: "length: 2000"), as: "x.yaml")
    let result = try scratch.run(
      "run", "x.yaml", "--out", "run", "--quiet", "--threads", "1",
      shell: "GRADFLOW_GRACE=1 exec \"$0\" \"$@\""
    ) { process in
      scratch.wait { (try? scratch.names(in: "run"))?.contains(".lock") == true }
      kill(process, SIGTERM)
    }
    #expect(result.code == 130 && result.errors.contains("in the midst of"), "\(result)")
    #expect(try scratch.names(in: "run") == [".lock"])
    let begun = try scratch.run(
      "run", "x.yaml", "--out", "run", "--quiet", "--resume", "--set", "data.sequences=200",
      "--set", "data.length=30")
    #expect(begun.code == 0, "\(begun)")
  }

  @Test func aRunThatIsStoppedBeforeItsErrorBarsIsStopped() throws {
    let scratch = try longRun()
    let result = try scratch.run(
      "run", "x.yaml", "--out", "run", "--set", "stages=[{name: one, train: [c], until: 1e5}]",
      "--set", "solver.checkpoint_steps=100000",
      // No boundary before the end of the flow, behind which comes the second solve.
      haltingAt: Moment(file: "run/checkpoint.bin")
    ) { kill($0, SIGINT) }
    #expect(result.code == 130)
    #expect(result.output.contains("no error bars: The second solve was stopped."))
    #expect(try scratch.state(of: "run") == "stopped")
    #expect(try scratch.names(in: "run") == ["checkpoint.bin"] + completeRun)
  }

  @Test func aStepLimitFailsWithPartialRecords() throws {
    let scratch = try Scratch()
    try scratch.write(SmallExperiment.text, as: "x.yaml")
    let result = try scratch.run(
      "run", "x.yaml", "--out", "run", "--quiet", "--set", "solver.step_limit=40")
    #expect(result.code == 1)
    let message = "The limit of 40 steps was reached in stage classification at t = "
    #expect(result.errors.contains(message))
    #expect(result.errors.contains("The keys are solver.step_limit"))
    #expect(result.errors.contains("All up to there is in run."))
    #expect(try scratch.names(in: "run") == completeRun)
    let status = try #require(try scratch.manifest(of: "run")["status"] as? [String: String])
    #expect(status["state"] == "failed" && status["message"]?.hasPrefix(message) == true)
    let stages = try #require(try scratch.manifest(of: "run")["stages"] as? [[String: Any]])
    #expect(
      stages.map { $0["ending"] as? String } == ["end of the stage", "end of the stage", "failed"])
    #expect(try scratch.table("run/trajectory.csv").rows.contains { $0[0] == "classification" })
    #expect(
      try scratch.table("run/steps.csv").rows.filter { $0[0] == "classification" }.count == 40)
    #expect(try scratch.run("inspect", "run").code == 1)
  }

  @Test func transitionsBeforeAFailureAreKept() throws {
    let scratch = try Scratch()
    try scratch.write(SmallExperiment.text, as: "x.yaml")
    let overrides = [
      "data.sequences=2000", "data.length=100", "stages.selection.until=1e6",
    ]
    let arguments = ["run", "x.yaml", "--quiet"] + overrides.flatMap { ["--set", $0] }
    #expect(try Program.run(arguments + ["--out", "whole"], in: scratch).code == 0)
    let steps = try scratch.table("whole/steps.csv").rows.filter { $0[0] == "selection" }.count
    let failed = try Program.run(
      arguments + ["--out", "part", "--set", "solver.step_limit=\(steps - 1)"], in: scratch)
    #expect(failed.code == 1)
    func reached(_ run: String) throws -> Set<String> {
      Set(
        try scratch.table("\(run)/events.csv").rows
          .filter { $0[0] == "selection" && $0[4] == "reached" }.map { $0[1] + " " + $0[2] })
    }
    #expect(try !reached("whole").isEmpty)
    #expect(try reached("part") == reached("whole"))
  }

  @Test func aFlowThatLeavesTheNumbersFails() throws {
    let scratch = try Scratch()
    try scratch.write(SmallExperiment.text, as: "x.yaml")
    let result = try scratch.run(
      "run", "x.yaml", "--out", "run", "--quiet", "--set",
      "stages.classification.until=1e300")
    #expect(result.code == 1)
    #expect(result.errors.contains("in stage classification at t = "))
    #expect(try scratch.state(of: "run") == "failed")
    #expect(try scratch.names(in: "run") == completeRun)
  }
}
