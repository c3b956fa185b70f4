import DeclaredKeys
import Experiments
import Foundation
import TestSupport
import Testing

/// Nearly right experiments, by the thousand: every one is accepted or refused with a message, runs to an end that
/// the exit code tells, within a time, and never leaves a file that lies.
///
/// `make test` tries a few of each; `make test-mutations` as many as it is told to.
@Suite(.serialized) struct HostileExperimentTests {
  static let experiments: [(name: String, text: String)] = {
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appending(path: "../../../experiments").standardizedFileURL
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    return names.filter { $0.hasSuffix(".yaml") }.sorted().compactMap { name in
      (try? String(contentsOf: folder.appending(path: name), encoding: .utf8)).map { (name, $0) }
    }
  }()

  /// The first of all seeds; the message of a failure names that of its trial.
  static let seed = ProcessInfo.processInfo.count("GRADFLOW_SEED", default: 20_261_122)

  /// Mutants of each experiment through `run --check`: codes 0 and 2 only, with advice, nothing written, no memory taken.
  @Test func mutantsAreAcceptedOrRefused() throws {
    #expect(Self.experiments.count > 30)
    let scratch = try Scratch()
    let share = ProcessInfo.processInfo.count("GRADFLOW_MUTANTS", default: 20)
    let mutator = ExperimentMutator(
      keys: ExperimentKeys.schema.keys, others: Self.experiments.map(\.text))
    let tally = HostileTally()
    hostileTrials(Self.experiments.count * share, in: scratch) { trial, program in
      let (name, text) = Self.experiments[trial / share]
      let seed = UInt64(Self.seed + trial)
      var random = SeededRandom(seed)
      let (bytes, how) = mutator.mutant(of: text, using: &random)
      program.write(bytes, to: "x.yaml")
      let result = program.run(["run", "--check", "x.yaml"], limit: 20)
      var fault = result.fault(allowing: [0, 2])
      if fault == nil, program.names() != ["x.yaml"] { fault = "writes files" }
      tally.count(result, fault: fault, of: "\(name), seed \(seed): \(how)", reading: bytes)
    }
    print("mutants through run --check, \(tally.description)")
    #expect(tally.faults.isEmpty, "\(tally.faults.joined(separator: "\n\n"))")
    // Mutants that are all refused, or all accepted, would show little.
    #expect(tally.count(of: 0) > 0 && tally.count(of: 2) > 0)
  }

  /// Mutants that can mostly be read, through whole runs of two seconds, resumed where they were stopped.
  @Test func mutantsRunToAnEndThatIsTold() throws {
    let scratch = try Scratch()
    let count = ProcessInfo.processInfo.count("GRADFLOW_MUTANT_RUNS", default: 24)
    let mutator = ExperimentMutator(
      keys: ExperimentKeys.schema.keys, others: Self.experiments.map(\.text), keepsReadable: true)
    let tally = HostileTally()
    hostileTrials(count, in: scratch) { trial, program in
      let seed = UInt64(Self.seed + trial)
      var random = SeededRandom(seed)
      var (how, bytes) = ("", [UInt8]())
      // Most changes contradict something; what is refused has been tried above.
      for _ in 0..<200 {
        let (name, text) = random.element(of: Self.experiments)
        let mutant = mutator.mutant(of: text, using: &random)
        bytes = mutant.bytes
        program.write(bytes, to: "x.yaml")
        how = "\(name), seed \(seed): \(mutant.how)"
        if program.run(["run", "--check", "x.yaml"], limit: 20).code == 0 { break }
      }
      let arguments = [
        "run", "x.yaml", "--out", "run", "--budget", "2s", "--quiet", "--threads", "1", "--resume",
      ]
      let result = program.run(arguments, limit: 60)
      var fault = result.fault(allowing: [0, 1, 2, 130]) ?? program.lie(of: "run", after: result)
      if fault == nil, result.code == 130 {
        let again = program.run(arguments, limit: 60)
        fault =
          (again.fault(allowing: [0, 1, 130]) ?? program.lie(of: "run", after: again))
          .map { "resumed, \($0): \(again.errors.prefix(600))" }
      }
      tally.count(result, fault: fault, of: how, reading: bytes)
      program.remove("run")
    }
    print("mutants through whole runs, \(tally.description)")
    #expect(tally.faults.isEmpty, "\(tally.faults.joined(separator: "\n\n"))")
    #expect(tally.count(of: 0) > 0 && tally.count(of: 130) > 0)
  }
}

extension QuickProgram {
  /// What is wrong with the files of a run after a process ended; nil if they fit to the end it told.
  func lie(of run: String, after result: Result, wasThere: Bool = false) -> String? {
    let names = names(in: run)
    if result.code == 2 { return names.isEmpty || wasThere ? nil : "refused, and \(names) left" }
    // Stopped where it cannot be asked, it leaves what a killed one leaves.
    if result.isCut { return nil }
    guard let json = contents("\(run)/manifest.json"),
      let manifest = try? JSONSerialization.jsonObject(with: Data(json)) as? [String: Any],
      let state = (manifest["status"] as? [String: Any])?["state"] as? String
    else { return "no manifest" }
    let expected: [Int32: String] = [0: "finished", 1: "failed", 130: "stopped"]
    guard state == expected[result.code] else { return "code \(result.code), and \(state)" }
    if result.code != 0, result.errors.isEmpty { return "nothing is said" }
    for path in (try? FileManager.default.subpathsOfDirectory(atPath: "\(folder)/\(run)")) ?? [] {
      let name = path.split(separator: "/").last ?? ""
      if name.hasPrefix(".gradflow-") || name == ".lock" { return "\(path) is left" }
      // A word in a sentence is no cell.
      guard name.hasSuffix(".csv") || name == "final.yaml", let bytes = contents("\(run)/\(path)")
      else { continue }
      let cells = String(decoding: bytes, as: UTF8.self).lowercased()
        .split { ",\n".contains($0) }.map { $0.split(separator: ": ").last ?? $0 }
      if cells.contains(where: { ["nan", "-nan", ".nan"].contains($0) }) {
        return "\(path) holds a NaN"
      }
    }
    return nil
  }
}
