import Foundation
import TestSupport
import Testing

/// Killed at random moments, again and again, runs and sweeps go on to the bytes of those that were not.
///
/// `make test` kills a few times, `make test-kill` a hundred.
@Suite(.serialized) struct KillTests {
  /// A command that leaves a folder, and goes on with what it finds there.
  struct Case: CustomTestStringConvertible, Sendable {
    let name: String
    /// The experiment: a text, or a file under `experiments/`.
    var text: String?
    var overrides: [String] = []
    var isSweep = false

    var testDescription: String { name }

    static let all = [
      Case(name: "three stages with claims", text: ResumeTests.slow + "claims: [G1, G2]\n"),
      Case(
        name: "four-phases",
        overrides: [
          "solver.checkpoint_steps=50", "solver.relative_tolerance=1e-12",
          "solver.absolute_tolerance=1e-15",
        ]),
      Case(
        name: "mlp-selection",
        overrides: [
          "solver.checkpoint_steps=50", "data.sequences=300", "model.hidden=16",
          "model.features=16", "stages.all.until=1000",
        ]),
      Case(
        name: "several runs",
        text: ResumeTests.slow
          + "replicates: 2\nsweep: [{key: initial.scale, values: [0.01, 0.02]}]\n"),
      Case(
        name: "a sweep",
        text: ResumeTests.slow
          + "sweep: [{key: initial.scale, from: 0.01, to: 0.02, count: 4}]\n", isSweep: true),
    ]
  }

  private static let kills =
    ProcessInfo.processInfo.environment["GRADFLOW_KILLS"].flatMap { Int($0) } ?? 5

  @Test(arguments: Case.all)
  func killedAtAnyMomentTheyGoOnToTheSameBytes(of kind: Case) throws {
    let scratch = try Scratch()
    let file: String
    if let text = kind.text {
      file = "x.yaml"
      try scratch.write(text, as: file)
    } else {
      file =
        URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appending(path: "../../experiments/\(kind.name).yaml").standardizedFileURL.path
    }
    let settings = kind.overrides.flatMap { ["--set", $0] }
    /// Starts in a folder, or goes on there.
    func arguments(_ folder: String) throws -> [String] {
      guard kind.isSweep else {
        return ["run", file, "--out", folder, "--quiet", "--resume"] + settings
      }
      if try !scratch.names().contains(folder) {
        #expect(
          try Program.run(["sweep", "plan", file, "--out", folder] + settings, in: scratch).code
            == 0)
      }
      return ["sweep", "run", folder, "--quiet"]
    }
    let start = Date()
    #expect(try Program.run(arguments("whole"), in: scratch).code == 0)
    let seconds = Date().timeIntervalSince(start)
    let whole = try scratch.files(in: "whole")

    let seed = UInt64(20_261_122)
    var random = SeededRandom(seed)
    var (killed, resumed, attempt) = (0, 0, 0)
    let share = (Self.kills + Case.all.count - 1) / Case.all.count
    while killed < share {
      attempt += 1
      let folder = "run\(attempt)"
      var kills = 0
      while true {
        let delay = Double.random(in: 0..<seconds, using: &random)
        let result = try Program.run(
          arguments(folder), in: scratch, mayBeKilled: killed < share
        ) { process in
          guard killed < share else { return }
          usleep(UInt32(delay * 1e6))
          kill(process, SIGKILL)
        }
        if !result.isKilled {
          #expect(result.code == 0, "seed \(seed), after \(killed) kills: \(result)")
          break
        }
        kills += 1
        killed += 1
      }
      let left = try scratch.files(in: folder)
      let isSame = left == whole
      #expect(
        isSame, "seed \(seed), \(kills) kills: \(left.keys.sorted()) \(whole.keys.sorted())")
      if try !kind.isSweep && scratch.manifest(of: folder)["resumptions"] != nil { resumed += 1 }
      try FileManager.default.removeItem(at: scratch.folder.appendingPathComponent(folder))
    }
    print("\(kind.name): \(killed) kills, \(attempt) runs, \(resumed) of them from checkpoints")
  }
}
