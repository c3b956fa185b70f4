import Foundation

/// Σ_s softmax_s(z) x_s, and how it changes when the logits do.
package enum SoftmaxReadOut {
  /// The largest coordinate of Σ_s (softmax_s(z + δ) − softmax_s(z)) x_s, in absolute value.
  ///
  /// With the masses a_s = softmax_s(z) and μ = Σ a_s expm1(δ_s) the change of a mass is
  /// a_s (expm1(δ_s) − μ)/(1 + μ), so that nothing of size 1 is subtracted: the result keeps its
  /// relative accuracy however small δ is. *Derived.*
  ///
  /// - Parameters:
  ///   - z: the logits, one for each term.
  ///   - δ: the perturbations of the logits, one for each term.
  ///   - x: the tokens, shape (terms, dimension), row by row.
  ///   - d: the dimension of a token, ≥ 1.
  /// - Returns: ‖·‖_∞ of the change; 0 without terms.
  package static func change(
    logits z: [Double], perturbations δ: [Double], tokens x: ArraySlice<Double>, dimension d: Int
  ) -> Double {
    precondition(z.count == δ.count && x.count == z.count * d, "every term has logits and a token")
    guard let top = z.max(), let largest = δ.map(abs).max() else { return 0 }
    let masses = z.map { exp($0 - top) }
    let total = masses.reduce(0, +)
    var factors: [Double]
    if largest <= 1 {
      var mean = 0.0
      for (mass, δ) in zip(masses, δ) { mean += mass * expm1(δ) }
      mean /= total
      factors = zip(masses, δ).map { $0 * (expm1($1) - mean) / (total * (1 + mean)) }
    } else {
      // Changes of the order of the masses themselves; the exponentials could overflow.
      let moved = zip(z, δ).map { $0 + $1 }
      let movedTop = moved.max() ?? 0
      let movedMasses = moved.map { exp($0 - movedTop) }
      let movedTotal = movedMasses.reduce(0, +)
      factors = zip(masses, movedMasses).map { $1 / movedTotal - $0 / total }
    }
    var change = [Double](repeating: 0, count: d)
    var place = x.startIndex
    for factor in factors {
      for c in 0..<d { change[c] += factor * x[place + c] }
      place += d
    }
    return change.map(abs).max() ?? 0
  }

  /// The most that a read-out of tokens with ‖x‖_∞ ≤ 1 can change when no logit moves by more.
  ///
  /// ‖softmax(z + δ) − softmax(z)‖₁ ≤ 2 tanh(η/2) for |δ_s| ≤ η, attained by two groups
  /// of positions with the odds e^{−η} that move by +η and −η. *Derived in* <doc:Approximation>.
  ///
  /// - Parameter η: the largest change of a logit, ≥ 0.
  /// - Returns: the bound, below 2.
  package static func bound(perturbation η: Double) -> Double { 2 * tanh(η / 2) }
}
