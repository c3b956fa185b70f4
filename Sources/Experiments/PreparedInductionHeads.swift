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
  private let loss: any WindowObjective
  private let threads: Int

  init(plan: InductionHeadPlan, objective: any WindowObjective, threads: Int) {
    self.plan = plan
    loss = objective
    self.threads = threads
  }

  var objective: any Objective { loss }
  /// With the rectifier, if there is one.
  var trainedObjective: any Objective { plan.trainedModel.objective(loss.posed) }

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
  ) -> (findings: [Finding], swept: SweptFlow?) {
    let learned = LearnedLags(claims.contains(.learnedLags) ? candidates : [], trajectory)
    guard let loss = loss as? GIHObjective else {
      return (
        claims.flatMap { claim in
          claim == .learnedLags
            ? learned.findings()
            : [
              Finding(
                claim, "", notApplicable: "it is derived for the transformer TF(M, H, d, D) alone")
            ]
        }, nil
      )
    }
    var evidence = Evidence(
      loss, trajectory, options: options, concentration: concentration,
      comparison: claims.contains(.limitModel) ? comparison(loss) : nil,
      needsExpansion: claims.contains { $0.needsExpansion })
    if claims.contains(.copying) || claims.contains(.bystanders) {
      evidence.reducedCopying = reducedCopying(evidence, options, sampling)
    }
    let length: Int? =
      if case .sequences(let sequences) = plan.data { sequences.length } else { nil }
    return (
      claims.flatMap { $0 == .learnedLags ? learned.findings() : evidence.findings(of: $0) },
      SweptFlow(evidence, axes: [:], length: length, claims: claims)
    )
  }

  /// Chains over which the information of sets of lags is averaged.
  private static let surveyedChains = 1000

  /// The sets of lags with a share of their own, and the columns of these shares.
  ///
  /// Of the polynomial kernel alone they are those of the own lags of every set of heads; of a full transformer all that
  /// its heads can see together.
  private var lagSets: [(lags: [Int], columns: [String])] {
    if let loss = loss as? GIHObjective {
      var sets: [(lags: [Int], columns: [String])] = []
      for subset in loss.model.coefficientSubsets where !subset.isEmpty {
        let lags = Set(subset.map { loss.model.heads[$0].ownLag }).sorted()
        let column = "share.\(GIHTransformer.name(of: subset))"
        if let place = sets.firstIndex(where: { $0.lags == lags }) {
          sets[place].columns.append(column)
        } else {
          sets.append((lags, [column]))
        }
      }
      return sets
    }
    let model = plan.settings.model
    let largest =
      model.layers?.upper != nil
      ? plan.model.window : model.isPolynomial ? model.degree : model.heads
    let seen = Set(plan.model.windowShape.lags)
    return LagSets.all(window: plan.model.window, largest: min(largest, plan.model.window))
      .filter { $0.allSatisfy(seen.contains) }
      .map { ($0, ["share.\(LagSets.name($0))"]) }
  }

  /// These sets with their information in the first chains; none where these are unknown.
  private var candidates: [LearnedLags.Candidate] {
    let source: SequenceSampler.Source
    let (parents, seed): ([Int], UInt64)
    let count: Int
    switch (plan.settings.data.source, plan.data) {
    case (.chains(let chains), .sequences(let sequences)):
      guard let sampled = sequences as? SampledSequences else { return [] }
      (source, parents) = (sampled.sampler.source, chains.parents)
      (seed, count) = (UInt64(plan.settings.data.seed), chains.sequences)
    case (.population(let population), .population(let own, let chains, let ownSeed)):
      (source, parents, seed, count) = (own, population.parents, ownSeed, chains.count)
    default: return []
    }
    let sets = lagSets
    var measures = InformationMeasures(
      vocabulary: plan.model.vocabulary, parents: parents, lagSets: sets.map(\.lags))
    var found: [LearnedLags.Candidate] = sets.map { ($0.lags, $0.columns, []) }
    for index in 0..<min(count, Self.surveyedChains) {
      let chain = source.chain(seed: seed, index: UInt64(index))
      for (i, information) in measures.measure(chain).enumerated() {
        // A prediction that is taken as logits has another first-order slope.
        found[i].informations.append(
          plan.model.loss.seesEveryToken ? information.logits : information.modified)
      }
    }
    return found
  }

  func batches() -> (any BatchSource)? { InductionHeadBatches(plan: plan) }

  /// α, if the chains come from a prior.
  private var concentration: Double? { plan.settings.data.kernels?.concentration }

  /// The same data with counts of every token; nil where the kernels are not known.
  private func comparison(_ loss: GIHObjective) -> GIHObjective? {
    switch plan.data {
    case .population: return loss
    case .sequences(let sequences):
      guard sequences.knowsTargetLaw else { return nil }
      let model = loss.model
      if case .corpus(let corpus) = loss.data, corpus.columns == model.vocabulary { return loss }
      return GIHObjective(
        model: model,
        corpus: CompressedCorpus(
          sequences, shape: model.windowShape, targets: .expected, pairs: .upToRelabelling,
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
