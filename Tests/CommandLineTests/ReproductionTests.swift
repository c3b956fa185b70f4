import Foundation
import Testing

@Suite struct ReproductionTests {
  private func expectEqual(
    _ scratch: Scratch, _ first: String, _ second: String,
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    for table in tables + ["final.yaml", "experiment.yaml"] {
      let isEqual = try scratch.data("\(first)/\(table)") == scratch.data("\(second)/\(table)")
      #expect(isEqual, "\(table) differs", sourceLocation: sourceLocation)
    }
  }

  @Test func neitherThreadsNorRepetitionChangeAByte() throws {
    let scratch = try Scratch()
    try scratch.write(SmallExperiment.text, as: "x.yaml")
    for (name, threads) in [("one", "1"), ("two", "2"), ("three", "3"), ("again", "2")] {
      let result = try scratch.run("run", "x.yaml", "--quiet", "--out", name, "--threads", threads)
      #expect(result.code == 0)
    }
    for name in ["two", "three", "again"] { try expectEqual(scratch, "one", name) }
  }

  @Test func threadsDoNotChangeAByteAtThePapersSize() throws {
    let scratch = try Scratch()
    let text = SmallExperiment.text.replacing("sequences: 200", with: "sequences: 10000")
      .replacing("length: 30", with: "length: 100").replacing("1.0e+2", with: "10")
    try scratch.write(text, as: "x.yaml")
    for threads in ["1", "2", "3"] {
      let result = try scratch.run(
        "run", "x.yaml", "--quiet", "--out", threads, "--threads", threads)
      #expect(result.code == 0)
    }
    try expectEqual(scratch, "1", "2")
    try expectEqual(scratch, "1", "3")
  }

  @Test(
    arguments: [
      [], ["initial.noise=0.01", "data.seed=9223372036854775807"],
      ["stages.classification.stop_when=[{quantity: gradient_norm, below: 1e-2}]"],
      ["solver.linear_solver=spgmr", "solver.method=adams", "loss.targets=expected"],
    ])
  func theResolvedExperimentRunsToTheSameBytes(overrides: [String]) throws {
    let scratch = try Scratch()
    try scratch.write(SmallExperiment.text, as: "x.yaml")
    let first = try Program.run(
      ["run", "x.yaml", "--quiet", "--out", "first"] + overrides.flatMap { ["--set", $0] },
      in: scratch)
    #expect(first.code == 0)
    let second = try scratch.run("run", "first/experiment.yaml", "--quiet", "--out", "second")
    #expect(second.code == 0)
    try expectEqual(scratch, "first", "second")
    let hashes = try ["first", "second"].map {
      try scratch.manifest(of: $0)["experiment_sha256"] as? String
    }
    #expect(hashes[0] == hashes[1] && hashes[0] != nil)
  }

  @Test func anotherSeedIsAnotherRun() throws {
    let scratch = try Scratch()
    try scratch.write(SmallExperiment.text, as: "x.yaml")
    for seed in ["1", "2"] {
      let result = try scratch.run(
        "run", "x.yaml", "--quiet", "--out", seed, "--set", "data.seed=\(seed)")
      #expect(result.code == 0)
    }
    #expect(try scratch.data("1/trajectory.csv") != scratch.data("2/trajectory.csv"))
  }
}
