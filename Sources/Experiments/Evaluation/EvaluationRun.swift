import DeclaredKeys
public import FlowAnalysis
import Foundation
import GradientFlow
import InductionHeads
public import Logging
import MarkovChains
import Objectives
public import RunRecords

/// The evaluation of a run's trained model into a run directory of its own.
public struct EvaluationRun: Sendable {
  /// The experiment whose model was trained, in its run directory.
  let plan: ExperimentPlan
  /// θ, by name.
  let trained: FinalParameters
  let program: ProgramDescription
  let threads: Int
  let logger: Logger
  /// The directory of the run.
  private let run: String
  /// The question of the experiment, for people.
  public var question: String? { plan.experiment.question }

  /// Reads a run that has come to its end.
  ///
  /// - Parameters:
  ///   - run: the path of its directory.
  ///   - overrides: `PATH=VALUE` each, applied to its experiment, such as `evaluation.lengths=[10, 100]`.
  ///   - program: what the program says of itself.
  ///   - threads: threads to use; the results do not depend on it.
  ///   - logger: where diagnostics go.
  /// - Throws: `RecordError` when it is no such run, `DocumentError` when its experiment, with the overrides,
  ///   cannot be evaluated.
  public init(
    of run: String, overrides: [String] = [], program: ProgramDescription, threads: Int,
    logger: Logger
  ) throws {
    let directory = try RunDirectory.open(at: run)
    let manifest = try directory.manifest()
    if manifest.tables != nil {
      throw RecordError(
        path: directory.path, reason: .malformed("holds tables, and no trained model"),
        advice: "Evaluate a run of `gradflow run` that has come to its end.")
    }
    if manifest.flows != nil {
      let inner = try directory.innerPaths().first ?? "replicates/001"
      throw RecordError(
        path: directory.path, reason: .malformed("holds several runs"),
        advice: "Name one of those inside, such as \(directory.path)/\(inner).")
    }
    guard manifest.status.state == .finished, directory.has(.final) else {
      throw RecordError(
        path: directory.path,
        reason: .malformed(
          directory.has(.final) ? "is \(manifest.status.state.rawValue)" : "has no final.yaml"),
        advice: "Evaluate a run of `gradflow run` that has come to its end.")
    }
    let loaded = try LoadedExperiment(
      contentsOf: directory.path(of: .experiment), overrides: overrides)
    plan = try ExperimentPlan(loaded, memoryLimit: Machine.current().availableMemory)
    _ = try plan.system.evaluation(of: plan.start, threads: threads)
    trained = try FinalParameters(contentsOf: directory.path(of: .final))
    let names = plan.system.layout.names
    guard trained.parameters.map(\.name) == names else {
      throw loaded.error(
        at: ExperimentKeys.family.address(), .contradiction,
        found: "a model with the parameters \(names.joined(separator: ", "))",
        allowed:
          "the model that was trained, with \(trained.parameters.map(\.name).joined(separator: ", "))",
        advice: "override only keys of the evaluation")
    }
    self.program = program
    self.threads = threads
    self.logger = logger
    self.run = directory.path
  }

  /// One ablation: how it trained, and how it does on fresh data.
  public struct AblationRow: Sendable {
    /// What was taken away.
    public let ablation: Ablation
    /// The loss on the training data at the end.
    public let trainingLoss: Double
    /// What a person wants to know of its parameters.
    public let summary: String
    /// The losses on fresh data, in the order of the evaluation.
    public let losses: [FreshLoss]
  }

  /// What was found.
  public struct Report: Sendable {
    /// `evaluation.csv`.
    public let table: Table
    /// Claim G9.
    public let findings: [Finding]
    /// The ablations that were asked for.
    public let ablations: [AblationRow]
    /// What could not be ablated, and failed trainings, in words.
    public let remarks: [String]
    /// Whether it was stopped.
    public let isStopped: Bool
    /// Seconds from start to end.
    public let seconds: Double
  }

