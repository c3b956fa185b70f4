import Foundation
import Testing

@Suite struct RunTests {
  private func scratch(_ text: String = SmallExperiment.text) throws -> Scratch {
    let scratch = try Scratch()
    try scratch.write(text, as: "x.yaml")
    return scratch
  }

  @Test func everyFileIsThereAndReadable() throws {
    let scratch = try scratch()
    let result = try scratch.run("run", "x.yaml", "--out", "run")
    #expect(result.code == 0)
    #expect(try scratch.names() == ["run", "x.yaml"])
    #expect(try scratch.names(in: "run") == completeRun)

    let events = try scratch.table("run/events.csv")
    #expect(events.columns == ["stage", "name", "t", "t_error", "status", "sampling_error"])
    #expect(!events.rows.isEmpty)
    for row in events.rows {
      #expect(row.count == 6 && Double(row[2]) != nil && row[5] == "")
      #expect(row[4] == "reached" ? (Double(row[3]) ?? 0) > 0 : row[3] == "")
      #expect(["reached", "not reached"].contains(row[4]))
    }
    let steps = try scratch.table("run/steps.csv")
    #expect(
      steps.columns == [
        "stage", "t", "step", "order", "error_estimate", "evaluations", "linear_failures",
      ])
    #expect(steps.rows.allSatisfy { (Double($0[2]) ?? 0) > 0 && (1...5).contains(Int($0[3]) ?? 0) })

