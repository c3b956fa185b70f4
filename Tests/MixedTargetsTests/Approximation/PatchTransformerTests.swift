import Foundation
import MarkovChains
import MixedTargets
import Testing

@Suite struct PatchTransformerTests {
  /// Both outputs as they are defined, with every attention matrix written out.
  private static func naiveError(_ transformer: PatchTransformer, _ x: RealTokens) -> Double {
    let (n, d, length) = (transformer.order, x.dimension, x.length)
    let scale = transformer.norm / Double((n - 1) * d)
    let nodes = transformer.kernels[0].nodes.values
    func token(_ s: Int) -> [Double] { (0..<d).map { x[position: s, $0] } }
    func slot(_ lag: Int, _ s: Int) -> [Double] {
      var sum = [Double](repeating: 0, count: d)
      for (h, q) in nodes.enumerated() {
        let attention = (1..<s).map { pow(q, Double(s - 1 - $0)) }
        let mass = attention.reduce(0, +)
        for (weight, τ) in zip(attention, 1..<s) {
          for c in 0..<d {
            sum[c] += transformer.kernels[lag - 1].outputWeights[h] * weight / mass * token(τ)[c]
          }
        }
      }
      return sum
    }
    func readOut(query: (Int) -> [Double], key: (Int, Int) -> [Double]) -> [Double] {
      let logits = (n..<length).map { s in
        scale
          * (1..<n).reduce(0.0) { sum, i in
            sum + zip(query(i), key(i, s)).reduce(0) { $0 + $1.0 * $1.1 }
          }
      }
      let masses = logits.map { exp($0) }
      let total = masses.reduce(0, +)
      return (0..<d).map { c in
        zip(masses, n..<length).reduce(0) { $0 + $1.0 * token($1.1)[c] } / total
      }
    }
    let exact = readOut(query: { token(length - $0 + 1) }, key: { token($1 - $0) })
    let transformed = readOut(
      query: { $0 == 1 ? token(length) : slot($0 - 1, length) }, key: { slot($0, $1) })
    return zip(exact, transformed).map { abs($0 - $1) }.max() ?? 0
  }

  @Test(arguments: [(2, 1, 1), (2, 3, 2), (3, 3, 1), (4, 4, 2), (5, 6, 1)])
  func agreesWithTheDefinition(order: Int, heads: Int, dimension: Int) {
    for choice in LagKernel.NodeChoice.allCases {
      let transformer = PatchTransformer(
        order: order, heads: heads, nodes: choice, budget: 1e4, largestRate: 20,
        dimension: dimension, norm: 1.5)
      var stream = RandomStream(seed: 2, purpose: .tokens, index: UInt64(order))
      let tokens = RealTokens.uniform(length: 17, dimension: dimension, from: &stream)
      let (error, naive) = (transformer.error(on: tokens), Self.naiveError(transformer, tokens))
      // Rounding in the naive sums, and in slots whose weights go up to 10⁴.
      #expect(abs(error - naive) < 1e-11, "\(choice): \(error) beside \(naive)")
      #expect(naive <= transformer.bound)
    }
  }

  /// One head of weight 1 for one lag is the transformer of IH₂.
  @Test func orderTwoWithOneHeadIsTheBigramTransformer() {
    for rate in [1.0, 6, 15] {
      let q = exp(-rate)
      let kernel = LagKernel(
        lag: 1, nodes: AttentionNodes([q]), amplitudes: [1 - q])
      #expect(abs(kernel.error / (2 * q) - 1) < 1e-9)
      let patches = PatchTransformer(kernels: [kernel], dimension: 2, norm: 0.8)
      var stream = RandomStream(seed: 3, purpose: .tokens, index: 0)
      let comparison = ComparisonMatrix(.diagonal, dimension: 2, norm: 0.8, from: &stream)
      let bigrams = BigramTransformer(comparison: comparison, rate: rate)
      let tokens = RealTokens.uniform(length: 60, dimension: 2, from: &stream)
      let (a, b) = (patches.error(on: tokens), bigrams.error(on: tokens))
      #expect(abs(a - b) < 1e-15 + 1e-9 * b)
      #expect(abs(patches.bound - 2 * tanh(0.4 * 2 * q)) < 1e-13)
    }
  }

  /// Long blocks feel all of the tail with one sign, in keys and in the query.
  @Test(arguments: [2, 3, 5])
  func squareWavesComeCloseToTheBound(order: Int) throws {
    let transformer = PatchTransformer(
      order: order, heads: order - 1, nodes: .optimised, budget: 1e5, largestRate: 20,
      dimension: 1, norm: 1e-3)
    var stream = RandomStream(seed: 3, purpose: .tokens, index: 0)
    let comparison = ComparisonMatrix(.diagonal, dimension: 1, norm: 1e-3, from: &stream)
    let ratio = RealTokens.all(
      of: .squareWaves, length: 2048, against: comparison, samples: 1, from: &stream
    ).map { transformer.error(on: $0) / transformer.bound }.max()
    let largest = try #require(ratio)
    #expect(largest > 0.8 && largest <= 1, "\(largest)")
  }

  /// A slot of lag 1 that is a tenth too large: half of the error comes from the query.
  @Test func errorsOfTheQueryCount() throws {
    let nodes = AttentionNodes([0.01, 0.005])
    let exact = try #require(LagKernel.interpolating(lag: 1, nodes: nodes))
    let second = try #require(LagKernel.interpolating(lag: 2, nodes: nodes))
    let first = LagKernel(lag: 1, nodes: nodes, amplitudes: exact.amplitudes.map { 1.1 * $0 })
    let transformer = PatchTransformer(kernels: [first, second], dimension: 1, norm: 1e-3)
    let tokens = RealTokens.squareWave(length: 4097, block: 64, key: [1], last: [1])
    let ratio = transformer.error(on: tokens) / transformer.bound
    #expect(ratio > 0.9 && ratio <= 1, "\(ratio)")
  }

  @Test func noInputExceedsTheBound() {
    for order in 2...5 {
      for heads in [order - 1, order + 2] {
        let study = PatchStudy(
          order: order, heads: [heads], choices: LagKernel.NodeChoice.allCases,
          budgets: [20, 1e5, 1e11], largestRate: 30, dimension: 1 + order % 2, norm: 2,
          length: 150, sampling: Sampling(seed: 8, samples: 5, inputs: TokenInput.allCases))
        let rows = study.rows(threads: 1) { false }
        #expect(rows.count == 18)
        #expect(rows.allSatisfy { $0.result.holds })
        #expect(rows == study.rows(threads: 2) { false })
      }
    }
  }
}
