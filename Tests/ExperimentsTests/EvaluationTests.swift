import DeclaredKeys
import Experiments
import FlowAnalysis
import Foundation
import GradientFlow
import Logging
import MarkovChains
import RunRecords
import Testing

@Suite struct EvaluationTests {
  private static let text = """
    # Other lengths?
    data: {vocabulary: 3, parents: [1], concentration: 0.3, sequences: 300, length: 30}
    model: {heads: 2, window: 2, degree: 2}
    initial: {scale: 0.5}
    stages:
      - {name: selection, train: [c], until: 1000}
      - {name: copying, train: [w], until: 1000}
      - {name: classification, train: [a], until: 1000}
    evaluation: {lengths: [40, 8, 20], concentrations: [0.3, 1], sequences: 4000}
    """

  private static let program = ProgramDescription(version: "0", source: nil)
  private static let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

  /// A folder with a finished run in `run`, gone with its owner.
  private final class Trained {
    let folder: String
    let outcome: ExperimentRun.Outcome
    var run: String { folder + "/run" }

    init(_ overrides: [String] = []) throws {
      folder = FileManager.default.temporaryDirectory.path + "/gradflow-\(UUID().uuidString)"
      let plan = try EnsemblePlan(
        Ensemble(text: EvaluationTests.text, file: "/folder/x.yaml", overrides: overrides)
      ).first
      outcome = try ExperimentRun(
        plan, program: EvaluationTests.program, threads: 2, logger: EvaluationTests.logger
      ).run(into: RunDirectory.create(at: folder + "/run")) { _ in true }
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    func evaluate(
      _ overrides: [String] = [], ablations: Bool = false
    ) throws -> (report: EvaluationRun.Report, directory: RunDirectory) {
      let directory = try RunDirectory.create(at: folder + "/evaluation-\(UUID().uuidString)")
      let run = try EvaluationRun(
        of: self.run, overrides: overrides, program: EvaluationTests.program, threads: 3,
        logger: EvaluationTests.logger)
      return (
        try run.run(into: directory, hasAblations: ablations) { _ in true }, directory
      )
    }
  }

  /// The losses by predictor at one length and prior.
  private func losses(_ table: Table, _ length: Int, _ concentration: Double) -> [String: Double] {
    var losses: [String: Double] = [:]
    for row in 0..<table.rowCount
    where table[row, 0] == .real(concentration) && table[row, 1] == .integer(length) {
      if case .text(let name) = table[row, 3], case .real(let loss) = table[row, 4] {
        losses[name] = loss
      }
    }
    return losses
  }

  @Test func predictorsStandInTheirOrder() throws {
    let trained = try Trained()
    let (report, directory) = try trained.evaluate()
    let table = report.table
    #expect(try directory.table(.evaluation) == table)
    #expect(table.rowCount == 2 * 3 * 5)
    for concentration in [0.3, 1.0] {
      for length in [8, 20, 40] {
        let found = losses(table, length, concentration)
        let (kernel, bayes) = (found["true kernel"] ?? .nan, found["in-context Bayes"] ?? .nan)
        #expect(abs((found["uniform"] ?? .nan) - log(3)) < 1e-5)
        #expect(kernel < bayes && bayes < log(3))
        // Nobody who sees only the context beats the posterior.
        #expect(bayes < (found["model"] ?? .nan) && bayes < (found["GIH({1})"] ?? .nan))
      }
    }
    #expect(report.findings.count == 4 && report.findings.allSatisfy { $0.verdict == .holds })
  }

  /// The mean entropy of rows from a Dirichlet prior is ψ(dα + 1) − ψ(α + 1), which is 1/2 + 1/3 at α = 1 and d = 3.
  ///
  /// Rows are visited in proportion to μ, which knows little of them: the value is held loosely.
  @Test func theTrueKernelHasTheEntropyOfItsRows() throws {
    let (report, _) = try Trained().evaluate()
    let kernel = losses(report.table, 40, 1)["true kernel"] ?? .nan
    #expect(abs(kernel - 5.0 / 6) < 0.03)
  }

  @Test func theEvaluationDoesNotDependOnThreadsOrOnWhoAsks() throws {
    let trained = try Trained(["claims=[G9]"])
    let (report, _) = try trained.evaluate()
    let own = try RunDirectory.open(at: trained.run).table(.evaluation)
    #expect(own == report.table)
    #expect(trained.outcome.findings.filter { $0.claim == .lengths } == report.findings)
  }

  @Test func ablationsAreTrainedAndEvaluated() throws {
    let trained = try Trained()
    let (report, directory) = try trained.evaluate(
      ["evaluation.lengths=[20, 40]", "evaluation.concentrations=[0.3]"], ablations: true)
    #expect(report.ablations.map(\.ablation) == Ablation.allCases)
    let whole = try #require(report.ablations.first)
    #expect(whole.trainingLoss == trained.outcome.trajectory.stages.last?.lossAtEnd)
    let byName = Dictionary(
      uniqueKeysWithValues: report.ablations.map { ($0.ablation, $0.losses.map(\.loss.value)) })
    for ablation in [Ablation.uniformAttention, .fixedScale] {
      for (mine, theirs) in zip(byName[.nothing] ?? [], byName[ablation] ?? []) {
        #expect(mine < theirs, "\(ablation)")
      }
    }
    #expect(byName[.absolutePositions]?.count == 1, "it has weights for one length alone")
    let table = try directory.table(.ablations)
    #expect(table.rowCount == 2 * (Ablation.allCases.count - 1) + 1)
    #expect(
      FileManager.default.fileExists(atPath: directory.path + "/ablations/one-head/final.yaml"))
  }

  @Test func whatCannotBeEvaluatedIsRefused() throws {
    let trained = try Trained()
    func message(_ run: String, _ overrides: [String] = []) -> String {
      do {
        _ = try EvaluationRun(
          of: run, overrides: overrides, program: Self.program, threads: 1, logger: Self.logger)
        return ""
      } catch {
        return "\(error)"
      }
    }
    #expect(message(trained.folder).contains("not a run directory"))
    #expect(message(trained.run, ["evaluation.lengths=[2]"]).contains("at least 3"))
    #expect(message(trained.run, ["model.heads=1"]).contains("model."))
    try FileManager.default.removeItem(atPath: trained.run + "/final.yaml")
    #expect(message(trained.run).contains("has no final.yaml"))
  }
}