    let trajectory = try scratch.table("run/trajectory.csv")
    #expect(Array(trajectory.columns.prefix(5)) == ["stage", "t", "loss", "gradient_norm", "c.1"])
    for column in ["c.1+2", "w.1.3", "a", "share.1+2", "attention.1.3", "gradient_norm.w"] {
      #expect(trajectory.columns.contains(column))
    }
    #expect(
      trajectory.rows.allSatisfy {
        $0.count == trajectory.columns.count && $0.dropFirst().allSatisfy { Double($0) != nil }
      })
    #expect(try scratch.text("run/final.yaml").contains("c.1+2: "))
  }

  @Test func everyStageHasARowAtItsStartAndItsEnd() throws {
    let scratch = try scratch()
    _ = try scratch.run("run", "x.yaml", "--out", "run", "--quiet")
    let rows = try scratch.table("run/trajectory.csv").rows
    var last = rows[0]
    for (index, stage) in ["selection", "copying", "classification"].enumerated() {
      let own = rows.filter { $0[0] == stage }
      let (first, end) = (try #require(own.first), try #require(own.last))
      #expect(Double(first[1]) == Double(index) * 100 && Double(end[1]) == Double(index + 1) * 100)
      // A stage starts where the last one ended, to the last digit.
      if index > 0 {
        #expect(first[3...].count == last[3...].count && first[4...19] == last[4...19])
      }
      let times = own.compactMap { Double($0[1]) }
      #expect(zip(times, times.dropFirst()).allSatisfy(<))
      last = end
    }
    #expect(
      rows.last?[4...19].joined(separator: ",") == finalValues(try scratch.text("run/final.yaml")))
  }

  private func finalValues(_ text: String) -> String {
    text.split(separator: "\n").filter { $0.hasPrefix("  ") }
      .compactMap { $0.split(separator: " ").last.map(String.init) }.joined(separator: ",")
  }

  @Test func theManifestSaysWhereTheRunCameFrom() throws {
    let scratch = try scratch()
    _ = try scratch.run("run", "x.yaml", "--out", "run", "--quiet", "--threads", "2")
    let manifest = try scratch.manifest(of: "run")
    for key in [
      "schema_version", "program_version", "experiment_sha256", "seeds", "libraries", "compiler",
      "kernel_path", "machine", "threads", "start", "end", "status", "stages", "laws",
    ] { #expect(manifest[key] != nil, "\(key)") }
    #expect(try scratch.state(of: "run") == "finished")
    #expect(manifest["threads"] as? Int == 2)
    #expect((manifest["experiment_sha256"] as? String)?.count == 64)
    let libraries = try #require(manifest["libraries"] as? [String: String])
    #expect(libraries["SUNDIALS"]?.isEmpty == false && libraries["OpenBLAS"]?.isEmpty == false)
    let stages = try #require(manifest["stages"] as? [[String: Any]])
    #expect(
      stages.compactMap { $0["name"] as? String } == ["selection", "copying", "classification"])
    for stage in stages {
      #expect(stage["ending"] as? String == "end of the stage")
      let statistics = try #require(stage["statistics"] as? [String: Double])
      #expect((statistics["steps"] ?? 0) > 0 && (statistics["derivative_evaluations"] ?? 0) > 0)
    }
    let laws = try #require(manifest["laws"] as? [[String: Any]])
    #expect(laws.allSatisfy { $0["passed"] as? Bool == true })
    let names = laws.compactMap { $0["name"] as? String }
    for law in [
      "C_D conserved", "sum w.3 conserved", "dissipation balance", "untrained parameters",
    ] {
      #expect(names.contains(law))
    }
    // A commit is not known everywhere, but if there is one it is whole.
    if let source = manifest["source"] as? [String: Any] {
      #expect((source["commit"] as? String)?.count == 40 && source["dirty"] is Bool)
    }
  }

  @Test func theSummaryGoesToOutputAndProgressToErrors() throws {
    let scratch = try scratch()
    let loud = try scratch.run("run", "x.yaml", "--out", "loud")
    for part in [
      "Does the small run work?", "200 sequences of length 30", "stage", "selection",
      "C_D conserved",
      "holds", "recorded in loud",
    ] { #expect(loud.output.contains(part)) }
    let progress = loud.errors.split(separator: "\n")
    #expect(progress.count > 5)
    #expect(progress.allSatisfy { $0.contains("loss") && $0.contains("steps") })
    // Plain lines: nothing is drawn over, nothing is coloured.
    #expect(!loud.errors.contains("\r") && !loud.errors.contains("\u{1B}"))
    #expect(!loud.output.contains("\r") && !loud.output.contains("\u{1B}"))

    let quiet = try scratch.run("run", "x.yaml", "--out", "quiet", "--quiet")
    #expect(quiet.errors == "")
    #expect(quiet.output.contains("recorded in quiet"))
  }

  @Test(arguments: ["2>/dev/full", "2>&- >&-", ">/dev/full"])
  func aRunDoesNotDependOnItsListeners(redirection: String) throws {
    let scratch = try scratch()
    let result = try scratch.run(
      "run", "x.yaml", "--out", "run", shell: "exec \"$0\" \"$@\" \(redirection)")
    #expect(result.code == 0)
    #expect(try scratch.names(in: "run") == completeRun)
  }

  @Test func aReaderThatGoesAwayDoesNotEndTheRun() throws {
    let scratch = try scratch()
    let result = try scratch.run(
      "run", "x.yaml", "--out", "run", shell: "\"$0\" \"$@\" 2>&1 | head -1")
    #expect(result.code == 0)
    #expect(try scratch.state(of: "run") == "finished")
    #expect(try scratch.names(in: "run") == completeRun)
  }

  @Test(
    arguments: [
      ["loss.targets=expected"], ["data.start=uniform"], ["data.concentration=10"],
      ["model.readout=all-positions", "data.length=2"], ["model.empty_set=true"],
      ["solver.method=adams", "solver.linear_solver=fixed-point"],
      ["solver.linear_solver=spgmr"], ["solver.linear_solver=pcg"], ["solver.event_errors=false"],
      ["sampling.sharpness=true"], ["sampling.first=1e300"],
      [
        "sampling.sharpness=true",
        "stages.classification.stop_when=[{quantity: sharpness, below: 1e-9}]",
      ],
      ["data.sequences=1"], ["initial.noise=0.1", "initial.seed=7"], ["initial.values.c.1+2=0.5"],
      ["model.window=2", "model.own_lags=[1, 2, 1]"], ["data.vocabulary=2"],
      ["model.lags=[[1], [2, 3], [3]]", "model.own_lags=[1, 2, 3]"],
      ["stages=[{name: all, train: [c, w, a], until: 10}]"],
    ])
  func everyOptionRuns(overrides: [String]) throws {
    let scratch = try scratch()
    let result = try Program.run(
      ["run", "x.yaml", "--out", "run", "--quiet"] + overrides.flatMap { ["--set", $0] },
      in: scratch)
    #expect(result.code == 0, "\(result.errors)")
    #expect(result.errors == "")
    #expect(try scratch.state(of: "run") == "finished")
    #expect(try scratch.names(in: "run") == completeRun)
    #expect(try scratch.run("inspect", "run").code == 0)
  }

  @Test func aConditionEndsItsStage() throws {
    let scratch = try scratch()
    let stop =
      "stages.classification.stop_when=[{quantity: a, above: 0.5}, {quantity: loss, below: 0}]"
    let result = try scratch.run("run", "x.yaml", "--out", "run", "--quiet", "--set", stop)
    #expect(result.code == 0)
    #expect(result.output.contains("a above 0.5"))
    let table = try scratch.table("run/trajectory.csv")
    let column = try #require(table.columns.firstIndex(of: "a"))
    let last = try #require(table.rows.last)
    // A crossing is located to rounding of the time.
    #expect(abs((Double(last[column]) ?? 0) - 0.5) < 1e-8)
    #expect((Double(last[1]) ?? 0) < 300)
    // A condition that holds at the start ends the stage there, with both of its rows.
    let met = try scratch.run(
      "run", "x.yaml", "--out", "met", "--quiet", "--set",
      "stages.copying.stop_when=[{quantity: loss, below: 10}]")
    #expect(met.code == 0)
    let rows = try scratch.table("met/trajectory.csv").rows.filter { $0[0] == "copying" }
    #expect(rows.count == 2 && rows.allSatisfy { Double($0[1]) == 100 })
  }

  @Test func finalParametersStartAnotherExperiment() throws {
    let scratch = try scratch()
    _ = try scratch.run("run", "x.yaml", "--out", "first", "--quiet")
    try FileManager.default.createDirectory(
      at: scratch.folder.appendingPathComponent("next"), withIntermediateDirectories: false)
    try scratch.write(
      SmallExperiment.adding("initial:\n  file: ../first/final.yaml"), as: "next/y.yaml")
    let result = try scratch.run("run", "next/y.yaml", "--out", "second", "--quiet")
    #expect(result.code == 0, "\(result.errors)")
    let last = try #require(try scratch.table("first/trajectory.csv").rows.last)
    let first = try #require(try scratch.table("second/trajectory.csv").rows.first)
    #expect(first[4...19] == last[4...19])
    #expect(first[2] == last[2])
  }
}
