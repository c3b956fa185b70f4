import Foundation

/// The two-layer transformer with one head per layer and no FFN that approximates IH₂.
///
///     IH₂ = Σ_{s=2}^{L−1} softmax_s(x_Lᵀ W* x_{s−1}) x_s
///     TF  = Σ_{s=2}^{L−1} softmax_s(x_Lᵀ W* y_s) x_s,    y_s = Σ_{τ<s} softmax_τ(−p (s−1−τ)) x_τ
///
/// The first layer knows positions only, the second layer tokens only. The weights are W* itself
/// and the rate p of the first layer: y_s → x_{s−1} as p → ∞.
///
/// Source of the construction: Wang, Yu, E, Wu, arXiv 2410.11474; the explicit constant is derived in
/// <doc:Approximation>.
public struct BigramTransformer: Sendable, Equatable {
  /// W*, the matrix of the second layer.
  public let comparison: ComparisonMatrix
  /// p > 0, the rate at which the first layer forgets.
  public let rate: Double

  /// The transformer with these weights.
  public init(comparison: ComparisonMatrix, rate: Double) {
    precondition(rate > 0, "the rate is positive")
    self.comparison = comparison
    self.rate = rate
  }

  /// 2 ‖W*‖_{1,1} e^{−p}: no sequence with ‖x‖_∞ ≤ 1, however long, has a larger error.
  public var bound: Double { 2 * comparison.norm * exp(-rate) }

  /// ‖IH₂ − TF‖_∞ on a sequence.
  ///
  /// Accurate relative to the error itself, also where that is far below 2⁻⁵²: the first layer is
  /// taken as y_s − x_{s−1} = E_s/Z_s with
  ///
  ///     E_{s+1} = q (E_s + Z_s (x_{s−1} − x_s)),    Z_{s+1} = 1 + q Z_s,    q = e^{−p},
  ///
  /// and the second through `SoftmaxReadOut`. Cost O(L d).
  ///
  /// - Parameter tokens: x, length L ≥ 3.
  /// - Returns: the error, ≥ 0.
  public func error(on tokens: RealTokens) -> Double {
    let (d, length) = (tokens.dimension, tokens.length)
    precondition(d == comparison.dimension && length >= 3, "the sequence does not fit")
    let q = exp(-rate)
    let x = tokens.values
    let u = comparison.transposed(times: x[((length - 1) * d)...])
    var logits = [Double](repeating: 0, count: length - 2)
    var perturbations = logits
    var difference = [Double](repeating: 0, count: d)  // E_s; y_2 = x_1 exactly
    var mass = 1.0  // Z_s
    for s in 2..<length {
      var (logit, perturbation) = (0.0, 0.0)
      let key = (s - 2) * d  // x_{s−1}
      for c in 0..<d {
        logit += u[c] * x[key + c]
        perturbation += u[c] * difference[c]
        difference[c] = q * (difference[c] + mass * (x[key + c] - x[key + d + c]))
      }
      logits[s - 2] = logit
      perturbations[s - 2] = perturbation / mass
      mass = 1 + q * mass
    }
    return SoftmaxReadOut.change(
      logits: logits, perturbations: perturbations, tokens: x[d..<((length - 1) * d)],
      dimension: d)
  }
}
