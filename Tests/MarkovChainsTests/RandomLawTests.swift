import Foundation
import MarkovChains
import Testing

/// The Kolmogorov–Smirnov statistic √n sup |F_n − F|; above 1.95 with probability .001.
func kolmogorovSmirnov(_ sample: [Double], _ law: (Double) -> Double) -> Double {
  let n = Double(sample.count)
  var largest = 0.0
  for (i, x) in sample.sorted().enumerated() {
    let f = law(x)
    largest = max(largest, f - Double(i) / n, Double(i + 1) / n - f)
  }
  return largest * n.squareRoot()
}

/// P(log G ≤ y) for G of law Gamma(α, 1), by the power series; good for α up to about 100.
func logGammaLaw(_ y: Double, shape α: Double) -> Double {
  let x = exp(y)
  var term = 1.0
  var sum = 1.0
  var k = 1.0
  while term > 1e-17 * sum {
    term *= x / (α + k)
    sum += term
    k += 1
  }
  return exp(α * y - x - lgamma(α + 1)) * sum
}

/// ψ(x) and ψ′(x), by recurrence to x ≥ 20 and the asymptotic series.
func polygamma(_ x: Double) -> (digamma: Double, trigamma: Double) {
  var x = x
  var digamma = 0.0
  var trigamma = 0.0
  while x < 20 {
    digamma -= 1 / x
    trigamma += 1 / (x * x)
    x += 1
  }
  let q = 1 / (x * x)
  digamma += log(x) - 1 / (2 * x) - q * (1.0 / 12 - q * (1.0 / 120 - q / 252))
  trigamma += 1 / x + q / 2 + q / x * (1.0 / 6 - q * (1.0 / 30 - q / 42))
  return (digamma, trigamma)
}

@Suite struct RandomLawTests {
  static let count = 40_000

  @Test func uniformVariatesAreUniform() {
    var stream = RandomStream(seed: 11, purpose: .tokens, index: 0)
    let sample = (0..<Self.count).map { _ in stream.uniform() }
    #expect(kolmogorovSmirnov(sample) { $0 } < 1.95)
    // Mean of u and of u²: standard errors .289/√n and .298/√n.
    let root = Double(Self.count).squareRoot()
    #expect(abs(sample.reduce(0, +) / Double(Self.count) - 0.5) < 4 * 0.289 / root)
    let square = sample.reduce(0) { $0 + $1 * $1 } / Double(Self.count)
    #expect(abs(square - 1.0 / 3) < 4 * 0.298 / root)
  }

  /// The first variates of streams 0, 1, 2, … are as good as the variates of one stream.
  @Test func firstVariatesOfConsecutiveStreamsAreUniform() {
    let sample = (0..<UInt64(Self.count)).map { index in
      var stream = RandomStream(seed: 3, purpose: .tokens, index: index)
      return stream.uniform()
    }
    #expect(kolmogorovSmirnov(sample) { $0 } < 1.95)
    let mean = zip(sample, sample.dropFirst()).reduce(0) { $0 + ($1.0 - 0.5) * ($1.1 - 0.5) }
    #expect(abs(mean) * 12 < 4 * Double(Self.count).squareRoot())  // lag-one correlation
  }

  @Test func normalVariatesAreNormal() {
    var stream = RandomStream(seed: 12, purpose: .parameters, index: 0)
    let sample = (0..<Self.count).map { _ in stream.normal() }
    #expect(kolmogorovSmirnov(sample) { 0.5 * erfc(-$0 / 2.0.squareRoot()) } < 1.95)
    // E x, x², x³, x⁴ = 0, 1, 0, 3 with variances 1, 2, 15, 96.
    for (power, (mean, variance)) in zip(1..., [(0.0, 1.0), (1, 2), (0, 15), (3, 96)]) {
      let moment = sample.reduce(0) { $0 + pow($1, Double(power)) } / Double(Self.count)
      #expect(abs(moment - mean) < 4 * (variance / Double(Self.count)).squareRoot())
    }
    // The two variates of a pair are independent.
    let pairs = stride(from: 0, to: Self.count, by: 2).reduce(0.0) {
      $0 + sample[$1] * sample[$1 + 1]
    }
    #expect(abs(pairs) < 4 * Double(Self.count / 2).squareRoot())
  }

  @Test(arguments: [1e-8, 1e-3, 0.05, 0.1, 0.5, 0.99, 1, 3, 30])
  func gammaVariatesHaveTheirLaw(shape: Double) {
    var stream = RandomStream(seed: 13, purpose: .kernels, index: 0)
    let sample = (0..<Self.count).map { _ in stream.logGamma(shape: shape) }
    #expect(sample.allSatisfy { $0.isFinite })
    #expect(kolmogorovSmirnov(sample) { logGammaLaw($0, shape: shape) } < 1.95)
  }

  @Test func theGammaCheckNoticesAnotherShape() {
    var stream = RandomStream(seed: 13, purpose: .kernels, index: 0)
    let sample = (0..<Self.count).map { _ in stream.logGamma(shape: 0.1) }
    #expect(kolmogorovSmirnov(sample) { logGammaLaw($0, shape: 0.105) } > 1.95)
  }

  /// E log G = ψ(α), Var log G = ψ′(α).
  @Test(arguments: [1e-8, 1e-3, 0.1, 1, 30, 1e4, 1e8])
  func logarithmsOfGammaVariatesHaveTheirMoments(shape: Double) {
    var stream = RandomStream(seed: 14, purpose: .kernels, index: 0)
    let expected = polygamma(shape)
    let scale = expected.trigamma.squareRoot()
    let sample = (0..<Self.count).map { _ in
      (stream.logGamma(shape: shape) - expected.digamma) / scale
    }
    let n = Double(Self.count)
    #expect(abs(sample.reduce(0, +) / n) < 4 / n.squareRoot())
    // The fourth moment of a standardised log-gamma is at most 9 (the exponential, α → 0).
    let variance = sample.reduce(0) { $0 + $1 * $1 } / n
    #expect(abs(variance - 1) < 4 * (8 / n).squareRoot())
  }
}
