import Corpora
import Foundation
import InductionHeads
import Objectives
import Testing

@Suite struct DerivativeTests {
  @Test(arguments: Case.all)
  func theCompressedLossIsTheSumOverPositions(choice: Case) {
    for seed in UInt64(1)...3 {
      let (data, objective, theta) = choice.prepared(seed: seed)
      let naive = choice.naive.loss(theta, data.rows, laws: choice.expected ? data.laws : nil)
      let compressed = objective.makeEvaluator(threads: 1).loss(at: theta)
      #expect(abs(compressed - naive) <= 1e-13 * abs(naive), "seed \(seed)")
    }
  }

  /// Central differences err by h² until rounding takes over; only the right gradient shows that.
  @Test(arguments: Case.all.filter { $0.scale == 1 })
  func theGradientHasTheErrorOfCentralDifferences(choice: Case) {
    let (_, objective, theta) = choice.prepared(seed: 7)
    let evaluator = objective.makeEvaluator(threads: 1)
    let exact = evaluator.lossAndGradient(at: theta).gradient
    let sweep = DifferenceSweep(exact: exact, groups: objective.layout.groups.map(\.range)) { h in
      theta.indices.map { i in
        (evaluator.loss(at: theta.shifted(i, h)) - evaluator.loss(at: theta.shifted(i, -h)))
          / (2 * h)
      }
    }
    sweep.check(best: 1e-8)
  }

  @Test(arguments: Case.all.filter { $0.scale == 1 })
  func hessianProductsHaveTheErrorOfCentralDifferences(choice: Case) {
    let (_, objective, theta) = choice.prepared(seed: 9)
    let evaluator = objective.makeEvaluator(threads: 1)
    var random = TestRandom(3)
    let direction = theta.map { _ in Double.random(in: -1...1, using: &random) }
    let exact = evaluator.hessianVectorProduct(at: theta, direction: direction)
    let sweep = DifferenceSweep(exact: exact, groups: objective.layout.groups.map(\.range)) { h in
      let up = evaluator.lossAndGradient(at: zip(theta, direction).map { $0 + h * $1 }).gradient
      let down = evaluator.lossAndGradient(at: zip(theta, direction).map { $0 - h * $1 }).gradient
      return zip(up, down).map { ($0 - $1) / (2 * h) }
    }
    sweep.check(best: 1e-8)
  }

  /// The one-sweep Hessian and the forward-over-reverse products are derived separately.
  ///
  /// At a = 3000 the read-out is saturated: what is left of the Hessian is the rounding of terms
  /// 10¹² times larger, and nothing relative can be asked of it.
  @Test(arguments: Case.all.filter { $0.scale == 1 })
  func theHessianIsTheMatrixOfItsProducts(choice: Case) {
    let (_, objective, theta) = choice.prepared(seed: 11)
    let n = theta.count
    let evaluator = objective.makeEvaluator(threads: 1)
    let matrix = evaluator.hessian(at: theta)
    var columns: [[Double]] = []
    for i in 0..<n {
      var unit = [Double](repeating: 0, count: n)
      unit[i] = 1
      columns.append(evaluator.hessianVectorProduct(at: theta, direction: unit))
    }
    let largest = matrix.map(abs).max() ?? 0
    for i in 0..<n {
      for j in 0..<n {
        #expect(abs(matrix[i * n + j] - columns[j][i]) <= 1e-12 * largest, "\(i), \(j)")
        #expect(abs(columns[i][j] - columns[j][i]) <= 1e-12 * largest, "\(i), \(j)")
      }
    }
  }

  /// The path for exponents that differ too much for one shift gives what the common path gives.
  @Test(arguments: Case.all.filter { $0.scale == 1 })
  func shiftsOfTheirOwnChangeNothing(choice: Case) {
    let (_, objective, theta) = choice.prepared(seed: 15)
    let shared = objective.makeEvaluator(threads: 1)
    let own = choice.prepared(seed: 15, sharedRange: 0).objective.makeEvaluator(threads: 1)
    func agree(_ x: [Double], _ y: [Double]) -> Bool {
      let largest = x.map(abs).max() ?? 0
      return zip(x, y).allSatisfy { abs($0 - $1) <= 1e-12 * largest }
    }
    #expect(abs(shared.loss(at: theta) / own.loss(at: theta) - 1) < 1e-13)
    #expect(
      agree(
        shared.lossAndGradient(at: theta).gradient, own.lossAndGradient(at: theta).gradient))
    #expect(agree(shared.hessian(at: theta), own.hessian(at: theta)))
    #expect(
      agree(
        shared.hessianVectorProduct(at: theta, direction: theta),
        own.hessianVectorProduct(at: theta, direction: theta)))
  }

  @Test(arguments: Case.all)
  func threadsChangeNothing(choice: Case) {
    let (_, objective, theta) = choice.prepared(seed: 13)
    let one = objective.makeEvaluator(threads: 1)
    let three = objective.makeEvaluator(threads: 3)
    #expect(one.lossAndGradient(at: theta) == three.lossAndGradient(at: theta))
    #expect(one.hessian(at: theta) == three.hessian(at: theta))
    #expect(
      one.hessianVectorProduct(at: theta, direction: theta)
        == three.hessianVectorProduct(at: theta, direction: theta))
  }
}

/// Errors of difference quotients over a sweep of steps, relative to each group's largest entry.
struct DifferenceSweep {
  let errors: [(step: Double, error: Double)]

  init(exact: [Double], groups: [Range<Int>], quotient: (Double) -> [Double]) {
    errors = stride(from: -1.0, through: -6.0, by: -0.25).map { exponent in
      let h = pow(10, exponent)
      let approximate = quotient(h)
      let error =
        groups.map { range -> Double in
          let scale = exact[range].map(abs).max() ?? 0
          let worst = range.map { abs(approximate[$0] - exact[$0]) }.max() ?? 0
          // A group whose gradient vanishes identically has nothing to compare.
          return scale == 0 && worst < 1e-9 ? 0 : worst / scale
        }.max() ?? 0
      return (h, error)
    }
  }

  func check(best bound: Double) {
    let best = errors.map(\.error).min() ?? .infinity
    #expect(best <= bound, "best error \(best)")
    // Slope over the steps before the best one whose error lies well above the round-off floor
    // and below saturation.
    let turn = errors.firstIndex { $0.error == best } ?? 0
    let fit = errors[..<turn].filter { $0.error > 100 * max(best, 1e-12) && $0.error < 1e-2 }
    guard fit.count >= 3 else {
      // Exact to rounding at every step: only functions without a third derivative do that.
      #expect(errors[0].error < 1e-9, "too few steps above the floor: \(errors)")
      return
    }
    let x = fit.map { log($0.step) }
    let y = fit.map { log($0.error) }
    let mx = x.reduce(0, +) / Double(x.count)
    let my = y.reduce(0, +) / Double(y.count)
    let slope =
      zip(x, y).reduce(0) { $0 + ($1.0 - mx) * ($1.1 - my) }
      / x.reduce(0) { $0 + ($1 - mx) * ($1 - mx) }
    #expect(abs(slope - 2) < 0.1, "slope \(slope) over \(fit)")
  }
}

extension [Double] {
  func shifted(_ index: Int, _ amount: Double) -> [Double] {
    var copy = self
    copy[index] += amount
    return copy
  }
}
