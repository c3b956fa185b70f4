import Foundation
import Testing

/// Runs that were interrupted go on to the bytes of runs that were not.
@Suite struct ResumeTests {
  /// A second of work with many checkpoints.
  static let slow = SmallExperiment.adding(
    """
    solver:
      relative_tolerance: 1e-12
      absolute_tolerance: 1e-14
      checkpoint_steps: 60
    """
  ).replacing("sequences: 200", with: "sequences: 4000")
    .replacing("length: 30", with: "length: 60").replacing("1.0e+2", with: "1.0e+4")

  /// Otherwise a clock says which checkpoints are written.
  private static let keepingAll = "GRADFLOW_CHECKPOINT_SHARE=inf"

  private func scratch(_ text: String = slow) throws -> Scratch {
    let scratch = try Scratch()
    try scratch.write(text, as: "x.yaml")
    let whole = try scratch.run("run", "x.yaml", "--out", "whole", "--quiet")
    #expect(whole.code == 0, "\(whole.errors)")
    return scratch
  }

  /// Runs into `run` until a file is put there, and then sends a signal.
  static func interrupt(
    _ scratch: Scratch, with signal: Int32 = SIGKILL,
    once moment: Moment = Moment(file: "run/checkpoint.bin"),
    _ arguments: [String] = ["run", "x.yaml", "--out", "run", "--quiet", "--resume"]
  ) throws -> Program.Result {
    try Program.run(arguments, in: scratch, mayBeKilled: true, haltingAt: moment) {
      kill($0, signal)
    }
  }

  private func expectSame(_ scratch: Scratch, _ comment: String = "") throws {
    let (whole, run) = (try scratch.files(in: "whole"), try scratch.files(in: "run"))
    #expect(whole == run, "\(comment): \(whole.keys.sorted()), \(run.keys.sorted())")
  }

