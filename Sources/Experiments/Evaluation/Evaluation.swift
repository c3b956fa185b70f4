import Corpora
import FlowAnalysis
import InductionHeads
import MarkovChains
import ParallelLoops
import RunRecords

/// A trained transformer on fresh chains of other lengths and priors, beside what can be known of them.
///
/// Sequence i has the same chain and the same first tokens at every length, so that differences between lengths
/// are paired. Losses are expected over the next token, whose law is known.
struct Evaluation: Sendable {
  let model: any WindowModel
  let parameters: [Double]
  /// Where the chains come from, for each prior: α, or nil where a file has the kernel.
  let sources: [(concentration: Double?, source: SequenceSampler.Source)]
  let start: SequenceSampler.Start
  let seed: UInt64
  let settings: EvaluationSettings
  let threads: Int

  /// Who predicts.
  enum Predictor: Hashable, Sendable {
    /// The trained model.
    case model
    /// GIH(S*): c on the leading subset alone, its heads one-hot on their own lags, a as trained.
    case limit([Int])
    /// The law that the token is drawn from.
    case kernel
    /// The posterior of that law given the sequence and the prior; see `InContextPredictor`.
    case posterior
    /// All tokens alike.
    case uniform

    var name: String {
      switch self {
      case .model: "model"
      case .limit(let subset): "GIH(\(GIHTransformer.notation(of: subset)))"
      case .kernel: "true kernel"
      case .posterior: "in-context Bayes"
      case .uniform: "uniform"
      }
    }
  }

  /// The mean loss of one predictor on one corpus.
  struct Row: Sendable {
    let concentration: Double?
    let length: Int
    let predictor: Predictor
    let loss: Estimate
    /// How much more than the loss of the true kernel, from paired differences.
    let excess: Estimate
    /// By how much the excess lies below that at the length before; nil at the first.
    ///
    /// From the stationary law a context is the same at every length, and so is the mean loss of the true kernel: in
    /// the mean this is the drop of the loss, without the scatter of what no predictor can know.
    let drop: Estimate?

    /// The same for claims about it.
    var freshLoss: FreshLoss {
      FreshLoss(concentration: concentration, length: length, loss: loss, drop: drop)
    }
  }

  /// Evaluates.
  ///
  /// - Parameter isStopped: asked between corpora.
  /// - Returns: rows by concentration, length and predictor; none if it was stopped.
  func rows(isStopped: () -> Bool = { false }) -> [Row] {
    var rows: [Row] = []
    for (concentration, source) in sources {
      var before: [Predictor: [Double]] = [:]
      for length in settings.lengths.sorted() {
        if isStopped() { return [] }
        let losses = losses(source, concentration, length: length)
        guard let kernel = losses[.kernel] else { continue }
        for predictor in predictors {
          guard let own = losses[predictor] else { continue }
          let excess = zip(own, kernel).map { $0 - $1 }
          rows.append(
            Row(
              concentration: concentration, length: length, predictor: predictor,
              loss: Estimate(meanOf: own), excess: Estimate(meanOf: excess),
              drop: before[predictor].map { before in
                Estimate(meanOf: zip(before, excess).map { $0 - $1 })
              }))
          before[predictor] = excess
        }
      }
    }
    return rows
  }

  /// GIH(S*) and its parameters, with the subset S* of the largest share; nil of a full transformer.
  private var limit: (predictor: Predictor, parameters: [Double])? {
    guard let model = model as? GIHTransformer else { return nil }
    let leader = model.coefficientSubsets[model.leader(at: parameters.span)]
    return (.limit(leader), model.limitParameters(of: leader, from: parameters))
  }

  private var predictors: [Predictor] {
    [.model] + (limit.map { [$0.predictor] } ?? []) + [.kernel, .posterior, .uniform]
  }

  /// The most tokens that are held at a time.
  private static let chunkTokens = 4_000_000

