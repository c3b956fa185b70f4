import Foundation
import InductionHeads
import Objectives
import Testing

// What the derivatives of every objective must show, whatever its data.

/// Central differences err by h² until rounding takes over; only the right gradient shows that.
func checkGradient(of objective: any Objective, at theta: [Double]) {
  let evaluator = objective.makeEvaluator(threads: 1)
  let (loss, exact) = evaluator.lossAndGradient(at: theta)
  #expect(loss == evaluator.loss(at: theta))
  let sweep = DifferenceSweep(exact: exact, groups: objective.layout.groups.map(\.range)) { h in
    theta.indices.map { i in
      (evaluator.loss(at: theta.shifted(i, h)) - evaluator.loss(at: theta.shifted(i, -h)))
        / (2 * h)
    }
  }
  sweep.check(best: 1e-8)
}

/// The same for products of the Hessian with a direction, as differences of gradients.
func checkHessianProduct(
  of objective: any Objective, at theta: [Double], along direction: [Double]
) {
  let evaluator = objective.makeEvaluator(threads: 1)
  let exact = evaluator.hessianVectorProduct(at: theta, direction: direction)
  let sweep = DifferenceSweep(exact: exact, groups: objective.layout.groups.map(\.range)) { h in
    let up = evaluator.lossAndGradient(at: zip(theta, direction).map { $0 + h * $1 }).gradient
    let down = evaluator.lossAndGradient(at: zip(theta, direction).map { $0 - h * $1 }).gradient
    return zip(up, down).map { ($0 - $1) / (2 * h) }
  }
  sweep.check(best: 1e-8)
}

/// The Hessian is the matrix of its products, and symmetric; both are derived separately.
func checkHessian(of objective: any Objective, at theta: [Double]) {
  let n = theta.count
  let evaluator = objective.makeEvaluator(threads: 1)
  let matrix = evaluator.hessian(at: theta)
  let columns = (0..<n).map { i in
    let unit = (0..<n).map { $0 == i ? 1.0 : 0 }
    return evaluator.hessianVectorProduct(at: theta, direction: unit)
  }
  let largest = matrix.map(abs).max() ?? 0
  for i in 0..<n {
    for j in 0..<n {
      #expect(abs(matrix[i * n + j] - columns[j][i]) <= 1e-12 * largest, "\(i), \(j)")
      #expect(abs(columns[i][j] - columns[j][i]) <= 1e-12 * largest, "\(i), \(j)")
    }
  }
}

/// Evaluators with one and with three threads give the same bits.
func checkThreads(
  _ one: any ObjectiveEvaluator, _ three: any ObjectiveEvaluator, at theta: [Double]
) {
  #expect(one.lossAndGradient(at: theta) == three.lossAndGradient(at: theta))
  #expect(one.hessian(at: theta) == three.hessian(at: theta))
  #expect(
    one.hessianVectorProduct(at: theta, direction: theta)
      == three.hessianVectorProduct(at: theta, direction: theta))
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
    // The best one may be good by chance: round-off grows like 1/h, and what follows shows how large.
    let roundOff = errors[(turn + 1)...].map { $0.error * $0.step }.max() ?? 0
    let fit = errors[..<turn].filter {
      $0.error > max(100 * best, 1e-10, 30 * roundOff / $0.step) && $0.error < 1e-2
    }
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
