import ArgumentParser
import Corpora
import InductionHeads
import MarkovChains
import Objectives

/// The data and the model of a benchmark: chains with parents 1 and 2, heads that see the whole window.
struct BenchmarkProblem {
  var sequences = 10_000
  /// K, chains in infinite context; 0 for sequences of finite length.
  var chains = 0
  var length = 100
  var vocabulary = 3
  var window = 3
  var heads = 3
  var degree = 2
  var concentration = 0.1
  /// Hidden units and features of a network in the place of the polynomial kernel; 0 for none.
  var network = 0

  /// The full transformer: content, value maps, and a network with GELU and layer normalisation.
  var fullModel: FullTransformer {
    FullTransformer(
      vocabulary: vocabulary, attention: [.init(heads: model.heads)],
      comparison: .innerProduct(
        .init(hidden: network, features: network, activation: .gelu, normFloor: 1e-5),
        isBilinear: false), loss: model.loss)
  }

  var model: GIHTransformer {
    GIHTransformer(
      vocabulary: vocabulary,
      heads: (1...heads).map { GIHTransformer.Head(lags: Array(1...window), ownLag: $0) },
      window: window, degree: degree, loss: .logProbability(floor: 1e-6))
  }

  /// The paper's start, but for a, and a point beside it: attention on the own lags, where all groups have
  /// a gradient.
  var points: [[Double]] {
    [3, 3.01].map { model.initialParameters(ownWeight: $0, otherWeight: 0, scale: 1) }
  }

  /// The sequences, in windows of a shape.
  private func corpus(_ model: some WindowModel, threads: Int) -> CompressedCorpus {
    let prior = DirichletPrior(
      vocabulary: vocabulary, parents: [1, 2], concentration: concentration)
    let sampler = SequenceSampler(source: .prior(prior), start: .stationary, seed: 1)
    return CompressedCorpus(
      SampledSequences(sampler, count: sequences, length: length), shape: model.windowShape,
      targets: .sampled, pairs: model.pairs, threads: threads)
  }

  /// The same with the full transformer, on sequences of finite length, and two points beside each other.
  func full(threads: Int) -> (objective: FullObjective, points: [[Double]]) {
    let model = fullModel
    var draws = RandomStream(seed: 1, purpose: .parameters, index: 0)
    let start = model.initialParameters(
      FullTransformer.Start(
        ownWeight: 3, otherWeight: 0, projection: 0.01, valueMap: 1, scale: 1)
    ) { draws.normal() }
    return (
      FullObjective(
        model: model, corpus: corpus(model, threads: threads), length: length, threads: threads),
      [start, start.map { $0 * 1.001 }]
    )
  }

  /// Samples, compresses, and prepares the objective.
  func objective(threads: Int) -> GIHObjective {
    let prior = DirichletPrior(
      vocabulary: vocabulary, parents: [1, 2], concentration: concentration)
    if chains > 0 {
      return GIHObjective(
        model: model,
        population: PopulationLaw(
          chains: (0..<chains).map { prior.chain(seed: 1, index: UInt64($0)) },
          shape: model.windowShape, threads: threads))
    }
    return GIHObjective(
      model: model, corpus: corpus(model, threads: threads), length: length, threads: threads)
  }
}

/// Refuses a value of an option outside its range.
func check(_ option: String, _ value: Int, _ range: ClosedRange<Int>) throws {
  guard range.contains(value) else {
    throw ValidationError(
      "--\(option) is \(value); allowed is \(range.lowerBound)…\(range.upperBound).")
  }
}

/// Milliseconds of the median repetition, after one that is not counted; each gets another one of the
/// points, so that nothing can be left over from the last.
func medianMilliseconds(
  _ repetitions: Int, at points: [[Double]], _ body: ([Double]) -> Void
) -> Double {
  body(points[points.count - 1])
  let times = (0..<repetitions).map { i in milliseconds { body(points[i % points.count]) } }
  return times.sorted()[times.count / 2]
}

/// Milliseconds of one call.
func milliseconds(_ body: () -> Void) -> Double {
  let time = ContinuousClock().measure(body)
  return Double(time.components.seconds) * 1e3 + Double(time.components.attoseconds) / 1e15
}
