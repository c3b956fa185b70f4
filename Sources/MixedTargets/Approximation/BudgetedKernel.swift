import Foundation

/// The linear program behind ``LagKernel/best(lag:nodes:budget:)``.
///
/// The unknowns are v_m = f(m) at the first H offsets: f = Σ_m v_m L_m, a basis that is the identity
/// there and small beyond, so that the program is well conditioned even where amplitudes are 10¹⁰.
struct BudgetedKernel {
  private let lag: Int
  private let nodes: AttentionNodes
  /// The values at offsets 0…, then the output weights, as functions of v: shape (rows, H).
  private let rows: [Double]
  private let offsets: Int

  init(lag: Int, nodes: AttentionNodes) {
    precondition(lag >= 1, "lags count from 1")
    self.lag = lag
    self.nodes = nodes
    let heads = nodes.count
    // Beyond the tails the kernel's own offset would be lost where there are too few heads.
    let length = max(nodes.tailLength, lag)
    offsets = heads + length
    var rows = [Double](repeating: 0, count: heads * heads)
    for m in 0..<heads { rows[m * heads + m] = 1 }
    rows += nodes.tails(length: length)
    let columns = (0..<heads).map { nodes.cardinalAmplitudes(at: $0) }
    for (h, q) in nodes.values.enumerated() { rows += columns.map { $0[h] / (1 - q) } }
    self.rows = rows
  }

  func kernel(budget: Double) -> LagKernel {
    let kernel = exchanged(budget: budget)
    // Where no exchange pays the other one has a closed form, and none of the program's rounding.
    if let exact = LagKernel.interpolating(lag: lag, nodes: nodes), exact.weight <= budget,
      exact.error <= kernel.error
    {
      return exact
    }
    return kernel
  }

  private func exchanged(budget: Double) -> LagKernel {
    var least = solution(multiplier: 0)
    if weight(of: least) <= budget { return kernel(least) }
    // Weights fall as the multiplier rises; with a large one nothing is worth its weight.
    var most = [Double](repeating: 0, count: nodes.count)
    var (low, high) = (log(1e-30), log(1e3))
    for _ in 0..<60 where high - low > 1e-12 {
      let middle = (low + high) / 2
      let v = solution(multiplier: exp(middle))
      if weight(of: v) > budget {
        (low, least) = (middle, v)
      } else {
        (high, most) = (middle, v)
      }
    }
    // At the multiplier between them both are optimal, and so is what lies between them.
    let (above, below) = (weight(of: least), weight(of: most))
    let share = above > below ? max(0, min(1, (budget - below) / (above - below))) : 0
    // A little less of the heavier one, so that rounding does not make the weights exceed the budget.
    let safe = max(0, share - 1e-12)
    return kernel(zip(least, most).map { safe * $0 + (1 - safe) * $1 })
  }

  private func solution(multiplier: Double) -> [Double] {
    let heads = nodes.count
    let used = multiplier > 0 ? offsets + heads : offsets
    var targets = [Double](repeating: 0, count: used)
    targets[lag - 1] = 1
    let costs =
      [Double](repeating: 1, count: offsets)
      + [Double](repeating: multiplier, count: used - offsets)
    return LeastAbsoluteDeviations.minimiser(
      rows: Array(rows[..<(used * heads)]), targets: targets, costs: costs, unknowns: heads)
  }

  private func row(_ index: Int, times v: [Double]) -> Double {
    v.indices.reduce(0) { $0 + rows[index * v.count + $1] * v[$1] }
  }

  private func weight(of v: [Double]) -> Double {
    (0..<nodes.count).reduce(0) { $0 + abs(row(offsets + $1, times: v)) }
  }

  private func kernel(_ v: [Double]) -> LagKernel {
    let amplitudes = nodes.values.enumerated().map { h, q in
      row(offsets + h, times: v) * (1 - q)
    }
    return LagKernel(lag: lag, nodes: nodes, amplitudes: amplitudes)
  }
}
