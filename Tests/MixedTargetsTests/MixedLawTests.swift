import Foundation
import MixedTargets
import Testing

@Suite struct MixedLawTests {
  private func quasiStatic(_ weight: Double, proportion: Double = 1, size: Double = 1e-5)
    -> QuasiStaticFlow?
  {
    let target = MixedTarget(proportion: proportion, weight: weight, length: 1002)
    let transformer = MixedTransformer()
    let start = transformer.initialParameters(size: size, firstRate: .infinity)
    return QuasiStaticFlow(
      MixedObjective(target, transformer, induction: .reduced, origin: start), from: start)
  }

  /// δ and the overshoot as stated for four w*.
  @Test(arguments: [
    (0.3, 0.440, 0.00204), (0.5, 0.437, 0.0165), (0.7, 0.433, 0.0780), (0.8, 0.464, 0.185),
  ])
  func emergenceAndOvershoot(weight: Double, advance: Double, overshoot: Double) throws {
    let laws = try #require(quasiStatic(weight))
    #expect(try abs(#require(laws.advance) - advance) < 6e-4)
    #expect(abs(laws.overshoot / overshoot - 1) < 3e-3)
  }

  @Test(arguments: [0.3, 0.7], [0.5, 4.0])
  func timeOfEmergenceIsTheStatedFormula(weight: Double, proportion: Double) throws {
    let laws = try #require(quasiStatic(weight, proportion: proportion))
    let (n, size) = (1000.0, 1e-5)
    let growth = (1 + proportion) * (1 + proportion) / (weight * weight)
    let advance = try #require(laws.advance)
    let expected = n * (1 - size * (1 + proportion) + growth * (log(weight / size) - advance))
    #expect(abs((laws.emergence - laws.lag) / expected - 1) < 1e-6)
    #expect(laws.lag > 0 && laws.lag < 0.2 * n)
  }

  /// λ from the entries A, B, C of the theory.
  @Test(arguments: [0.3, 0.5, 0.7])
  func rateOfConvergence(weight: Double) throws {
    let laws = try #require(quasiStatic(weight))
    let (m, c, n) = (weight * weight, 0.5, 1000.0)
    let a = pow(1 - 2 * m * m, -0.5)
    let b = c * m * pow(1 - 2 * m * m, -1.5)
    let d = c * c * (1 + m * m) * pow(1 - 2 * m * m, -2.5)
    let s = 2 * m
    let trace = a + s * d
    let root = (trace * trace - 4 * s * (a * d - b * b)).squareRoot()
    #expect(abs(laws.convergence * n / ((trace - root) / 2) - 1) < 1e-9)
  }

  @Test(arguments: [(1.0, -0.658), (1.5, -0.376)])
  func slopeOfTheTargetsPower(product: Double, slope: Double) {
    let power = TargetPower(product: product, threads: 2)
    #expect(abs(power.slope(0x1p25) - slope) < 6e-4)
    #expect(power(1) > 0.999 && power(1) < 1.001)
  }

  /// Below the threshold N R → (1 − 2m²)^{−1/2}.
  @Test func powerBelowTheThreshold() {
    let power = TargetPower(product: 0.25, threads: 2)
    #expect(abs(power(1e6) * 1e6 * (1 - 2 * 0.0625).squareRoot() - 1) < 1e-3)
  }

  /// Against a sample of the true softmax, whose own part in the weights is a relative O(1/N).
  @Test(arguments: [0.25, 1.0])
  func powerOfASample(product: Double) {
    let target = MixedTarget(proportion: 1, weight: product.squareRoot(), length: 66)
    let table = InductionTable(target, count: 40_000, seed: 8, threads: 2)
    let power = TargetPower(product: product)
    let error = 3 * table.targetPowerError + 2 * product * power(64) / 64
    #expect(abs(table.targetPower - power(64)) < error)
    #expect(error < 0.1 * power(64))
  }
}
