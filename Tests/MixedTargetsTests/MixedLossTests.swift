import Foundation
import MixedTargets
import Objectives
import Testing

@Suite struct MixedLossTests {
  /// θ away from every special value.
  private func theta(_ transformer: MixedTransformer, firstRate: Double) -> [Double] {
    var theta = transformer.initialParameters(size: 0.3, firstRate: firstRate)
    for i in 1..<theta.count { theta[i] += 0.13 * sin(Double(3 * i)) }
    return theta
  }

  /// Gradient, Hessian and products against central differences of the loss and of the gradient.
  ///
  /// The step is swept: the error of a right derivative falls with its square before rounding takes over.
  private func checkDerivatives(_ objective: MixedObjective, at theta: [Double]) {
    let evaluator = objective.makeEvaluator(threads: 2)
    let (loss, gradient) = evaluator.lossAndGradient(at: theta)
    #expect(loss == evaluator.loss(at: theta))
    let hessian = evaluator.hessian(at: theta)
    let n = theta.count
    let scale = gradient.map(abs).max() ?? 1
    for i in 0..<n where theta[i].isFinite {
      func errors(_ h: Double) -> (slope: Double, curvature: Double) {
        var (up, down) = (theta, theta)
        up[i] += h
        down[i] -= h
        let (above, below) = (
          evaluator.lossAndGradient(at: up), evaluator.lossAndGradient(at: down)
        )
        let slope = abs((above.loss - below.loss) / 2 / h - gradient[i])
        let curvature = (0..<n).map {
          abs((above.gradient[$0] - below.gradient[$0]) / 2 / h - hessian[$0 * n + i])
        }
        return (slope, curvature.max() ?? 0)
      }
      let (coarse, fine) = (errors(4e-3), errors(1e-3))
      #expect(fine.slope < 2e-5 * scale && fine.curvature < 2e-4 * scale, "parameter \(i)")
      // A factor of four in the step is one of sixteen in the error, unless there is hardly any.
      #expect(fine.slope < max(coarse.slope / 10, 1e-11 * scale), "parameter \(i)")
      #expect(fine.curvature < max(coarse.curvature / 10, 1e-10 * scale), "parameter \(i)")
    }
    let direction = (0..<n).map { theta[$0].isFinite ? cos(Double($0)) : 0 }
    let product = evaluator.hessianVectorProduct(at: theta, direction: direction)
    for i in 0..<n {
      let expected = (0..<n).reduce(0) { $0 + hessian[i * n + $1] * direction[$1] }
      #expect(abs(product[i] - expected) < 1e-12 * max(1, abs(expected)))
      for j in 0..<n {
        #expect(abs(hessian[i * n + j] - hessian[j * n + i]) < 1e-13 * max(1, scale))
      }
    }
  }

  @Test(
    arguments: [(1, false), (1, true), (2, false), (3, true)], [0.7, Double.infinity])
  func reducedDerivatives(model: (dimension: Int, isTied: Bool), firstRate: Double) {
    for form in [MixedTarget.Form.vector, .sum] {
      let target = MixedTarget(
        proportion: 0.8, weight: 0.6, form: form, dimension: model.dimension, length: 40)
      let transformer = MixedTransformer(dimension: model.dimension, isTied: model.isTied)
      let theta = theta(transformer, firstRate: firstRate)
      checkDerivatives(
        MixedObjective(target, transformer, induction: .reduced, origin: theta), at: theta)
    }
  }

  @Test(arguments: [0.5, Double.infinity])
  func infiniteLengthDerivatives(firstRate: Double) {
    let target = MixedTarget(proportion: 0.8, weight: 0.6, length: nil)
    let theta = theta(MixedTransformer(), firstRate: firstRate)
    checkDerivatives(
      MixedObjective(target, MixedTransformer(), induction: .reduced, origin: theta), at: theta)
  }

  @Test(arguments: [MixedTarget.Form.vector, .sum], [0.4, Double.infinity])
  func sampledDerivatives(form: MixedTarget.Form, firstRate: Double) {
    let target = MixedTarget(proportion: 0.8, weight: 0.9, form: form, length: 12)
    let sample = GaussianSample(count: 43, length: 12, seed: 5, threads: 2)
    for isTied in [false, true] {
      let transformer = MixedTransformer(isTied: isTied)
      let theta = theta(transformer, firstRate: firstRate)
      checkDerivatives(
        MixedObjective(target, transformer, induction: .sampled(sample), origin: theta), at: theta)
    }
  }

