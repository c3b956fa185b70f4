#if canImport(Glibc)
  import Glibc
#endif

/// The in-context part's flow where v follows k: what the laws of emergence are computed from.
///
/// L_IH = ½[v²P(k) − 2cvQ(k) + c²R]; v relaxes at the rate P ≈ 1/N, k grows c²m times more slowly, so v stays near
/// its best value v(k) = cQ/P and k̇ = −s ∂_kL with s = w_K² + w_Q² = √(4k² + (w_K² − w_Q²)²). Derived in *The mixed target and its laws*.
public struct QuasiStaticFlow: Sendable {
  private let objective: MixedObjective
  /// θ where the flow starts.
  private let start: [Double]
  private let share: Double
  private let goal: Double
  /// w_K² − w_Q², which the flow conserves.
  private let imbalance: Double

  /// The flow of an objective.
  ///
  /// Nil where P and Q are no functions at hand: for a sample, for tokens of several dimensions, for infinite
  /// length, and for the sum target; and where k does not start between 0 and m.
  ///
  /// - Parameters:
  ///   - objective: to leading order, or from a table.
  ///   - start: θ where the stage starts; p₁ is taken for infinite.
  public init?(_ objective: MixedObjective, from start: [Double]) {
    if case .sampled = objective.induction { return nil }
    guard objective.target.dimension == 1, objective.target.form == .vector,
      objective.target.length != nil
    else { return nil }
    self.objective = objective
    share = objective.target.inductionShare
    goal = objective.target.product
    self.start = start
    let key = objective.transformer.keyMatrix(start.span)[0]
    let query = objective.transformer.queryMatrix(start.span)[0]
    imbalance = key * key - query * query
    initialProduct = key * query
    guard initialProduct > 0, initialProduct < goal, let rule = GaussRule(.uniform, count: 5)
    else { return nil }
    self.rule = rule
  }

  /// k at the start.
  private let initialProduct: Double
  private let rule: GaussRule

  private func derivatives(_ v: Double, _ k: Double, order: Int) -> MixedDerivatives {
    objective.loss.derivatives(
      at: MixedPoint(firstRate: .infinity, rate: 1, firstValue: 0, value: v, product: [k]),
      order: order, byFirstRate: false, threads: 1)
  }

  /// P(k).
  public func power(_ k: Double) -> Double {
    derivatives(0, k, order: 2).hessian[MixedPoint.value * 5 + MixedPoint.value]
  }

  /// v(k) = cQ/P, the best v.
  public func bestValue(_ k: Double) -> Double {
    let at0 = derivatives(0, k, order: 2)
    return -at0.gradient[MixedPoint.value] / at0.hessian[MixedPoint.value * 5 + MixedPoint.value]
  }

  /// L_IH with the best v.
  public func loss(_ k: Double) -> Double {
    derivatives(bestValue(k), k, order: 0).parts.induction
  }

  /// s = w_K² + w_Q², by which the products move faster than the loss's slope; 4k for one tied matrix.
  private func speed(_ k: Double) -> Double {
    objective.transformer.isTied ? 4 * k : (4 * k * k + imbalance * imbalance).squareRoot()
  }

  /// k̇.
  private func rate(_ k: Double) -> Double {
    -speed(k) * derivatives(bestValue(k), k, order: 1).gradient[MixedPoint.product]
  }

  /// k where L_IH with the best v is a fraction of the plateau.
  public func product(atFraction fraction: Double) -> Double {
    var (low, high) = (0.0, goal)
    for _ in 0..<100 {
      let middle = (low + high) / 2
      if loss(middle) > fraction * objective.plateau { low = middle } else { high = middle }
    }
    return (low + high) / 2
  }

  /// The time of emergence, when L_IH is half the plateau.
  ///
  /// T = T_v + ∫ dk/k̇ + T₁. At first v learns the mean of the tokens, v = v(0) − d e^{−Pt}, and k grows more slowly by
  /// what ∫(1 − r(v)/r(v(0))) dt = T_v says, r = −∂_kL at k = 0. Later v lags behind v(k) by v′(k)k̇/P, which costs
  /// T₁ = ∫ (∂_v r/r) v′(k)/P dk. For w_K = w_Q = v = σ and to leading order T is
  /// N[1 + ((1 + α*)²/w*²)(log(w*/σ) − δ)] + T₁.
  public var emergence: Double {
    delay + time(from: initialProduct, to: product(atFraction: 0.5)) + lag
  }