  /// The loss of every sequence by predictor.
  private func losses(
    _ source: SequenceSampler.Source, _ concentration: Double?, length: Int
  ) -> [Predictor: [Double]] {
    let sequences = SampledSequences(
      SequenceSampler(source: source, start: start, seed: seed), count: settings.sequences,
      length: length)
    let chunk = max(1000, Self.chunkTokens / (length + 1))
    var losses: [Predictor: [Double]] = [:]
    for first in stride(from: 0, to: settings.sequences, by: chunk) {
      let members = Array(first..<min(first + chunk, settings.sequences))
      let some = ChosenSequences(members, of: sequences)
      losses.merge(simple(some, concentration)) { $0 + $1 }
      losses.merge(trained(some, length: length)) { $0 + $1 }
    }
    return losses
  }

  /// The losses of the model and of its limit.
  private func trained(_ sequences: ChosenSequences, length: Int) -> [Predictor: [Double]] {
    // Weights of other positions than those of the training are not there.
    if let own = model.windowShape.length, own != length { return [:] }
    let corpus = CompressedCorpus(
      sequences, shape: model.windowShape, targets: .expected, pairs: model.pairs, threads: threads)
    let objective = model.objective(
      WindowLoss(model, corpus: corpus, length: length, completeShare: nil, threads: threads))
    var losses: [Predictor: [Double]] = [:]
    for (predictor, theta) in [(Predictor.model, parameters)] + (limit.map { [$0] } ?? []) {
      guard let predictions = objective.predictions(at: theta) else { continue }
      let d = model.vocabulary
      var own = [Double](repeating: 0, count: sequences.sequenceCount)
      for (s, index) in corpus.sourceIndices.enumerated() {
        own[index] = model.loss.value(
          of: predictions.outputs[s * d..<(s + 1) * d],
          weights: corpus.targetWeights[s * d..<(s + 1) * d])
      }
      losses[predictor] = own
    }
    return losses
  }

  /// The losses of those who see tokens and kernel.
  private func simple(
    _ sequences: ChosenSequences, _ concentration: Double?
  ) -> [Predictor: [Double]] {
    // These are laws, whatever the model's outputs are taken for.
    let loss = OutputLoss.logProbability(floor: model.loss.floor ?? 0)
    let d = model.vocabulary
    let posterior = concentration.map { concentration in
      InContextPredictor(
        vocabulary: d, parents: parents, concentration: concentration)
    }
    let uniform = [Double](repeating: 1 / Double(d), count: d)
    let lanes = inLanes(sequences.sequenceCount, threads: threads) { range in
      let reader = sequences.makeReader()
      var tokens = [UInt8](repeating: 0, count: sequences.length + 1)
      var law = [Double](repeating: 0, count: d)
      return range.map { index -> (kernel: Double, posterior: Double, uniform: Double) in
        tokens.withUnsafeMutableBufferPointer { reader.read(index, into: $0) }
        law.withUnsafeMutableBufferPointer { reader.targetLaw(into: $0) }
        return (
          loss.value(of: law, weights: law),
          posterior.map { loss.value(of: $0.law(of: tokens.span), weights: law) } ?? .nan,
          loss.value(of: uniform, weights: law)
        )
      }
    }.flatMap { $0 }
    var losses: [Predictor: [Double]] = [
      .kernel: lanes.map(\.kernel), .uniform: lanes.map(\.uniform),
    ]
    if posterior != nil { losses[.posterior] = lanes.map(\.posterior) }
    return losses
  }

  private var parents: [Int] {
    switch sources[0].source {
    case .prior(let prior): prior.parents
    case .chain(let chain): chain.parents
    }
  }
}

extension Evaluation {
  /// The losses of the trained model.
  static func modelLosses(_ rows: [Row]) -> [FreshLoss] {
    rows.filter { $0.predictor == .model }.map(\.freshLoss)
  }

  /// `evaluation.csv`.
  static func table(_ rows: [Row], sequences: Int) -> Table {
    var table = Table(columns: [
      "concentration", "length", "sequences", "predictor", "loss", "loss_se", "excess",
      "excess_se", "drop", "drop_se",
    ])
    for row in rows {
      table.append([
        row.concentration.map { .real($0) } ?? .empty, .integer(row.length), .integer(sequences),
        .text(row.predictor.name), .real(row.loss.value), .real(row.loss.standardError),
        .real(row.excess.value), .real(row.excess.standardError),
        row.drop.map { .real($0.value) } ?? .empty,
        row.drop.map { .real($0.standardError) } ?? .empty,
      ])
    }
    return table
  }
}
