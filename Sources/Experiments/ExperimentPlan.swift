public import DeclaredKeys
import FlowAnalysis
import Foundation
public import GradientFlow
import Objectives

/// An experiment turned into a system, stages and a start: ready to run, nothing sampled and nothing
/// large allocated yet, except for tokens that are read from a file.
public struct ExperimentPlan: Sendable {
  /// The experiment and where it was read.
  public let loaded: LoadedExperiment
  /// The stages.
  public let stages: [Stage]
  let system: any PlannedSystem

  /// The experiment.
  public var experiment: Experiment { loaded.experiment }
  /// θ(0).
  public var start: [Double] { system.start }
  /// How large the problem is.
  public var size: ProblemSize { system.size }

  /// Plans an experiment.
  ///
  /// - Parameters:
  ///   - loaded: the experiment.
  ///   - memoryLimit: bytes that may be used; nil for no limit.
  ///   - earlier: a plan whose tokens are taken over if they come from the same file.
  /// - Throws: `DocumentError` when something about the experiment shows only now: a quantity
  ///   that no column has, a token file that does not fit, a problem larger than the memory.
  public init(
    _ loaded: LoadedExperiment, memoryLimit: Int? = nil, reusing earlier: ExperimentPlan? = nil
  ) throws(DocumentError) {
    self.loaded = loaded
    switch loaded.experiment.system {
    case .inductionHeads(let settings):
      system = try InductionHeadPlan(
        loaded, settings, memoryLimit: memoryLimit,
        reusing: earlier?.system as? InductionHeadPlan)
    case .mixedTarget(let settings):
      system = try MixedTargetPlan(loaded, settings, memoryLimit: memoryLimit)
    }
    stages = loaded.experiment.stages.map { stage in
      Stage(
        name: stage.name, training: stage.groups.map(\.rawValue), until: stage.duration,
        stoppingWhen: stage.stops.map { stop in
          switch stop.bound {
          case .above(let level): StopCondition(stop.quantity, .above, level)
          case .below(let level): StopCondition(stop.quantity, .below, level)
          }
        })
    }
    try check()
  }

  /// What a person wants to know of the parameters of this system.
  public func summary(at parameters: [Double]) -> SystemSummary { system.summary(at: parameters) }

  /// How the implicit equations of a step are solved: not `automatic`.
  public var linearSolver: LinearSolver {
    experiment.solver.linearSolver.chosen(parameters: system.layout.count)
  }

  /// The options of the solver.
  ///
  /// - Parameter threads: threads that one evaluation may use.
  /// - Returns: method, tolerances and limits of the experiment.
  public func solverOptions(threads: Int) -> SolverOptions {
    let solver = experiment.solver
    let linear: SolverOptions.LinearSolver =
      switch linearSolver {
      case .dense, .automatic: .dense
      case .spgmr: .spgmr(krylovDimension: solver.krylovDimension)
      case .pcg: .pcg(krylovDimension: solver.krylovDimension)
      case .fixedPoint: .fixedPoint
      }
    return SolverOptions(
      method: solver.method == .bdf ? .bdf : .adams, linearSolver: linear,
      relativeTolerance: solver.relativeTolerance, absoluteTolerance: solver.absoluteTolerance,
      stepLimit: solver.stepLimit, checkpointSteps: solver.checkpointSteps,
      eventErrors: solver.eventErrors, threads: threads)
  }

  /// When the trajectory is sampled.
  public var sampling: SampleSchedule {
    SampleSchedule(
      first: experiment.sampling.first, perDecade: experiment.sampling.perDecade,
      sharpness: experiment.sampling.sharpness)
  }

  /// More rows than these no trajectory has use for.
  private static let mostSamples = 1_000_000

  /// What can be told of any system only once it stands: the quantities of stop conditions, and how
  /// many samples there are.
  private func check() throws(DocumentError) {
    let columns = Trajectory.columns(
      layout: system.layout, observables: system.observableNames,
      sharpness: experiment.sampling.sharpness)
    for (i, stage) in experiment.stages.enumerated() {
      for (j, stop) in stage.stops.enumerated() where !columns.contains(stop.quantity) {
        throw loaded.error(
          at: ExperimentKeys.quantity.address(i, j), found: stop.quantity,
          allowed: "a column of trajectory.csv",
          advice: "choose one of \(columns.joined(separator: ", "))")
      }
    }
    try checkFigures(columns + ["sharpness"])
    try checkSteps()
    if experiment.claims.contains(where: \.isAboutEvaluation) {
      _ = try system.evaluation(of: system.start, threads: 1)
    }
    // About how many samples the stages take.
    let sampling = experiment.sampling
    let samples = experiment.stages.reduce(0.0) { count, stage in
      let decades = max(0, log10(stage.duration) - log10(sampling.first))
      return count + 2 + decades * Double(sampling.perDecade)
    }
    if samples > Double(Self.mostSamples) {
      throw loaded.error(
        at: ExperimentKeys.perDecade.address(),
        found: "\(experiment.sampling.perDecade), which makes \(String(Float(samples))) samples",
        allowed: "at most \(Self.mostSamples) samples over all stages",
        advice: "lower it, or raise sampling.first")
    }
  }
}

extension ExperimentPlan {
  /// More steps than these no optimiser makes in reasonable time.
  private static let mostSteps = 1e9

  /// Steps of all optimisers, multiples of the learning rate and stages, if no stage ends early.
  public var trainingSteps: Double {
    let training = experiment.training
    let whole = zip(experiment.stages, training.rates).reduce(0) { $0 + $1.0.duration / $1.1 }
    return whole
      * (Double(training.optimizers.count) + training.factors.reduce(0) { $0 + 1 / $1 })
  }

  private func checkSteps() throws(DocumentError) {
    let training = experiment.training
    if trainingSteps > Self.mostSteps {
      throw loaded.error(
        at: ExperimentKeys.learningRate.address(),
        found:
          "\(training.rates[0]), with which all training takes \(String(Float(trainingSteps))) steps",
        allowed:
          "at most \(String(Float(Self.mostSteps))) steps over all optimisers, multiples and stages",
        advice: "raise training.learning_rate or that of a stage, or shorten the stages")
    }
  }

  /// Figures are of columns, and of moments inside their stages.
  private func checkFigures(_ columns: [String]) throws(DocumentError) {
    for (index, figure) in experiment.figures.enumerated() {
      if !columns.contains(figure.quantity) {
        throw loaded.error(
          at: ExperimentKeys.figureQuantity.address(index), found: figure.quantity,
          allowed: "a column of trajectory.csv",
          advice: "choose one of \(columns.joined(separator: ", "))")
      }
      guard let stage = experiment.stages.firstIndex(where: { $0.name == figure.stage }) else {
        continue
      }
      let duration = experiment.stages[stage].duration
      switch figure.moment {
      case .step(let step):
        let last = duration / experiment.training.rates[stage] * (1 + 1e-12)
        if Double(step) > last {
          throw loaded.error(
            at: ExperimentKeys.figureStep.address(index), found: "\(step)",
            allowed: "at most \(Int(last)), the steps of stage \(figure.stage)",
            advice: "lengthen the stage, or lower its learning rate")
        }
      case .time(let time):
        if time > duration {
          throw loaded.error(
            at: ExperimentKeys.figureTime.address(index), found: "\(time)",
            allowed: "at most \(duration), the length of stage \(figure.stage)",
            advice: "lengthen the stage")
        }
      }
    }
  }
}

extension Double {
  /// The number as C's `printf` writes it.
  func formatted(_ format: String) -> String { String(format: format, self) }
}
