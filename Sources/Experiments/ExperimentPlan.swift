public import Corpora
public import DeclaredKeys
public import GradientFlow
public import InductionHeads
public import MarkovChains
import Objectives

/// What a planned experiment takes its loss over; nothing is sampled yet.
public enum PlannedData: Sendable {
  /// Sequences of finite length.
  case sequences(any SequenceSource)
  /// K chains in infinite context: chain i is that of sequence i under the same seed.
  case population(SequenceSampler.Source, count: Int, seed: UInt64)
}

/// An experiment turned into a model, sequences, stages and a start: ready to run, nothing sampled
/// and nothing large allocated yet, except for tokens that are read from a file.
public struct ExperimentPlan: Sendable {
  /// The experiment and where it was read.
  public let loaded: LoadedExperiment
  /// The transformer.
  public let model: GIHTransformer
  /// What the loss is taken over.
  public let data: PlannedData
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
  ///   - earlier: a plan whose tokens are taken over if they come from the same file.
  /// - Throws: `DocumentError` when something about the experiment shows only now: a quantity
  ///   that no column has, a token file that does not fit, a problem larger than the memory.
  public init(
    _ loaded: LoadedExperiment, memoryLimit: Int? = nil, reusing earlier: ExperimentPlan? = nil
  ) throws(DocumentError) {
    let experiment = loaded.experiment
    self.loaded = loaded
    let model = Self.model(experiment)
    self.model = model
    try Self.check(loaded, model)
    // The bound comes before the tokens of a file are read.
    switch experiment.data.source {
    case .chains(let chains):
      let size = ProblemSize(
        model: model, experiment: experiment, sequences: chains.sequences, length: chains.length)
      try Self.check(size, loaded, memoryLimit)
      let sampler = SequenceSampler(
        source: try Self.chainSource(
          loaded, chains.kernels, parents: chains.parents, memoryLimit),
        start: chains.start == .stationary ? .stationary : .uniform,
        seed: UInt64(experiment.data.seed))
      data = .sequences(
        SampledSequences(sampler, count: chains.sequences, length: chains.length))
      self.size = size
    case .population(let population):
      size = ProblemSize(model: model, experiment: experiment, population: population)
      try Self.check(size, loaded, memoryLimit)
      let source = try Self.chainSource(
        loaded, population.kernels, parents: population.parents, memoryLimit)
      data = .population(source, count: population.chains, seed: UInt64(experiment.data.seed))
    case .tokens:
      let stored = try Self.storedSequences(
        loaded, model, memoryLimit, earlier?.storedSequences(for: experiment.data))
      size = ProblemSize(
        model: model, experiment: experiment, sequences: stored.sequenceCount,
        length: stored.length)
      try Self.check(size, loaded, memoryLimit)
      data = .sequences(stored)
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

  /// Samples and compresses the sequences, or finds the stationary laws, and poses the loss.
  ///
  /// - Parameter threads: threads to use; the result does not depend on it.
  /// - Returns: the loss over the compressed sequences, or in infinite context.
  public func makeObjective(threads: Int) -> GIHObjective {
    switch data {
    case .sequences(let sequences):
      let targets: CompressedCorpus.Targets =
        experiment.loss.targets == .sampled ? .sampled : .expected
      return GIHObjective(
        model: model,
        corpus: CompressedCorpus(
          sequences, shape: model.windowShape, targets: targets, pairs: .upToRelabelling,
          threads: threads),
        length: sequences.length, completeShare: experiment.completeShare, threads: threads)
    case .population(let source, let count, let seed):
      return GIHObjective(
        model: model,
        population: PopulationLaw(
          chains: (0..<count).map { source.chain(seed: seed, index: UInt64($0)) },
          shape: model.windowShape, threads: threads),
        completeShare: experiment.completeShare)
    }
  }

  /// What an objective of this plan is taken over, in words.
  public func sizes(of objective: GIHObjective) -> String {
    switch objective.data {
    case .corpus(let corpus):
      "\(corpus.sequenceCount) sequences of length \(size.length ?? 0), "
        + "\(corpus.windows.count) windows, \(corpus.pairCount) pairs, "
        + "\(corpus.entryCount) window counts"
    case .population(let law):
      "\(law.chainCount) chains in infinite context, \(law.windows.count) windows, "
        + "\(law.windows.count * law.windows.count) pairs"
    }
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