  @Test(arguments: [MixedTarget.Form.vector, .sum])
  func tabulatedDerivatives(form: MixedTarget.Form) {
    let target = MixedTarget(proportion: 0.8, weight: 0.7, form: form, length: 20)
    let table = InductionTable(target, count: 1000, seed: 5, threads: 2)
    let theta = theta(MixedTransformer(), firstRate: .infinity)
    checkDerivatives(
      MixedObjective(target, MixedTransformer(), induction: .tabulated(table), origin: theta),
      at: theta)
  }

  @Test(arguments: [MixedTarget.Form.vector, .sum], [0.4, Double.infinity])
  func sampledLossIsThatOfTheDefinition(form: MixedTarget.Form, firstRate: Double) {
    let target = MixedTarget(proportion: 0.8, weight: 0.9, form: form, length: 9)
    // Not a multiple of eight: idle places must not count.
    let sample = GaussianSample(count: 21, length: 9, seed: 3, threads: 1)
    let theta = theta(MixedTransformer(), firstRate: firstRate)
    let objective = MixedObjective(
      target, MixedTransformer(), induction: .sampled(sample), origin: theta)
    let naive = NaiveMixedTransformer(target: target, theta: theta)
      .loss((0..<sample.count).map { sample.sequence($0) })
    #expect(abs(objective.makeEvaluator(threads: 1).loss(at: theta) - naive) < 1e-13 * naive)
  }

  @Test func threadsAndPartsOfASampleGiveTheSame() {
    let target = MixedTarget(proportion: 1, weight: 0.6, length: 20)
    let theta = theta(MixedTransformer(), firstRate: 0.9)
    let samples = [1, 3].map { GaussianSample(count: 1003, length: 20, seed: 3, threads: $0) }
    let found = [1, 3].map { threads in
      MixedObjective(
        target, MixedTransformer(), induction: .sampled(samples[threads / 2]), origin: theta,
        threads: threads
      ).makeEvaluator(threads: threads).lossAndGradient(at: theta)
    }
    #expect(found[0].loss == found[1].loss && found[0].gradient == found[1].gradient)
    let whole = MixedObjective(
      target, MixedTransformer(), induction: .sampled(samples[0]), origin: theta)
    let parts = whole.parts(threads: 1)
    let sizes = parts.map { part -> Double in
      if case .sampled(let sample) = part.induction { Double(sample.count) } else { 0 }
    }
    #expect(sizes.reduce(0, +) == 1003 && parts.count == 8)
    let mean =
      zip(parts, sizes).reduce(0) { $0 + $1.0.lossParts(at: theta.span).total * $1.1 } / 1003
    #expect(abs(mean - found[0].loss) < 1e-13)
  }

  @Test(arguments: [MixedTarget.Form.vector, .sum])
  func tableAndSampleOfTheSameTokensAgree(form: MixedTarget.Form) {
    let target = MixedTarget(proportion: 0.7, weight: 0.8, form: form, length: 16)
    let table = InductionTable(target, count: 2000, seed: 11, threads: 2, isControlled: false)
    let sample = GaussianSample(count: 2000, length: 16, seed: 11, threads: 2)
    #expect(table.interpolationError < 1e-9)
    for (v, w) in [(0.1, 0.05), (0.5, 0.4), (0.6, 0.8), (0.59, 0.81)] {
      let theta = [.infinity, 0.5, 0.3, v, w, w]
      let own = MixedObjective(
        target, MixedTransformer(), induction: .tabulated(table), origin: theta)
      let other = MixedObjective(
        target, MixedTransformer(), induction: .sampled(sample), origin: theta)
      let (a, b) = (
        own.lossParts(at: theta.span).induction, other.lossParts(at: theta.span).induction
      )
      #expect(abs(a - b) < 1e-8 * max(a, b))
      #expect(abs(own.plateau / other.plateau - 1) < 1e-8)
    }
  }

  /// The same means by control variates: within the error of the plain ones, and with much less of their own.
  @Test(arguments: [0.5, 0.8])
  func controlledTablesAreUnbiased(weight: Double) {
    let target = MixedTarget(proportion: 1, weight: weight, length: 34)
    let plain = InductionTable(target, count: 100_000, seed: 4, threads: 2, isControlled: false)
    let controlled = InductionTable(target, count: 20_000, seed: 5, threads: 2)
    let error = plain.targetPowerError + controlled.targetPowerError
    #expect(abs(plain.targetPower - controlled.targetPower) < 3 * error)
    if weight == 0.5 { #expect(controlled.targetPowerError < 0.6 * plain.targetPowerError) }
  }
}
