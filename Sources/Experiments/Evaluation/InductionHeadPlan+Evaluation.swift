import Corpora
import DeclaredKeys
import InductionHeads
import MarkovChains

extension InductionHeadPlan {
  /// The evaluation of a trained model on fresh data.
  ///
  /// Fresh are the chains and tokens of another seed, far from those of replicates.
  ///
  /// - Parameters:
  ///   - parameters: θ as trained.
  ///   - threads: threads to use; the result does not depend on it.
  /// - Returns: the evaluation, ready to run.
  /// - Throws: `DocumentError` where no fresh data can be drawn, or a length is too short.
  func evaluation(
    of parameters: [Double], threads: Int
  ) throws(DocumentError) -> Evaluation {
    let (parents, kernels, start) = try law()
    let (data, evaluation) = (settings.data, settings.evaluation)
    let shortest = max(model.windowShape.firstPosition, parents.last ?? 1)
    if let short = evaluation.lengths.firstIndex(where: { $0 < shortest }) {
      throw loaded.error(
        at: ExperimentKeys.evaluationLengths.address().element(short),
        found: "\(evaluation.lengths[short])",
        allowed: "at least \(shortest), so that a position is read",
        advice: "drop the length")
    }
    let sources: [(Double?, SequenceSampler.Source)]
    switch kernels {
    case .dirichlet:
      sources = evaluation.concentrations.map {
        (
          $0,
          .prior(
            DirichletPrior(vocabulary: data.vocabulary, parents: parents, concentration: $0))
        )
      }
    case .file:
      if loaded.document.isGiven(ExperimentKeys.evaluationConcentrations.address()) {
        throw loaded.error(
          at: ExperimentKeys.evaluationConcentrations.address(),
          found: "the key beside data.kernel",
          allowed: "only where chains are drawn from a prior", advice: "remove the key")
      }
      sources = [
        (
          nil,
          try Self.chainSource(
            loaded, kernels, vocabulary: data.vocabulary, parents: parents, nil)
        )
      ]
    }
    return Evaluation(
      model: model, parameters: parameters, sources: sources, start: start,
      seed: UInt64(data.seed) &+ 1 << 40, settings: evaluation, threads: threads)
  }

  /// The law that the data come from.
  private func law() throws(DocumentError) -> (
    parents: [Int], kernels: KernelSettings, start: SequenceSampler.Start
  ) {
    switch settings.data.source {
    case .chains(let chains):
      return (chains.parents, chains.kernels, chains.start == .stationary ? .stationary : .uniform)
    case .population(let population): return (population.parents, population.kernels, .stationary)
    case .tokens:
      throw loaded.error(
        at: ExperimentKeys.source.address(), found: "tokens",
        allowed: "chains or population, from whose law fresh sequences can be drawn",
        advice: "a file of tokens does not tell where it came from")
    }
  }
}