  /// Evaluates, and retrains with parts taken away if that is asked for.
  ///
  /// - Parameters:
  ///   - directory: a new run directory.
  ///   - hasAblations: whether ablations are trained and evaluated, too.
  ///   - observer: told what goes on; returns whether to go on.
  /// - Returns: what was found; all files are written.
  /// - Throws: `RecordError` when a file cannot be written.
  public func run(
    into directory: RunDirectory, hasAblations: Bool, observer: @escaping (String) -> Bool
  ) throws -> Report {
    let start = Timestamp.now()
    var isStopped = false
    func tell(_ text: String) -> Bool {
      isStopped = isStopped || !observer(text)
      return !isStopped
    }
    let resolved = plan.experiment.resolved
    var manifest = program.manifest(
      experiment: plan.experiment, resolved: resolved, threads: threads, start: start)
    manifest.tables = []
    manifest.evaluated = run
    try directory.begin(resolved, manifest)
    let evaluation = try plan.system.evaluation(
      of: trained.parameters.map(\.value), threads: threads)
    let rows = evaluation.rows { !tell("fresh data") }
    let findings = Claim.lengths.findings(on: Evaluation.modelLosses(rows))
    let table = Evaluation.table(rows, sequences: evaluation.settings.sequences)
    if !isStopped {
      // What stands is written before anything else may go wrong.
      try directory.write(trained.text, as: .final)
      try directory.write(table, as: .evaluation)
      try directory.write(Table(claims: findings.map(ClaimRecord.init)), as: .claims)
      manifest.tables = [FileName.evaluation.description, FileName.claims.description]
      try directory.write(manifest)
    }
    var (ablations, remarks) = ([AblationRow](), [String]())
    for ablation in hasAblations ? Ablation.allCases : [] where !isStopped {
      guard let ablated = ablation.applied(to: plan.experiment) else {
        remarks.append(
          "\(ablation.rawValue): not defined for this model, or it leaves nothing to train or this experiment as it is, or it starts from a file"
        )
        continue
      }
      do {
        ablations.append(try train(ablated, ablation, in: directory, tell))
      } catch let failure as FlowFailure {
        remarks.append("\(ablation.rawValue): \(failure.description)")
      } catch let error as DocumentError {
        remarks.append("\(ablation.rawValue): \(error.description)")
      }
    }
    if !ablations.isEmpty {
      try directory.write(Table(ablations), as: .ablations)
      manifest.tables?.append(FileName.ablations.description)
    }
    manifest.end = .now()
    manifest.status = isStopped ? .stopped : .finished
    try directory.write(manifest)
    return Report(
      table: table, findings: findings, ablations: ablations, remarks: remarks,
      isStopped: isStopped, seconds: Timestamp.now().seconds(since: start))
  }

  /// Trains an ablated model by the exact flow in a directory of its own, and evaluates it.
  private func train(
    _ experiment: Experiment, _ ablation: Ablation, in directory: RunDirectory,
    _ tell: @escaping (String) -> Bool
  ) throws -> AblationRow {
    let loaded = LoadedExperiment(
      experiment, path: plan.loaded.path, document: plan.loaded.document)
    let ablated = try ExperimentPlan(loaded, reusing: plan)
    let outcome = try ExperimentRun(ablated, program: program, threads: threads, logger: logger)
      .run(into: directory.createInner(at: ["ablations", ablation.folder])) { progress in
        tell("\(ablation.rawValue): \(progress.stageDescription.name)")
      }
    if case .failed(let failure) = outcome.ending { throw failure }
    let theta = outcome.trajectory.parameters
    let rows = try ablated.system.evaluation(of: theta, threads: threads).rows {
      !tell("\(ablation.rawValue): fresh data")
    }
    return AblationRow(
      ablation: ablation, trainingLoss: outcome.trajectory.stages.last?.lossAtEnd ?? .nan,
      summary: ablated.summary(at: theta).sentence,
      losses: Evaluation.modelLosses(rows))
  }
}

extension Table {
  /// `ablations.csv`.
  init(_ ablations: [EvaluationRun.AblationRow]) {
    self.init(columns: ["ablation", "training_loss", "concentration", "length", "loss", "loss_se"])
    for row in ablations {
      for fresh in row.losses {
        append([
          .text(row.ablation.rawValue), .real(row.trainingLoss),
          fresh.concentration.map { .real($0) } ?? .empty, .integer(fresh.length),
          .real(fresh.loss.value), .real(fresh.loss.standardError),
        ])
      }
    }
  }
}