  /// T_v.
  private var delay: Double {
    let row = MixedPoint.value * 5
    // ∂_v∂_kL at k = 0 is vP′ − cQ′.
    let slope = -derivatives(0, 0, order: 2).hessian[row + MixedPoint.product]
    let bend = derivatives(1, 0, order: 2).hessian[row + MixedPoint.product] + slope
    let best = bestValue(0)
    let gap = best - start[MixedPoint.value]
    let rate = slope * best - bend * best * best / 2
    return (slope * gap - bend * best * gap + bend * gap * gap / 4) / (power(0) * rate)
  }

  /// T₁.
  public var lag: Double {
    let end = product(atFraction: 0.5)
    let row = MixedPoint.value * 5
    let count = 400
    let width = end / Double(count)
    var total = 0.0
    for i in 0..<count {
      let k = (Double(i) + 0.5) * width
      let best = bestValue(k)
      let here = derivatives(best, k, order: 2)
      let slope =
        (bestValue(k + width / 4) - bestValue(max(0, k - width / 4)))
        / (k + width / 4 - max(0, k - width / 4))
      total +=
        width * here.hessian[row + MixedPoint.product] / here.gradient[MixedPoint.product] * slope
        / here.hessian[row + MixedPoint.value]
    }
    return total
  }

  /// δ of the law of emergence: how much earlier the loss halves than growth at its first rate would have it.
  ///
  /// Nil unless the law has that form: to leading order, w_K = w_Q, not tied.
  public var advance: Double? {
    guard case .reduced = objective.induction, !objective.transformer.isTied, imbalance == 0 else {
      return nil
    }
    let end = product(atFraction: 0.5)
    let start = 1e-8 * goal
    // Growth at the first rate from `start` to m, less the true time, in units of twice the growth of w.
    let first = 2 * share * share * goal * power(0)
    return (log(goal / start) - first * time(from: start, to: end)) / 2
  }

  /// ∫ dk/k̇ in the logarithm of k, by Gauss's rule with five nodes on even pieces.
  private func time(from start: Double, to end: Double) -> Double {
    let pieces = 200
    let width = (log(end) - log(start)) / Double(pieces)
    var total = 0.0
    for piece in 0..<pieces {
      let middle = log(start) + (Double(piece) + 0.5) * width
      for (node, weight) in zip(rule.nodes, rule.weights) {
        let k = exp(middle + node * width / 2)
        total += weight * width * k / rate(k)
      }
    }
    return total
  }

  /// The largest v(k)/c − 1: how far v overshoots where k is slow enough.
  public var overshoot: Double {
    let count = 2000
    let values = (0...count).map { bestValue(goal * Double($0) / Double(count)) / share - 1 }
    guard let best = values.indices.max(by: { values[$0] < values[$1] }), best > 0, best < count
    else { return values.max() ?? 0 }
    // The parabola through the three highest.
    let (a, b, c) = (values[best - 1], values[best], values[best + 1])
    return b - (c - a) * (c - a) / (8 * (a - 2 * b + c))
  }

  /// λ: L_IH falls like e^{−2λt} at last, the smallest eigenvalue of [[A, B], [sB, sC]], the Hessian by (v, k) at
  /// (c, m) with k's rows times s.
  public var convergence: Double {
    let hessian = derivatives(share, goal, order: 2).hessian
    let (v, k) = (MixedPoint.value, MixedPoint.product)
    let s = speed(goal)
    let (a, b, c) = (hessian[v * 5 + v], hessian[v * 5 + k], hessian[k * 5 + k])
    let (trace, determinant) = (a + s * c, s * (a * c - b * b))
    // The smaller root, without cancellation.
    return 2 * determinant / (trace + (trace * trace - 4 * determinant).squareRoot())
  }
}
