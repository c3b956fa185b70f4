import Corpora
import FlowAnalysis
import GradientFlow
import InductionHeads
import MarkovChains
import Objectives
import RunRecords

/// A transformer TF(M, H, d, D) on its compressed sequences, or in infinite context.
struct PreparedInductionHeads: PreparedSystem {
  let plan: InductionHeadPlan
  private let loss: GIHObjective
  private let threads: Int

  init(plan: InductionHeadPlan, objective: GIHObjective, threads: Int) {
    self.plan = plan
    loss = objective
    self.threads = threads
  }

  var objective: any Objective { loss }

  var description: String {
    switch (plan.data, loss.data) {
    case (.sequences(let sequences), .corpus(let corpus)):
      "\(corpus.sequenceCount) sequences of length \(sequences.length), "
        + "\(corpus.windows.count) windows, \(corpus.pairCount) pairs, "
        + "\(corpus.entryCount) window counts"
    case (_, .population(let law)):
      "\(law.chainCount) chains in infinite context, \(law.windows.count) windows, "
        + "\(law.windows.count * law.windows.count) pairs"
    case (.population, .corpus): preconditionFailure("a population has no corpus")
    }
  }

  /// The tokens, or the kernels and stationary laws.
  func arrays() -> (file: FileName, arrays: [String: NumPyArray])? {
    switch (plan.data, loss.data) {
    case (.sequences(let sequences), _):
      let stored = StoredSequences(sequences)
      return (
        .corpus,
        [
          "tokens": NumPyArray(
            shape: [stored.sequenceCount, stored.length + 1], elements: .uint8(stored.tokens))
        ]
      )
    case (.population, .population(let law)):
      let shape = law.windows.shape
      let k = law.chainCount
      return (
        .population,
        [
          "kernels": NumPyArray(
            shape: [k, law.chains[0].rowCount, shape.vocabulary],
            elements: .float64(law.chains.flatMap(\.rows))),
          "joint": NumPyArray(
            shape: [k, shape.vocabulary, law.windows.count], elements: .float64(law.joint)),
          "windows": NumPyArray(
            shape: [law.windows.count, shape.lags.count],
            elements: .int64(law.windows.symbols.map(Int64.init))),
          "lags": NumPyArray(
            shape: [shape.lags.count], elements: .int64(shape.lags.map(Int64.init))),
        ]
      )
    case (.population, .corpus): preconditionFailure("a population has no corpus")
    }
  }

  func samplingErrors(
    of problem: FlowProblem, _ trajectory: Trajectory, solvedWith options: SolverOptions,
    observer: @escaping (FlowProgress) -> Bool
  ) -> [String: Double] { [:] }

  func judged(
    _ claims: [Claim], _ problem: FlowProblem, _ trajectory: Trajectory,
    solvedWith options: SolverOptions, sampling: SampleSchedule, samplingErrors: [String: Double]
  ) -> (findings: [Finding], swept: SweptFlow) {
    var evidence = Evidence(
      loss, trajectory, options: options, concentration: concentration,
      comparison: claims.contains(.limitModel) ? comparison : nil,
      needsExpansion: claims.contains { $0.needsExpansion })
    if claims.contains(.copying) || claims.contains(.bystanders) {
      evidence.reducedCopying = reducedCopying(evidence, options, sampling)
    }
    let length: Int? =
      if case .sequences(let sequences) = plan.data { sequences.length } else { nil }
    return (
      claims.flatMap { evidence.findings(of: $0) },
      SweptFlow(evidence, axes: [:], length: length, claims: claims)
    )
  }

  func batches() -> (any BatchSource)? { InductionHeadBatches(plan: plan) }

  /// α, if the chains come from a prior.
  private var concentration: Double? { plan.settings.data.kernels?.concentration }

  /// The same data with counts of every token; nil where the kernels are not known.
  private var comparison: GIHObjective? {
    switch plan.data {
    case .population: return loss
    case .sequences(let sequences):
      guard sequences.knowsTargetLaw else { return nil }
      if case .corpus(let corpus) = loss.data, corpus.columns == plan.model.vocabulary {
        return loss
      }
      return GIHObjective(
        model: plan.model,
        corpus: CompressedCorpus(
          sequences, shape: plan.model.windowShape, targets: .expected, pairs: .upToRelabelling,
          threads: threads),
        length: sequences.length, threads: threads)
    }
  }

  /// The reduced copying flow at a tenth of the tolerances, if there is one.
  private func reducedCopying(
    _ evidence: Evidence, _ options: SolverOptions, _ sampling: SampleSchedule
  ) -> Trajectory? {
    guard let problem = evidence.reducedCopyingProblem() else { return nil }
    var options = options.alone
    options.relativeTolerance /= 10
    options.absoluteTolerance /= 10
    return try? FlowSolver(options: options).solve(problem, sampling: sampling)
  }
}

extension SolverOptions {
  /// The same tolerances for a small problem beside the main one.
  var alone: SolverOptions {
    SolverOptions(
      relativeTolerance: relativeTolerance, absoluteTolerance: absoluteTolerance,
      stepLimit: stepLimit, eventErrors: false)
  }
}
