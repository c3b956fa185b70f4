import Corpora
import FlowAnalysis
import GradientFlow
import InductionHeads

extension ExperimentPlan {
  /// Holds the experiment's claims against its flow.
  ///
  /// - Parameters:
  ///   - objective: what was minimised.
  ///   - trajectory: the flow.
  ///   - threads: threads to use; the result does not depend on it.
  /// - Returns: the findings in the order of the experiment's claims, none without claims, and
  ///   what claims across flows need.
  func judged(
    _ objective: GIHObjective, _ trajectory: Trajectory, threads: Int
  ) -> (findings: [Finding], swept: SweptFlow?) {
    let claims = experiment.claims
    if claims.isEmpty { return ([], nil) }
    var evidence = Evidence(
      objective, trajectory, options: solverOptions(threads: threads),
      concentration: concentration,
      comparison: claims.contains(.limitModel) ? comparison(objective, threads: threads) : nil,
      needsExpansion: claims.contains { $0.needsExpansion })
    if claims.contains(.copying) || claims.contains(.bystanders) {
      evidence.reducedCopying = reducedCopying(evidence)
    }
    return (
      claims.flatMap { evidence.findings(of: $0) },
      SweptFlow(evidence, axes: [:], length: size.length, claims: claims)
    )
  }

  /// α, if the chains come from a prior.
  private var concentration: Double? {
    switch experiment.data.source {
    case .chains(let chains): chains.kernels.concentration
    case .population(let population): population.kernels.concentration
    case .tokens: nil
    }
  }

  /// The same data with counts of every token; nil where the kernels are not known.
  private func comparison(_ objective: GIHObjective, threads: Int) -> GIHObjective? {
    switch data {
    case .population: return objective
    case .sequences(let sequences):
      guard sequences.knowsTargetLaw else { return nil }
      if case .corpus(let corpus) = objective.data, corpus.columns == model.vocabulary {
        return objective
      }
      return GIHObjective(
        model: model,
        corpus: CompressedCorpus(
          sequences, shape: model.windowShape, targets: .expected, pairs: .upToRelabelling,
          threads: threads),
        length: sequences.length, threads: threads)
    }
  }

  /// The reduced copying flow at a tenth of the tolerances, if there is one.
  private func reducedCopying(_ evidence: Evidence) -> Trajectory? {
    guard let problem = evidence.reducedCopyingProblem() else { return nil }
    var options = solverOptions(threads: 1)
    options.relativeTolerance /= 10
    options.absoluteTolerance /= 10
    options.linearSolver = .dense
    options.method = .bdf
    options.eventErrors = false
    return try? FlowSolver(options: options).solve(problem, sampling: sampling)
  }
}
