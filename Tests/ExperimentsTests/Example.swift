import DeclaredKeys
import Experiments
import Foundation
import Logging
import RunRecords

/// Experiments to test with.
enum Example {
  /// The smallest experiment; every key it holds is required.
  static let minimal = """
    # Why?
    data:
      vocabulary: 3
      parents: [1, 2]
      concentration: 0.1
      sequences: 10
      length: 100
    model:
      heads: 3
      window: 3
      degree: 2
    stages:
      - name: one
        train: [c]
        until: 1e5
    """

  /// The smallest experiment on a token file.
  static let tokens = """
    # Why?
    data:
      source: tokens
      file: data/tokens.npy
      vocabulary: 3
    model:
      heads: 3
      window: 3
      degree: 2
    stages:
      - name: one
        train: [c]
        until: 1e5
    """

  static var threeStage: String {
    get throws {
      let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appending(path: "../../experiments/three-stage.yaml").standardizedFileURL
      return try String(contentsOf: file, encoding: .utf8)
    }
  }

  static func read(_ text: String, _ overrides: String...) throws(DocumentError) -> Experiment {
    try Experiment(text: text, file: "/folder/x.yaml", overrides: overrides)
  }

  /// Runs an experiment; its outcome and the tables it wrote.
  static func run(
    _ text: String, _ overrides: [String] = []
  ) throws -> (outcome: ExperimentRun.Outcome, table: (FileName) throws -> Table) {
    let folder = FileManager.default.temporaryDirectory.path + "/gradflow-\(UUID().uuidString)"
    let plan = try EnsemblePlan(
      Ensemble(text: text, file: "/folder/x.yaml", overrides: overrides)
    ).first
    let directory = try RunDirectory.create(at: folder)
    let outcome = try ExperimentRun(
      plan, program: ProgramDescription(version: "0", source: nil), threads: 2,
      logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    ).run(into: directory) { _ in true }
    return (outcome, { try directory.table($0) })
  }

  /// `line:column kind key` of every problem.
  static func problems(_ text: String, _ overrides: [String] = []) -> [String] {
    do {
      _ = try Experiment(text: text, file: "x.yaml", overrides: overrides)
      return []
    } catch {
      return error.problems.map { problem in
        let position = problem.place.line.map { "\($0):\(problem.place.column ?? 0) " } ?? ""
        return position + "\(problem.kind)" + (problem.key.map { " \($0)" } ?? "")
      }
    }
  }

  /// The minimal text with one line replaced by others, which may be none.
  static func minimal(_ line: String, _ replacement: String) -> String {
    minimal.split(separator: "\n", omittingEmptySubsequences: false)
      .flatMap { $0.drop { $0 == " " } == line ? replacement.split(separator: "\n") : [$0] }
      .joined(separator: "\n")
  }
}

// The settings of a transformer TF(M, H, d, D), which most of these tests are about.
extension Experiment {
  private var heads: InductionHeadSettings {
    guard let settings = inductionHeads else { fatalError("it is about the mixed target") }
    return settings
  }

  var data: DataSettings { heads.data }
  var model: ModelSettings { heads.model }
  var loss: LossSettings { heads.loss }
  var initial: InitialSettings { heads.initial }
  var completeShare: Double? { heads.completeShare }
}
