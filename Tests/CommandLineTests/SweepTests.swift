import Foundation
import Testing

@Suite struct SweepTests {
  private static let axes = """
    sweep:
      - {key: data.concentration, values: [0.1, 0.5]}
      - {key: initial.scale, from: 0.001, to: 0.1, count: 3}
    """

  private func planned(_ sweep: String = axes) throws -> Scratch {
    let scratch = try Scratch()
    try scratch.write(SmallExperiment.adding(sweep), as: "x.yaml")
    let result = try scratch.run("sweep", "plan", "x.yaml", "--out", "s")
    #expect(result.code == 0, "\(result.errors)")
    return scratch
  }

  /// Planned, run in shards from several processes, collected: the runs of `gradflow run`.
  @Test func shardsLeaveWhatOneRunLeaves() throws {
    let scratch = try planned()
    #expect(try scratch.state(of: "s") == "planned")
    #expect(
      try scratch.names(in: "s") == ["experiment.yaml", "ledger.jsonl", "manifest.json"])
    let lines = try scratch.text("s/ledger.jsonl").split(separator: "\n")
    #expect(lines.count == 6)
    let fifth = try #require(
      try JSONSerialization.jsonObject(with: Data(lines[4].utf8)) as? [String: Any])
    #expect(fifth["number"] as? Int == 5 && fifth["path"] as? String == "flows/000005")
    let settings = try #require(fifth["settings"] as? [[String: String]])
    #expect(settings.map { $0["value"] } == ["0.5", "0.01"])
    #expect((fifth["seeds"] as? [String: Int])?["data"] == 1)

    for shard in ["1/3", "3/3"] {
      let result = try scratch.run("sweep", "run", "s", "--shard", shard, "--quiet")
      #expect(result.code == 0 && result.output.hasPrefix("2 finished;"), "\(result)")
    }
    let status = try scratch.run("sweep", "status", "s")
    #expect(status.output == "4 of 6 finished, 0 failed, 2 missing\n")
    let one = try scratch.run("sweep", "run", "s", "--index", "2", "--quiet")
    #expect(one.output.hasPrefix("1 finished;"))
    let rest = try scratch.run("sweep", "run", "s", "--quiet")
    #expect(rest.output.hasPrefix("1 finished, 5 stood already;"), "\(rest.output)")
    let collected = try scratch.run("sweep", "collect", "s")
    #expect(collected.code == 0 && collected.output.contains("6 of 6 runs finished"))
    #expect(try scratch.run("inspect", "s").code == 0)

    let direct = try scratch.run("run", "x.yaml", "--out", "r", "--quiet")
    #expect(direct.code == 0)
    let own = try scratch.files(in: "s/flows")
    let whole = try scratch.files(in: "r/flows")
    #expect(own.count == 30 && own == whole)
    let (events, others) = (try scratch.data("s/events.csv"), try scratch.data("r/events.csv"))
    #expect(events == others)
  }

  /// Every row has the values of its axes, and of its own run's files.
  @Test func theDiagramHoldsWhatTheRunsHold() throws {
    let scratch = try planned(Self.axes + "\nclaims: [G2]")
    #expect(try scratch.run("sweep", "run", "s", "--shard", "1/2", "--quiet").code == 0)
    #expect(try scratch.run("sweep", "collect", "s").code == 0)
    #expect(try scratch.state(of: "s") == "stopped")
    let diagram = try scratch.data("s/phase-diagram.csv")
    #expect(try scratch.run("sweep", "collect", "s").code == 0)
    #expect(try scratch.data("s/phase-diagram.csv") == diagram)
    // Sets are quoted, for they hold commas.
    let text = try scratch.text("s/phase-diagram.csv").replacing(/"[^"]*"/, with: "quoted")
    try scratch.write(text, as: "plain.csv")
    let (columns, rows) = try scratch.table("plain.csv")
    func cell(_ row: Int, _ name: String) throws -> String {
      rows[row][try #require(columns.firstIndex(of: name), "\(columns)")]
    }
    #expect(rows.count == 6)
    #expect(
      try (0..<6).map { try cell($0, "status") == "missing" } == [
        false, true, false, true, false, true,
      ])
    #expect(try cell(2, "data.concentration") == "0.1")
    #expect(try cell(2, "initial.scale") == "0.1")
    let events = try scratch.table("s/flows/000003/events.csv")
    #expect(events.rows.count { $0[1] == "selection.1+2" } == 1)
    for event in events.rows where event[1] == "selection.1+2" {
      #expect(try cell(2, "t.selection.1+2") == event[2])
      #expect(try cell(2, "t_error.selection.1+2") == event[3])
      #expect(try cell(2, "reached.selection.1+2") == (event[4] == "reached" ? "yes" : "no"))
    }
    let trajectory = try scratch.table("s/flows/000003/trajectory.csv")
    let last = try #require(trajectory.rows.last)
    for name in ["loss", "a"] {
      let column = try #require(trajectory.columns.firstIndex(of: name))
      #expect(try Double(cell(2, name)) == Double(last[column]))
    }
    #expect(try !cell(2, "G2.1.statement").isEmpty)
    let claims = try scratch.text("s/flows/000003/claims.csv").replacing(/"[^"]*"/, with: "quoted")
    try scratch.write(claims, as: "claims.csv")
    let laws = try scratch.table("claims.csv")
    for name in ["derived", "model_error", "measured", "lower", "upper", "verdict", "relation"] {
      let column = try #require(laws.columns.firstIndex(of: name), "\(name)")
      #expect(
        try !cell(2, "G2.1.\(name)").isEmpty && cell(2, "G2.1.\(name)") == laws.rows[0][column])
    }
    #expect(try cell(2, "laws_hold") == "yes")
    #expect(try cell(1, "loss").isEmpty)
  }

  /// Killed at any moment, a sweep has whole runs or none, and goes on to the same bytes.
  @Test func killedSweepsGoOn() throws {
    let scratch = try planned(Self.axes + "\nreplicates: 20")
    for replicate in ["002", "005", "009"] {
      // When some runs have ended and others have not.
      let result = try Program.run(
        ["sweep", "run", "s", "--quiet", "--threads", "2"], in: scratch, mayBeKilled: true,
        haltingAt: Moment(file: "s/flows/000001/replicates/\(replicate)")
      ) { kill($0, SIGKILL) }
      #expect(result.isKilled)
      let status = try scratch.run("sweep", "status", "s").output
      #expect(!status.contains(" 0 missing") && status.contains(" 0 failed"), "\(status)")
      for name in try scratch.names(in: "s/flows/000001/replicates") where !name.hasPrefix(".") {
        let run = "s/flows/000001/replicates/\(name)"
        #expect(try scratch.state(of: run) == "finished")
      }
    }
    #expect(try scratch.run("sweep", "run", "s", "--quiet").code == 0)
    #expect(try scratch.run("run", "x.yaml", "--out", "r", "--quiet").code == 0)
    let (own, direct) = (try scratch.files(in: "s/flows"), try scratch.files(in: "r/flows"))
    #expect(own == direct && own.count == 600)
  }

  /// Two processes at a time share the runs, each of which is done once.
  @Test func processesShareTheRuns() throws {
    let scratch = try planned(Self.axes + "\nreplicates: 20")
    let result = try scratch.run(
      "sweep", "run", "s", "--quiet", "--threads", "1",
      shell: "\"$0\" \"$@\" & one=$!; \"$0\" \"$@\"; code=$?; wait $one && exit $code")
    #expect(result.code == 0, "\(result)")
    let counts = result.output.matches(of: /(\d+) finished/).compactMap { Int($0.1) }
    #expect(counts.reduce(0, +) == 120, "\(result.output)")
    #expect(try scratch.run("sweep", "status", "s").output.hasPrefix("120 of 120 finished"))
    for flow in 1...6 {
      let names = try scratch.names(in: "s/flows/00000\(flow)/replicates")
      #expect(names.count == 20 && names.allSatisfy { !$0.hasPrefix(".") })
    }
  }

  /// A process that stands still keeps what it has begun, and nothing else.
  @Test func aProcessLeavesTheRestToOthers() throws {
    let scratch = try planned()
    let arguments = ["sweep", "run", "s", "--quiet", "--threads", "1"]
    var other: Program.Result?
    let first = try Program.run(
      arguments, in: scratch, haltingAt: Moment(file: "s/flows/.000001/experiment.yaml")
    ) { _ in other = try? Program.run(arguments, in: scratch) }
    let second = try #require(other)
    #expect(first.code == 0 && first.output.hasPrefix("1 finished, 5 "), "\(first)")
    #expect(second.output.hasPrefix("5 finished, 1 "), "\(second)")
    #expect(try scratch.run("sweep", "status", "s").output.hasPrefix("6 of 6 finished"))
  }

  /// Flows of other models over the same data have the bytes that they have alone.
  @Test func sharedDataChangeNothing() throws {
    let scratch = try planned("sweep: [{key: model.degree, values: [1, 2, 3]}]")
    #expect(try scratch.run("sweep", "run", "s", "--quiet", "--threads", "1").code == 0)
    for degree in 1...3 {
      let alone = try scratch.run(
        "run", "x.yaml", "--out", "r\(degree)", "--quiet", "--set", "sweep=[]", "--set",
        "model.degree=\(degree)")
      #expect(alone.code == 0)
      let (own, shared) = (
        try scratch.files(in: "r\(degree)"), try scratch.files(in: "s/flows/00000\(degree)")
      )
      #expect(own.count == 5 && own == shared)
    }
  }

  @Test func failuresAreRecordedAndTriedAgainOnRequest() throws {
    let scratch = try planned("solver: {step_limit: 60}\n" + Self.axes)
    let first = try scratch.run("sweep", "run", "s", "--quiet")
    #expect(first.code == 1 && first.output.hasPrefix("6 failed;"), "\(first.output)")
    let status = try scratch.run("sweep", "status", "s")
    #expect(status.output.contains("0 of 6 finished, 6 failed, 0 missing"))
    #expect(status.output.contains("flows/000004: The limit of 60 steps"))
    let second = try scratch.run("sweep", "run", "s", "--quiet")
    #expect(second.code == 1 && second.output.hasPrefix("6 failed before;"))
    let third = try scratch.run("sweep", "run", "s", "--retry-failed", "--index", "1", "--quiet")
    #expect(third.code == 1 && third.output.hasPrefix("1 failed;"))
    #expect(try scratch.run("sweep", "collect", "s").code == 0)
    #expect(try scratch.state(of: "s") == "failed")
  }

  /// What cannot be read of one run keeps none of the others, is named, and is run again on request.
  @Test func damagedRunsAreNamedAndRunAgain() throws {
    let scratch = try planned()
    #expect(try scratch.run("sweep", "run", "s", "--quiet").code == 0)
    let whole = try scratch.files(in: "s/flows")
    let folder = scratch.folder.appendingPathComponent("s/flows")
    try FileManager.default.removeItem(at: folder.appending(path: "000002/manifest.json"))
    try scratch.write("{", as: "s/flows/000003/manifest.json")
    try FileManager.default.removeItem(at: folder.appending(path: "000004"))
    try FileManager.default.copyItem(
      at: folder.appending(path: "000005"), to: folder.appending(path: "000004"))
    let status = try scratch.run("sweep", "status", "s")
    #expect(status.output.hasPrefix("4 of 6 finished, 2 failed, 0 missing"), "\(status.output)")
    #expect(status.output.contains("s/flows/000002: not a run directory, it has no manifest.json"))
    #expect(status.output.contains("--retry-failed runs it again"))
    let collected = try scratch.run("sweep", "collect", "s")
    #expect(collected.code == 0 && collected.errors.contains("another experiment"))
    let diagram = try scratch.text("s/phase-diagram.csv")
    #expect(diagram.matches(of: /of another experiment than the ledger says/).count == 1)
    let left = try scratch.run("sweep", "run", "s", "--quiet")
    #expect(left.code == 1 && left.output.hasPrefix("4 stood already, 2 failed before"))
    let again = try scratch.run("sweep", "run", "s", "--quiet", "--retry-failed")
    #expect(again.code == 0 && again.output.hasPrefix("2 finished, 4 stood already"))
    let restored = try scratch.files(in: "s/flows").filter { !$0.key.hasPrefix("000004") }
    let expected = whole.filter { !$0.key.hasPrefix("000004") }
    #expect(restored == expected)
  }

  /// A ledger that is not the experiment's is refused; one with other values may be looked at, for they are not taken
  /// from it.
  @Test(arguments: [
    ("\"value\":\"0.5\"", "\"value\":\"77\""),
    ("\"key\":\"initial.scale\"", "\"key\":\"initial.noise\""),
    ("\"path\":\"flows/000005\"", "\"path\":\"flows/000004\""),
    ("\"replicate\":1", "\"replicate\":2"),
  ])
  func otherLedgersAreRefused(words: String, others: String) throws {
    let scratch = try planned()
    let ledger = try scratch.text("s/ledger.jsonl")
    let changed = ledger.replacing(words, with: others)
    #expect(changed != ledger)
    try scratch.write(changed, as: "s/ledger.jsonl")
    let run = try scratch.run("sweep", "run", "s", "--quiet")
    #expect(run.code == 2 && run.errors.contains("another run than the experiment has"), "\(run)")
    for command in ["status", "collect"] {
      #expect(
        try scratch.run("sweep", command, "s").code == (others.contains("77") ? 0 : 2))
    }
  }

  @Test func otherProgramsAndExperimentsAreRefused() throws {
    let scratch = try planned()
    let manifest = try scratch.text("s/manifest.json")
    let other = manifest.replacing(
      /"program_version" : "[^"]*"/, with: "\"program_version\" : \"0.0.0\"")
    try scratch.write(other, as: "s/manifest.json")
    let refused = try scratch.run("sweep", "run", "s", "--quiet")
    #expect(refused.code == 2 && refused.errors.contains("instead of 0.0.0"), "\(refused.errors)")
    #expect(
      try scratch.run("sweep", "run", "s", "--index", "1", "--quiet", "--allow-other-program").code
        == 0)
    try scratch.write(manifest, as: "s/manifest.json")
    let experiment = try scratch.text("s/experiment.yaml")
    try scratch.write(
      experiment.replacing("length: 30", with: "length: 31"), as: "s/experiment.yaml")
    let changed = try scratch.run("sweep", "run", "s", "--quiet")
    #expect(changed.code == 2 && changed.errors.contains("another experiment"))
    let allowed = try scratch.run(
      "sweep", "run", "s", "--quiet", "--allow-changed-experiment")
    #expect(
      allowed.code == 0 && allowed.output.hasPrefix("5 finished, 1 stood already;"), "\(allowed)")
  }

  @Test func aBudgetStopsAndTheRestGoesOn() throws {
    let scratch = try planned(Self.axes + "\nreplicates: 50")
    // A slow program may have begun nothing by then, and gets more.
    var budget = 0.5
    repeat {
      let stopped = try scratch.run(
        "sweep", "run", "s", "--quiet", "--threads", "1", "--budget", "\(budget)s")
      #expect(stopped.code == 130 && stopped.output.contains("left"), "\(stopped)")
      budget *= 1.5
    } while budget < 100
      && (try? scratch.names(in: "s/flows/000001/replicates").contains("001")) != true
    let status = try scratch.run("sweep", "status", "s").output
    #expect(!status.contains(" 0 missing"))
    #expect(try scratch.names(in: "s/flows/000001/replicates").contains("001"))
  }

  @Test func badSweepsAreRefused() throws {
    let scratch = try planned()
    try scratch.write(SmallExperiment.text, as: "single.yaml")
    let single = try scratch.run("sweep", "plan", "single.yaml")
    #expect(single.code == 2 && single.errors.contains("a single flow is no sweep"))
    #expect(try scratch.run("run", "single.yaml", "--out", "r", "--quiet").code == 0)
    let noSweep = try scratch.run("sweep", "run", "r")
    #expect(noSweep.code == 2 && noSweep.errors.contains("gradflow sweep plan"))
    for arguments in [["--index", "7"], ["--shard", "4/3"], ["--budget", "soon"]] {
      let result = try Program.run(["sweep", "run", "s"] + arguments, in: scratch)
      #expect(result.code == 2, "\(arguments)")
    }
    let ledger = try scratch.text("s/ledger.jsonl")
    for (old, new) in [("flows/000002", "../x"), ("\"number\":2", "\"number\":3"), ("{", "[")] {
      try scratch.write(ledger.replacing(old, with: new), as: "s/ledger.jsonl")
      let result = try scratch.run("sweep", "run", "s")
      #expect(result.code == 2 && result.errors.contains("ledger.jsonl"), "\(result.errors)")
    }
  }
}
