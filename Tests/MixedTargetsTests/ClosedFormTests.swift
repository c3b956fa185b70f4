import Foundation
import MixedTargets
import Objectives
import Testing

@Suite struct ClosedFormTests {
  private func fourGram(_ theta: [Double], length: Int?, proportion: Double = 0.8) -> Double {
    let target = MixedTarget(proportion: proportion, weight: 0.5, length: length)
    return MixedObjective(target, MixedTransformer(), induction: .reduced, origin: theta)
      .lossParts(at: theta.span).fourGram
  }

  /// L_G4 from the coefficients of every token, as the softmaxes of both layers have them.
  private func naive(_ theta: [Double], length: Int, proportion: Double = 0.8) -> Double {
    let (p1, p, v1) = (theta[0], theta[1], theta[2])
    let a = proportion / (1 + proportion)
    var coefficients = [Double](repeating: 0, count: length + 1)
    let second = (2...length - 1).map { exp(-p * Double(length - 1 - $0)) }
    for (s, weight) in zip(2...length - 1, second) {
      let first = (1..<s).map {
        p1 == .infinity ? ($0 == s - 1 ? 1 : 0) : exp(-p1 * Double(s - 1 - $0))
      }
      for (token, own) in zip(1..<s, first) {
        coefficients[token] +=
          v1 * weight / second.reduce(0, +) * own / first.reduce(0, +)
      }
    }
    coefficients[length - 2] -= a
    return coefficients.reduce(0) { $0 + $1 * $1 } / 2
  }

  @Test(
    arguments: [(0.7, 0.3), (0.02, 1e-3), (.infinity, 0.4), (.infinity, 1e-6), (2.5, 4)],
    [4, 5, 60])
  func fourGramPartIsThatOfTheDefinition(rates: (Double, Double), length: Int) {
    let theta = [rates.0, rates.1, 0.35, 0.1, 0.1, 0.1]
    let expected = naive(theta, length: length)
    #expect(abs(fourGram(theta, length: length) - expected) < 1e-12 * expected)
  }

  @Test(arguments: [(0.7, 0.3), (.infinity, 0.4), (2.5, 4), (9, 12)])
  func infiniteLengthIsTheLimit(rates: (Double, Double)) {
    let theta = [rates.0, rates.1, 0.44, 0.1, 0.1, 0.1]
    let expected = naive(theta, length: 400)
    #expect(abs(fourGram(theta, length: nil) - expected) < 1e-10 * expected)
  }

  /// On the slow manifold L_G4 = ½a²q², however small q is.
  @Test func nothingCancelsAtTheEnd() {
    let a = 0.8 / 1.8
    for p in [5.0, 10, 14] {
      let q = exp(-p)
      let found = fourGram([.infinity, p, a * (1 + q), 0.1, 0.1, 0.1], length: 1000)
      #expect(abs(found / (a * a * q * q / 2) - 1) < 1e-9)
    }
  }

  @Test(arguments: [0.3, 0.5, 0.7])
  func reducedPartIsTheStatedFormula(weight: Double) {
    let target = MixedTarget(proportion: 1.5, weight: weight, length: 102)
    let (c, m) = (target.inductionShare, target.product)
    for (v, w) in [(0.2, 0.1), (0.4, 0.5), (0.41, weight * 1.001)] {
      let theta = [.infinity, 1, 0.3, v, w, w]
      let k = w * w
      let expected =
        (v * v / (1 - 2 * k * k).squareRoot() - 2 * c * v / (1 - 2 * k * m).squareRoot()
          + c * c / (1 - 2 * m * m).squareRoot()) / 200
      let objective = MixedObjective(target, MixedTransformer(), induction: .reduced, origin: theta)
      #expect(abs(objective.lossParts(at: theta.span).induction - expected) < 1e-15)
      #expect(
        abs(objective.plateau - c * c * (1 / (1 - 2 * m * m).squareRoot() - 1) / 200) < 1e-17)
    }
  }

  /// d independent copies where K is a multiple of the identity: the determinant is a power.
  @Test(arguments: [2, 4])
  func severalDimensionsByADeterminant(dimension: Int) {
    let target = MixedTarget(proportion: 1, weight: 0.6, dimension: dimension, length: 50)
    let transformer = MixedTransformer(dimension: dimension)
    let theta =
      [.infinity, 1, 0.3, 0.3] + transformer.initialParameters(size: 0.4, firstRate: 1)[4...]
    let (k, m, d) = (0.16, 0.36, Double(dimension))
    func power(_ x: Double) -> Double { d * pow(1 - 2 * x, -d / 2) }
    let expected = (0.09 * power(k * k) - 0.3 * power(k * m) + 0.25 * power(m * m)) / 96
    let objective = MixedObjective(target, transformer, induction: .reduced, origin: theta)
    #expect(abs(objective.lossParts(at: theta.span).induction - expected) < 1e-14)
  }

  /// The leading order is what a large sample tends to, for finite p₁ too: within its error and O(1/N).
  @Test(arguments: [0.8, Double.infinity])
  func leadingOrderIsTheLimitOfSamples(firstRate: Double) {
    let target = MixedTarget(proportion: 1, weight: 0.5, length: 402)
    let sample = GaussianSample(count: 20_000, length: 402, seed: 2, threads: 2)
    let theta = [firstRate, 1, 0.3, 0.4, 0.5, 0.6]
    let parts = [MixedObjective.Induction.reduced, .sampled(sample)].map {
      MixedObjective(target, MixedTransformer(), induction: $0, origin: theta).lossParts(
        at: theta.span)
    }
    // 20 000 squares of a Gaussian have a relative standard error of 1 %.
    #expect(abs(parts[1].induction / parts[0].induction - 1) < 0.04)
    #expect(abs(parts[1].fourGram / parts[0].fourGram - 1) < 0.04)
  }

  /// From a start that is hardly above 0, ∂L/∂p = −σ a (N − 1)/(2N) (derived), and the closed form is the recursion's.
  @Test(arguments: [1e-3, 1e-8, 1e-15, 1e-30])
  func theSlopeOfATinyRate(size: Double) {
    let target = MixedTarget(proportion: 1, weight: 0.5, length: 50_000)
    let theta = [.infinity, size * 1e-3, size, 0.1, 0.1, 0.1]
    let slope = MixedObjective(target, MixedTransformer(), induction: .reduced, origin: theta)
      .makeEvaluator(threads: 1).lossAndGradient(at: theta).gradient[1]
    let n = 49_998.0
    let expected = -0.5 * size * (n - 1) / (2 * n)
    #expect(abs(slope / expected - 1) < 50 * size + 1e-9)
    // p₁ = 800 is infinite in all but name, and goes another way.
    let other = [800] + theta.dropFirst()
    let recursion = MixedObjective(target, MixedTransformer(), induction: .reduced, origin: other)
      .makeEvaluator(threads: 1).lossAndGradient(at: other).gradient[1]
    #expect(abs(slope / recursion - 1) < 1e-9)
  }
}
