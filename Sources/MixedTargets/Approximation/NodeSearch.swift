import Foundation

/// The nodes for which a lag kernel of a given size of weights has the least error.
///
/// The kernel that is exact at the first H offsets has error and weights in closed form
/// (`tailSums`, `cardinalWeight`). The ratios of the nodes are
/// searched; for every choice the common scale is the one at which the weights meet the budget.
struct NodeSearch {
  /// The lag i ≥ 1.
  let lag: Int
  /// The number of heads H ≥ i.
  let heads: Int
  /// The most that Σ |A_h|/(1 − q_h) may be.
  let budget: Double
  /// The largest rate p_h allowed: q_h ≥ e^{−largest}.
  let largestRate: Double

  /// The best nodes found; nil where no choice met the budget.
  func nodes() -> AttentionNodes? {
    precondition(heads >= lag && lag >= 1, "a lag needs as many heads")
    if lag == 1 { return evenlySpaced() }
    var best: (point: [Double], value: Double)?
    for start in starts {
      var point = start
      var value = Double.infinity
      for step in [0.4, 0.1, 0.02] {
        let found = NelderMead.minimum(
          from: point, step: step, limit: 250 * heads, tolerance: 1e-9, of: logError)
        guard found.value < value else { break }
        (point, value) = found
      }
      if value < best?.value ?? .infinity { best = (point, value) }
    }
    return best.flatMap { nodes(shape: $0.point) }
  }

  /// Logarithms of the gaps of the rates: Chebyshev nodes down to 0, equal steps, and powers.
  private var starts: [[Double]] {
    let shapes: [[Double]] = [
      (0..<heads).map { 1 + cos(Double.pi * (Double($0) + 0.25) / Double(heads)) },
      (0..<heads).map { Double(heads - $0) },
      (0..<heads).map { exp2(-Double($0)) },
    ]
    return shapes.map { q in zip(q, q.dropFirst()).map { log(log($0 / $1)) } }
  }

  private func logError(_ shape: [Double]) -> Double {
    guard let nodes = nodes(shape: shape) else { return .infinity }
    return log(nodes.tailSums[heads - lag])
  }

  /// The rates p_1 + gaps, cut at the largest; nil where they are not distinct.
  private func nodes(_ first: Double, _ shape: [Double]) -> AttentionNodes? {
    var rate = first
    var values = [exp(-rate)]
    for gap in shape {
      let next = min(rate + exp(gap), largestRate)
      guard next > rate + 1e-6 else { return nil }
      rate = next
      values.append(exp(-rate))
    }
    return AttentionNodes(values)
  }

  /// The nodes of a shape whose weights meet the budget from below.
  ///
  /// Weights go like e^{(i−1) p_1} where nodes are small, so Newton's method for the logarithms needs
  /// a few steps.
  private func nodes(shape: [Double]) -> AttentionNodes? {
    var first = 1.0
    for _ in 0..<60 {
      guard let nodes = nodes(first, shape) else { return nil }
      // From below, so that rounding does not make the weights exceed the budget.
      let excess = log(nodes.cardinalWeight(at: lag - 1) / budget) + 1e-9
      if abs(excess) < 5e-10 { return nodes }
      let next = first - excess / Double(lag - 1)
      // Nodes near 1 have large weights again: those are not looked for.
      guard next < largestRate else { return nil }
      first = max(next, 0.05)
      if first == 0.05, excess > 0 { return nil }
    }
    return nil
  }

  /// Lag 1 needs no large weights: rates below the largest, as close as the budget allows.
  private func evenlySpaced() -> AttentionNodes? {
    func nodes(_ gap: Double) -> AttentionNodes {
      AttentionNodes((0..<heads).map { exp(-(largestRate - gap * Double($0))) })
    }
    if heads == 1 { return nodes(0) }
    var (low, high) = (1e-3, 0.9 * largestRate / Double(heads))
    guard nodes(high).cardinalWeight(at: 0) <= budget else { return nil }
    for _ in 0..<60 {
      let middle = (low + high) / 2
      if nodes(middle).cardinalWeight(at: 0) <= budget { high = middle } else { low = middle }
    }
    return nodes(high)
  }
}

extension LagKernel {
  /// How the nodes of the heads are chosen.
  public enum NodeChoice: String, Sendable, CaseIterable, Hashable {
    /// q_h = 2^{−h}.
    case fixed
    /// Searched for the least error within the budget.
    case optimised
  }

  /// The kernel of least error found for a lag, a number of heads and a size of weights.
  ///
  /// - Parameters:
  ///   - lag: i ≥ 1.
  ///   - heads: H ≥ 1; with fewer than i of them the zero kernel comes out.
  ///   - choice: how nodes are chosen. Optimised ones may be fewer than H, where the budget is too
  ///     small for more.
  ///   - budget: the most that Σ |A_h|/(1 − q_h) may be.
  ///   - largestRate: the largest rate p_h of optimised nodes.
  /// - Returns: the kernel.
  public static func best(
    lag: Int, heads: Int, nodes choice: NodeChoice, budget: Double, largestRate: Double
  ) -> LagKernel {
    var kernel = best(lag: lag, nodes: .geometric(count: heads), budget: budget)
    guard choice == .optimised, heads >= lag else { return kernel }
    for count in lag...heads {
      let search = NodeSearch(lag: lag, heads: count, budget: budget, largestRate: largestRate)
      guard let nodes = search.nodes() else { continue }
      let found = best(lag: lag, nodes: nodes, budget: budget)
      if found.error < kernel.error { kernel = found }
    }
    return kernel
  }
}