  @Test(arguments: [SIGKILL, SIGTERM, SIGINT])
  func interruptedRunsGoOnToTheSameBytes(signal: Int32) throws {
    let scratch = try scratch()
    let stopped = try Self.interrupt(scratch, with: signal)
    #expect(stopped.code == (signal == SIGKILL ? SIGKILL : 130), "\(stopped)")
    if signal != SIGKILL {
      #expect(
        stopped.errors.contains("gradflow run run/experiment.yaml --out run --resume"),
        "\(stopped.errors)")
      #expect(try scratch.state(of: "run") == "stopped")
      #expect(try scratch.names(in: "run").contains("trajectory.csv"))
    }
    let inspected = try scratch.run("inspect", "run")
    #expect(inspected.code == 1 && inspected.output.contains("It can go on: gradflow run"))
    let resumed = try scratch.run(
      "run", "run/experiment.yaml", "--out", "run", "--quiet", "--resume")
    #expect(resumed.code == 0 && resumed.errors.isEmpty, "\(resumed)")
    try expectSame(scratch)
    #expect(try scratch.state(of: "run") == "finished")
    let manifest = try scratch.manifest(of: "run")
    #expect((manifest["resumptions"] as? [String])?.count == 1)
    #expect(try scratch.manifest(of: "whole")["resumptions"] == nil)
    #expect(try scratch.run("inspect", "run").code == 0)
    // Killed at its very end it may have left these.
    for name in ["checkpoint.bin", "checkpoint-previous.bin", ".lock"] {
      try scratch.write("", as: "run/\(name)")
    }
    #expect(try scratch.run("inspect", "run").code == 0)
    let again = try scratch.run("run", "x.yaml", "--out", "run", "--quiet", "--resume")
    #expect(again.code == 0 && again.output.contains("nothing is left to resume"))
    try expectSame(scratch)
    let other = try scratch.run(
      "run", "x.yaml", "--out", "run", "--quiet", "--resume", "--set", "data.length=61")
    #expect(other.code == 2 && other.errors.contains("another experiment"), "\(other)")
  }

  /// What a resumed run finds of the one before is not more than its checkpoint holds.
  @Test func rowsAfterTheCheckpointAreTakenBack() throws {
    let scratch = try scratch()
    #expect(try Self.interrupt(scratch, with: SIGTERM).code == 130)
    // As if it had got much further before it was stopped than its checkpoint says.
    for name in tables {
      let text = try scratch.text("run/\(name)")
      let last = try #require(text.split(separator: "\n").last)
      try scratch.write(
        text + Array(repeating: last + "\n", count: 1000).joined(), as: "run/\(name)")
    }
    #expect(try scratch.run("run", "x.yaml", "--out", "run", "--quiet", "--resume").code == 0)
    try expectSame(scratch)
  }

  @Test func damagedCheckpointsAreNamedAndTheOneBeforeIsUsed() throws {
    let scratch = try scratch()
    let second = Moment(file: "run/checkpoint.bin", times: 2)
    #expect(try Self.interrupt(scratch, once: second).isKilled)
    for (names, uses) in [
      (["checkpoint.bin"], true), (["checkpoint.bin", "checkpoint-previous.bin"], false),
    ] {
      try? FileManager.default.removeItem(at: scratch.folder.appendingPathComponent("copy"))
      try FileManager.default.copyItem(
        at: scratch.folder.appendingPathComponent("run"),
        to: scratch.folder.appendingPathComponent("copy"))
      for name in names {
        var data = try scratch.data("copy/\(name)")
        data[data.count / 2] ^= 1
        try data.write(to: scratch.folder.appendingPathComponent("copy/\(name)"))
      }
      let resumed = try scratch.run("run", "x.yaml", "--out", "copy", "--quiet", "--resume")
      #expect(resumed.code == 0)
      for name in names {
        #expect(resumed.errors.contains("copy/\(name): damaged"), "\(resumed.errors)")
      }
      let hasResumed = try scratch.manifest(of: "copy")["resumptions"] != nil
      #expect(hasResumed == uses)
      let (whole, copy) = (try scratch.files(in: "whole"), try scratch.files(in: "copy"))
      #expect(whole == copy)
    }
  }

  @Test func otherExperimentsProgramsAndFoldersAreRefused() throws {
    let scratch = try scratch()
    #expect(try Self.interrupt(scratch).isKilled)
    func visible() throws -> [String: Data] {
      try scratch.files(in: "run").filter { !$0.key.hasPrefix(".") }
    }
    let before = try visible()
    func refused(_ words: String, _ arguments: String...) throws {
      let result = try Program.run(
        ["run", "x.yaml", "--quiet", "--resume"] + arguments, in: scratch)
      #expect(result.code == 2 && result.errors.contains(words), "\(arguments): \(result)")
      let after = try visible()
      #expect(after == before)
    }
    try refused("another experiment", "--out", "run", "--set", "data.length=61")
    try refused("no manifest.json", "--out", ".")
    try refused("name it with --out")
    let manifest = try scratch.text("run/manifest.json")
    for (pattern, replacement, words) in [
      ("\"kernel_path\" : \"", "\"kernel_path\" : \"other-", "kernels "),
      ("\"program_sha256\" : \"", "\"program_sha256\" : \"0", "another build"),
      ("\"program_version\" : \"", "\"program_version\" : \"0", "version "),
    ] {
      try scratch.write(
        manifest.replacing(pattern, with: replacement), as: "run/manifest.json")
      try refused(words, "--out", "run")
    }
    let allowed = try scratch.run(
      "run", "x.yaml", "--quiet", "--out", "run", "--resume", "--allow-other-program")
    #expect(allowed.code == 0)
    try expectSame(scratch)
    let existing = try scratch.run("run", "x.yaml", "--quiet", "--out", "run")
    #expect(existing.code == 2 && existing.errors.contains("exists already"))
  }

  /// A checkpoint knows the program and the data it is of, whatever the manifest says.
  @Test func checkpointsOfOtherDataAreRefused() throws {
    let scratch = try Scratch()
    var tokens = ""
    for row in 0..<300 {
      tokens += (0...30).map { String((row * 7 + $0 * $0 + row * $0) % 3) }.joined(separator: " ")
      tokens += "\n"
    }
    try scratch.write(tokens, as: "tokens.txt")
    let text = SmallExperiment.tokens("tokens.txt").replacing("1.0e+2", with: "1.0e+4")
    try scratch.write(
      text
        + "solver: {relative_tolerance: 1e-12, absolute_tolerance: 1e-14, checkpoint_steps: 60}\n",
      as: "x.yaml")
    #expect(try Self.interrupt(scratch).isKilled)
    try scratch.write("1" + tokens.dropFirst(), as: "tokens.txt")
    let changed = try scratch.run("run", "x.yaml", "--quiet", "--out", "run", "--resume")
    #expect(changed.code == 2 && changed.errors.contains("of other data"), "\(changed)")
    let allowed = try scratch.run(
      "run", "x.yaml", "--quiet", "--out", "run", "--resume", "--allow-other-program")
    #expect(allowed.code == 2 && allowed.errors.contains("of other data"), "\(allowed)")
    #expect(try scratch.names(in: "run").contains("checkpoint.bin"))
  }

  @Test func twoProcessesCannotHaveOneRun() throws {
    let scratch = try scratch()
    let arguments = ["run", "x.yaml", "--out", "run", "--quiet", "--resume"]
    var other: Program.Result?
    let first = try Program.run(
      arguments, in: scratch, haltingAt: Moment(file: "run/checkpoint.bin")
    ) { _ in other = try? Program.run(arguments, in: scratch) }
    #expect(first.code == 0, "\(first)")
    let second = try #require(other)
    #expect(second.code == 2 && second.errors.contains("in use by another process"), "\(second)")
    try expectSame(scratch)
  }

  @Test func aBudgetStopsAndResumeGoesOn() throws {
    let scratch = try scratch()
    var attempts = 0
    // It grows, so that a program that is slow, or on a busy machine, reaches a checkpoint, too.
    var budget = 0.05
    while attempts < 200 {
      attempts += 1
      let result = try scratch.run(
        "run", "x.yaml", "--out", "run", "--quiet", "--resume", "--budget", "\(budget)s")
      budget *= 1.1
      if result.code == 0 { break }
      #expect(result.code == 130, "\(result)")
    }
    #expect((2..<200).contains(attempts))
    let early = try scratch.run("run", "x.yaml", "--out", "early", "--quiet", "--budget", "0.001s")
    #expect(early.code == 130 && early.errors.contains("no checkpoint was reached"), "\(early)")
    try expectSame(scratch, "\(attempts) attempts")
    for budget in ["1", "0s", "-3m", "x", "1d"] {
      #expect(
        try scratch.run("run", "x.yaml", "--check", "--budget=\(budget)").code == 2, "\(budget)")
    }
  }

  /// A folder in which a killed run got no further than its lock is begun anew.
  @Test func foldersThatHoldNothingAreBegun() throws {
    let scratch = try scratch(SmallExperiment.text)
    try FileManager.default.createDirectory(
      at: scratch.folder.appendingPathComponent("run"), withIntermediateDirectories: false)
    try scratch.write("", as: "run/.lock")
    try scratch.write("half", as: "run/.gradflow-abc.tmp")
    try scratch.write("half", as: "run/experiment.yaml")
    #expect(try scratch.run("run", "x.yaml", "--out", "run", "--quiet", "--resume").code == 0)
    try expectSame(scratch)
    #expect(try scratch.run("run", "x.yaml", "--out", "new", "--quiet", "--resume").code == 0)
    let (whole, new) = (try scratch.files(in: "whole"), try scratch.files(in: "new"))
    #expect(whole == new)
    // What is no run's is left alone.
    try FileManager.default.createDirectory(
      at: scratch.folder.appendingPathComponent("own"), withIntermediateDirectories: false)
    try scratch.write(SmallExperiment.text, as: "own/experiment.yaml")
    let own = try scratch.run(
      "run", "own/experiment.yaml", "--out", "own", "--quiet", "--resume")
    #expect(own.code == 2 && own.errors.contains("no manifest.json"), "\(own)")
    #expect(try scratch.text("own/experiment.yaml") == SmallExperiment.text)
  }

  /// All runs of an experiment go on, each from its own checkpoint.
  @Test func experimentsOfSeveralRunsGoOn() throws {
    let scratch = try scratch(
      Self.slow + "replicates: 2\nsweep: [{key: initial.scale, values: [0.01, 0.02]}]\n")
    func first(_ replicate: String) -> Moment {
      Moment(file: "run/flows/000002/replicates/\(replicate)/checkpoint.bin")
    }
    #expect(try Self.interrupt(scratch, with: SIGTERM, once: first("001")).code == 130)
    #expect(try Self.interrupt(scratch, once: first("002")).isKilled)
    let resumed = try scratch.run("run", "x.yaml", "--out", "run", "--quiet", "--resume")
    #expect(resumed.code == 0, "\(resumed)")
    try expectSame(scratch)
    for replicate in ["001", "002"] {
      let manifest = try scratch.manifest(of: "run/flows/000002/replicates/\(replicate)")
      #expect(manifest["resumptions"] != nil)
    }
  }

  /// A full disk, here a limit on the size of files, ends in an error, and more room in the whole run.
  @Test func aFullDiskCanBeCleared() throws {
    let scratch = try scratch()
    let full = try scratch.run(
      "run", "x.yaml", "--out", "run", "--quiet",
      shell: "ulimit -f 40; \(Self.keepingAll) exec \"$0\" \"$@\"")
    #expect(full.code == 1 && full.errors.contains("checkpoint cannot be written"), "\(full)")
    #expect(try scratch.state(of: "run") != "finished")
    #expect(try scratch.run("run", "x.yaml", "--out", "run", "--quiet", "--resume").code == 0)
    try expectSame(scratch)
  }

  /// The same for several runs and for sweeps: what was computed is not lost with the files that do not fit.
  @Test func aFullDiskKeepsTheCheckpointsOfManyRuns() throws {
    let scratch = try scratch(
      Self.slow + "sweep: [{key: initial.scale, values: [0.01, 0.02]}]\n")
    let limit = "ulimit -f 440; \(Self.keepingAll) exec \"$0\" \"$@\""
    let full = try scratch.run("run", "x.yaml", "--out", "run", "--quiet", shell: limit)
    #expect(full.code == 1, "\(full)")
    #expect(try scratch.names(in: "run/flows/000001").contains("checkpoint.bin"))
    #expect(try scratch.run("run", "x.yaml", "--out", "run", "--quiet", "--resume").code == 0)
    try expectSame(scratch)
    #expect(try scratch.manifest(of: "run/flows/000001")["resumptions"] != nil)
    #expect(try scratch.run("sweep", "plan", "x.yaml", "--out", "s").code == 0)
    #expect(try scratch.run("sweep", "run", "s", "--quiet", shell: limit).code == 1)
    #expect(try scratch.names(in: "s/flows/.000001").contains("checkpoint.bin"))
    #expect(try scratch.run("sweep", "run", "s", "--quiet").code == 0)
    let (flows, whole) = (try scratch.files(in: "s/flows"), try scratch.files(in: "whole/flows"))
    #expect(flows == whole)
  }

  /// A run inside another belongs to the process that has the one around it.
  @Test func innerRunsAreLocked() throws {
    let scratch = try scratch(
      Self.slow + "sweep: [{key: initial.scale, values: [0.01, 0.02]}]\n")
    var inner: Program.Result?
    let outer = try scratch.run(
      "run", "x.yaml", "--out", "run", "--quiet",
      haltingAt: Moment(file: "run/flows/000001/checkpoint.bin")
    ) { _ in
      inner = try? scratch.run(
        "run", "run/flows/000001/experiment.yaml", "--out", "run/flows/000001", "--quiet",
        "--resume")
    }
    #expect(outer.code == 0)
    let second = try #require(inner)
    #expect(second.code == 2 && second.errors.contains("in use by another"), "\(second)")
    try expectSame(scratch)
  }

  /// A run of a sweep that was stopped on its way goes on from its checkpoint.
  @Test func runsOfSweepsGoOn() throws {
    let scratch = try scratch(
      Self.slow + "sweep: [{key: initial.scale, values: [0.01, 0.02, 0.03]}]\n")
    #expect(try scratch.run("sweep", "plan", "x.yaml", "--out", "s").code == 0)
    for signal in [SIGTERM, SIGKILL] {
      let stopped = try Self.interrupt(
        scratch, with: signal, once: Moment(file: "s/flows/.000001/checkpoint.bin", times: 2),
        ["sweep", "run", "s", "--quiet"])
      #expect(stopped.code == (signal == SIGTERM ? 130 : SIGKILL), "\(stopped)")
      #expect(try scratch.names(in: "s/flows/.000001").contains("checkpoint.bin"))
    }
    #expect(try scratch.run("sweep", "run", "s", "--quiet").code == 0)
    let (flows, whole) = (try scratch.files(in: "s/flows"), try scratch.files(in: "whole/flows"))
    #expect(flows == whole && flows.count == 15)
    #expect(
      (try scratch.manifest(of: "s/flows/000001")["resumptions"] as? [String])?.count ?? 0 >= 1)
  }
}
