import Foundation
import MarkovChains
import MixedTargets
import Testing

@Suite struct BigramTransformerTests {
  private static func comparison(
    _ form: ComparisonMatrix.Form = .random, _ d: Int, _ norm: Double
  ) -> ComparisonMatrix {
    var stream = RandomStream(seed: 5, purpose: .parameters, index: UInt64(d))
    return ComparisonMatrix(form, dimension: d, norm: norm, from: &stream)
  }

  /// Both read-outs as they are defined, with 600 bits, and then their difference.
  private static func exactError(_ transformer: BigramTransformer, _ x: RealTokens) -> Double {
    let (d, length) = (x.dimension, x.length)
    let w = transformer.comparison.entries
    // The program takes e^{−p} as a Double; so does this.
    let q = FixedPoint(exp(-transformer.rate))
    func token(_ s: Int) -> [FixedPoint] { (0..<d).map { FixedPoint(x[position: s, $0]) } }
    func logit(_ key: [FixedPoint]) -> FixedPoint {
      var sum = FixedPoint(0)
      for (a, query) in token(length).enumerated() {
        for b in 0..<d { sum = sum + query * FixedPoint(w[a * d + b]) * key[b] }
      }
      return sum
    }
    func readOut(_ key: (Int) -> [FixedPoint]) -> [FixedPoint] {
      var (sums, mass) = ([FixedPoint](repeating: FixedPoint(0), count: d), FixedPoint(0))
      for s in 2..<length {
        let weight = logit(key(s)).exponential
        mass = mass + weight
        for (c, value) in token(s).enumerated() { sums[c] = sums[c] + weight * value }
      }
      return sums.map { $0 / mass }
    }
    let exact = readOut { token($0 - 1) }
    let transformed = readOut { s in
      var (sums, mass, weight) = (
        [FixedPoint](repeating: FixedPoint(0), count: d), FixedPoint(0), FixedPoint(1)
      )
      for τ in stride(from: s - 1, to: 0, by: -1) {
        mass = mass + weight
        for (c, value) in token(τ).enumerated() { sums[c] = sums[c] + weight * value }
        weight = weight * q
      }
      return sums.map { $0 / mass }
    }
    return zip(exact, transformed).map { abs(($0 - $1).double) }.max() ?? 0
  }

  @Test(arguments: [0.5, 3, 10, 20, 30, 60])
  func errorsKeepTheirRelativeAccuracy(rate: Double) {
    for (d, norm) in [(1, 0.5), (2, 3.0), (3, 40.0)] {
      var stream = RandomStream(seed: 9, purpose: .tokens, index: UInt64(d))
      let tokens = RealTokens.uniform(length: 9, dimension: d, from: &stream)
      let transformer = BigramTransformer(comparison: Self.comparison(.random, d, norm), rate: rate)
      let (error, exact) = (transformer.error(on: tokens), Self.exactError(transformer, tokens))
      // A few dozen roundings, and differences of terms about ten times the result.
      #expect(abs(error / exact - 1) < 1e-12, "d = \(d): \(error) beside \(exact)")
      #expect(error > 0 && error <= transformer.bound)
    }
  }

  /// δ_s = ∓2w q/(1 + q) on tokens ±1: the error is half of all mass moved by that, each way.
  @Test(arguments: [1.0, 4, 12, 30], [ComparisonMatrix.Form.diagonal, .ones])
  func alternatingSignsAttainTheBound(rate: Double, form: ComparisonMatrix.Form) {
    let d = 3
    let comparison = Self.comparison(form, d, 1e-5)
    let (query, key) = comparison.worstSigns
    let tokens = RealTokens.squareWave(length: 4002, block: 1, key: key, last: query)
    let transformer = BigramTransformer(comparison: comparison, rate: rate)
    let ratio = transformer.error(on: tokens) / transformer.bound
    // The first few positions have other keys, and W* is not quite 0.
    #expect(abs(ratio * (1 + exp(-rate)) - 1) < 2e-3, "\(ratio)")
  }

  @Test func noInputExceedsTheBound() {
    for seed in 0..<40 as Range<UInt64> {
      var stream = RandomStream(seed: seed, purpose: .tokens, index: 1)
      let d = 1 + Int(seed % 4)
      let comparison = Self.comparison(.random, d, exp(4 * stream.uniform() - 2))
      let transformer = BigramTransformer(comparison: comparison, rate: 8 * stream.uniform())
      for input in TokenInput.allCases {
        for tokens in RealTokens.all(
          of: input, length: 40, against: comparison, samples: 3, from: &stream)
        {
          #expect(transformer.error(on: tokens) <= transformer.bound, "seed \(seed)")
        }
      }
    }
  }

  @Test func tokensLieWithinTheirRange() {
    var stream = RandomStream(seed: 3, purpose: .tokens, index: 0)
    let comparison = Self.comparison(.random, 5, 2)
    #expect(abs(comparison.norm - 2) < 1e-14)
    for input in TokenInput.allCases {
      let all = RealTokens.all(
        of: input, length: 30, against: comparison, samples: 4, from: &stream)
      #expect(all.count == (input == .squareWaves ? 4 : 4))
      for tokens in all {
        #expect(tokens.length == 30 && tokens.dimension == 5)
        #expect(tokens.values.allSatisfy { abs($0) <= 1 })
      }
    }
  }

  /// Two groups that move by ±η and change places, the case in which the bound is attained.
  @Test(arguments: [1e-9, 0.1, 1, 1.5, 6])
  func theReadOutBoundIsSharp(η: Double) {
    func change(_ logits: [Double]) -> Double {
      SoftmaxReadOut.change(
        logits: logits, perturbations: [η, -η], tokens: [1, -1][...], dimension: 1)
    }
    // From odds e^{−η} to e^{η}; from any others less far.
    let bound = SoftmaxReadOut.bound(perturbation: η)
    #expect(abs(change([-η / 2, η / 2]) / bound - 1) < 1e-12)
    for difference in [-3, -0.2, 0, 0.3, 2] {
      #expect(change([-η / 2 + difference, η / 2]) <= bound * (1 + 1e-12))
    }
    #expect(change([-η / 2 + 1, η / 2]) < 0.999 * bound)
  }

  @Test func rowsDoNotDependOnTheThreads() {
    let study = BigramStudy(
      dimensions: [1, 3], norms: [0.1, 2], form: .random, lengths: [5, 200], rates: [1, 25],
      sampling: Sampling(seed: 4, samples: 3, inputs: TokenInput.allCases))
    let rows = study.rows(threads: 1) { false }
    #expect(rows.count == 2 * 2 * 2 * 3 * 2)
    #expect(rows == study.rows(threads: 3) { false })
    #expect(rows.allSatisfy { $0.result.holds })
    #expect(study.rows(threads: 2) { true }.isEmpty)
  }
}
