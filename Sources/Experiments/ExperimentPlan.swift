public import Corpora
public import DeclaredKeys
public import GradientFlow
public import InductionHeads
import MarkovChains
import Objectives

/// An experiment turned into a model, sequences, stages and a start: ready to run, nothing sampled
/// and nothing large allocated yet, except for tokens that are read from a file.
public struct ExperimentPlan: Sendable {
  /// The experiment and where it was read.
  public let loaded: LoadedExperiment
  /// The transformer.
  public let model: GIHTransformer
  /// The sequences.
  public let sequences: any SequenceSource
  /// The stages.
  public let stages: [Stage]
  /// θ(0).
  public let start: [Double]
  /// How large the problem is.
  public let size: ProblemSize

  /// The experiment.
  public var experiment: Experiment { loaded.experiment }

  /// Plans an experiment.
  ///
  /// - Parameters:
  ///   - loaded: the experiment.
  ///   - memoryLimit: bytes that may be used; nil for no limit.
  /// - Throws: `DocumentError` when something about the experiment shows only now: a quantity
  ///   that no column has, a token file that does not fit, a problem larger than the memory.
  public init(_ loaded: LoadedExperiment, memoryLimit: Int? = nil) throws(DocumentError) {
    let experiment = loaded.experiment
    self.loaded = loaded
    let model = Self.model(experiment)
    self.model = model
    try Self.check(loaded, model)
    // The bound comes before the tokens of a file are read.
    if case .chains(let chains) = experiment.data.source {
      let size = ProblemSize(
        model: model, experiment: experiment, sequences: chains.sequences, length: chains.length)
      try Self.check(size, loaded, memoryLimit)
      let sampler = SequenceSampler(
        source: try Self.chainSource(loaded, chains, memoryLimit),
        start: chains.start == .stationary ? .stationary : .uniform,
        seed: UInt64(experiment.data.seed))
      sequences = SampledSequences(sampler, count: chains.sequences, length: chains.length)
      self.size = size
    } else {
      let stored = try Self.storedSequences(loaded, model, memoryLimit)
      size = ProblemSize(
        model: model, experiment: experiment, sequences: stored.sequenceCount,
        length: stored.length)
      try Self.check(size, loaded, memoryLimit)
      sequences = stored
    }
    stages = experiment.stages.map { stage in
      Stage(
        name: stage.name, training: stage.groups.map(\.rawValue), until: stage.duration,
        stoppingWhen: stage.stops.map { stop in
          switch stop.bound {
          case .above(let level): StopCondition(stop.quantity, .above, level)
          case .below(let level): StopCondition(stop.quantity, .below, level)
          }
        })
    }
    start = try Self.start(loaded, model)
  }

  /// Samples and compresses the sequences, and poses the loss over them.
  ///
  /// - Parameter threads: threads to use; the result does not depend on it.
  /// - Returns: the loss over the compressed sequences.
  public func makeObjective(threads: Int) -> GIHObjective {
    let targets: CompressedCorpus.Targets =
      experiment.loss.targets == .sampled ? .sampled : .expected
    return GIHObjective(
      model: model,
      corpus: CompressedCorpus(
        sequences, shape: model.windowShape, targets: targets, threads: threads),
      length: sequences.length)
  }

  /// The options of the solver.
  ///
  /// - Parameter threads: threads that one evaluation may use.
  /// - Returns: method, tolerances and limits of the experiment.
  public func solverOptions(threads: Int) -> SolverOptions {
    let solver = experiment.solver
    let linear: SolverOptions.LinearSolver =
      switch solver.linearSolver {
      case .dense: .dense
      case .spgmr: .spgmr(krylovDimension: solver.krylovDimension)
      case .pcg: .pcg(krylovDimension: solver.krylovDimension)
      case .fixedPoint: .fixedPoint
      }
    return SolverOptions(
      method: solver.method == .bdf ? .bdf : .adams, linearSolver: linear,
      relativeTolerance: solver.relativeTolerance, absoluteTolerance: solver.absoluteTolerance,
      stepLimit: solver.stepLimit, eventErrors: solver.eventErrors, threads: threads)
  }

  /// When the trajectory is sampled.
  public var sampling: SampleSchedule {
    SampleSchedule(
      first: experiment.sampling.first, perDecade: experiment.sampling.perDecade,
      sharpness: experiment.sampling.sharpness)
  }

  /// The error that the loss at the start is infinite.
  public func infiniteStart(_ loss: Double) -> DocumentError {
    loaded.error(
      at: ExperimentKeys.floor.address(),
      found: "\(experiment.loss.floor), with which the loss at the start is \(loss)",
      allowed: "a floor that keeps the loss finite",
      advice: "a token that can come next never occurs in the read-out of some sequence; "
        + "set a positive floor such as 1e-6")
  }
}
