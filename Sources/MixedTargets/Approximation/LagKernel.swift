import Foundation

/// A sum of exponentials f(j) = Σ_h A_h q_h^j that stands for a shift by one lag.
///
/// An attention head that looks back at the rate p_h has the weight (1 − q_h) q_h^j at the token j + 1
/// positions back, q_h = e^{−p_h}. With the output weights A_h/(1 − q_h) the heads together give
/// Σ_j f(j) x_{s−1−j}, which is x_{s−i} where f(j) = δ_{j,i−1}. The error of that slot is at most
/// ‖f − δ_{i−1}‖₁ for ‖x‖_∞ ≤ 1. *Derived in* <doc:Approximation>.
public struct LagKernel: Sendable, Equatable {
  /// The lag i ≥ 1.
  public let lag: Int
  /// The nodes q_h.
  public let nodes: AttentionNodes
  /// The amplitudes A_h.
  public let amplitudes: [Double]
  /// ‖f − δ_{i−1}‖₁ over all offsets j ≥ 0, free of the rounding of a sum of large terms.
  ///
  /// Of an interpolating kernel it is that of the exact amplitudes, of any other one that of the
  /// amplitudes as they stand here.
  public let error: Double

  /// The kernel that is 1 at its own offset and 0 at the others below H.
  ///
  /// - Parameters:
  ///   - lag: i ≥ 1.
  ///   - nodes: at least i of them.
  /// - Returns: the kernel; nil with fewer than i nodes, where no kernel has an error below 1.
  public static func interpolating(lag: Int, nodes: AttentionNodes) -> LagKernel? {
    guard nodes.count >= lag else { return nil }
    return LagKernel(
      lag: lag, nodes: nodes, amplitudes: nodes.cardinalAmplitudes(at: lag - 1),
      error: nodes.tailSums[nodes.count - lag])
  }

  /// The kernel of least error ‖f − δ_{i−1}‖₁ among those with Σ |A_h|/(1 − q_h) ≤ budget.
  ///
  /// A linear program in the values at the first H offsets, solved by exchange; the budget enters
  /// with a Lagrange multiplier. With fewer than i nodes the zero kernel comes out, whose error is 1.
  ///
  /// - Parameters:
  ///   - lag: i ≥ 1.
  ///   - nodes: one or more.
  ///   - budget: the most that Σ |A_h|/(1 − q_h) may be; infinite for no limit.
  /// - Returns: the kernel.
  public static func best(lag: Int, nodes: AttentionNodes, budget: Double = .infinity) -> LagKernel
  {
    BudgetedKernel(lag: lag, nodes: nodes).kernel(budget: budget)
  }

  private init(lag: Int, nodes: AttentionNodes, amplitudes: [Double], error: Double) {
    self.lag = lag
    self.nodes = nodes
    self.amplitudes = amplitudes
    self.error = error
  }

  /// The kernel with given amplitudes; its error is summed with twice the precision of a Double.
  ///
  /// - Parameters:
  ///   - lag: i ≥ 1.
  ///   - nodes: the nodes q_h.
  ///   - amplitudes: A_h, one for each node.
  public init(lag: Int, nodes: AttentionNodes, amplitudes: [Double]) {
    precondition(lag >= 1 && amplitudes.count == nodes.count, "one amplitude for each node")
    var terms = amplitudes.map { DoubledPrecision($0) }
    var error = 0.0
    for offset in 0..<(max(nodes.count, lag) + nodes.tailLength) {
      var value = DoubledPrecision(offset == lag - 1 ? -1 : 0)
      for term in terms { value = value + term }
      error += abs(value.high)
      for (h, q) in nodes.values.enumerated() { terms[h] = terms[h] * q }
    }
    self.init(lag: lag, nodes: nodes, amplitudes: amplitudes, error: error)
  }

  /// The weights A_h/(1 − q_h) with which the heads enter the slot.
  public var outputWeights: [Double] { zip(amplitudes, nodes.values).map { $0 / (1 - $1) } }

  /// Σ_h |A_h|/(1 − q_h), the size of the weights.
  public var weight: Double { outputWeights.reduce(0) { $0 + abs($1) } }

  /// Σ |weights| · 2⁻⁵², about what rounding adds to the error in double precision.
  public var roundingFloor: Double { weight * 0x1p-52 }

  /// An upper bound of what rounding adds, when amplitudes and sums are computed in double precision.
  ///
  /// An amplitude takes 5H roundings of 2⁻⁵³ each, the sum over heads H, its position's softmax and
  /// the power q^j one for each offset: Σ_j 2(j + 3) q^j (1 − q) ≤ 6 + 2/(1 − q). *Derived.*
  public var roundingAllowance: Double {
    let count = Double(6 * nodes.count) + 8 + 2 / (1 - nodes.values[0])
    return count * 0x1p-53 * (weight + 1)
  }

  /// ‖f − δ_{i−1}‖₁ as double precision gives it: f(j) is summed from its exponentials.
  public func measuredError() -> Double {
    distance(offsets: max(nodes.count, lag) + nodes.tailLength, weights: amplitudes)
  }

  /// The error of the slot's kernel at position s, with the softmax over the s − 1 tokens before it.
  ///
  /// Head h then has the weight q_h^j/Z_s, Z_s = Σ_{j<s−1} q_h^j. Since 1/(1 − q^N) = Σ_m q^{mN}, the
  /// kernel at s is f folded with the period s − 1: its error is at most ``error``. *Derived.*
  ///
  /// - Parameter s: the position, at least i + 1, so that x_{s−i} exists.
  /// - Returns: Σ_{j=0}^{s−2} |f_s(j) − δ_{j,i−1}| in double precision.
  public func measuredError(at s: Int) -> Double {
    precondition(s > lag, "the lag does not exist at this position")
    let normalised = zip(outputWeights, nodes.values).map { weight, q in
      var (sum, power) = (0.0, 1.0)
      for _ in 0..<(s - 1) {
        sum += power
        power *= q
      }
      return weight / sum
    }
    return distance(offsets: s - 1, weights: normalised)
  }

  private func distance(offsets: Int, weights: [Double]) -> Double {
    var powers = weights
    var sum = 0.0
    for offset in 0..<offsets {
      let value = powers.reduce(0, +)
      sum += abs(value - (offset == lag - 1 ? 1 : 0))
      for (h, q) in nodes.values.enumerated() { powers[h] *= q }
    }
    return sum
  }
}
