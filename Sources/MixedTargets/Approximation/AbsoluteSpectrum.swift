import Foundation

/// The eigenvalues and eigenfunctions of φ ↦ ½∫_{−1}^{1} |u − v| φ(v) dv, in closed form.
///
/// Differentiating twice gives λφ″ = φ. One eigenvalue is positive, λ = 1/ω² with ω tanh ω = 1 and
/// φ ∝ cosh ωu. All others are λ = −1/ω²: φ ∝ sin ωu with ω = π/2, 3π/2, …, and φ ∝ cos ωu with
/// ω tan ω = −1. *Derived in* <doc:Approximation>.
struct AbsoluteSpectrum: Sendable {
  /// ω of the positive eigenvalue.
  private let growth: Double
  /// ω_1 < ω_2 < … of the negative ones: odd and even functions in turn.
  private let frequencies: [Double]

  /// The spectrum down to `count` eigenvalues, count ≥ 1.
  init(count: Int) {
    // ω tanh ω = 1: the fixed-point map ω ↦ 1/tanh ω contracts with the factor 1/sinh²ω = .44.
    var growth = 1.2
    for _ in 0..<60 { growth = 1 / tanh(growth) }
    self.growth = growth
    frequencies = (1..<max(count, 1)).map { m in
      let edge = Double(m) * Double.pi / 2
      guard m % 2 == 0 else { return edge }
      // ω = mπ/2 − θ with tan θ = 1/ω.
      var θ = 0.0
      for _ in 0..<60 { θ = atan(1 / (edge - θ)) }
      return edge - θ
    }
  }

  /// λ, the positive one first, which is also the largest.
  var values: [Double] { [1 / (growth * growth)] + frequencies.map { -1 / ($0 * $0) } }

  /// Eigenfunction `index`, normalised under the uniform measure on [−1, 1].
  func function(_ index: Int, at u: Double) -> Double {
    if index == 0 {
      return cosh(growth * u) / ((1 + sinh(2 * growth) / (2 * growth)) / 2).squareRoot()
    }
    let ω = frequencies[index - 1]
    let isOdd = index % 2 == 1
    // ∫ cos² = 1 + sin 2ω/(2ω) = ω²/(1 + ω²) by tan ω = −1/ω; ∫ sin² = 1 by cos ω = 0.
    return isOdd ? 2.0.squareRoot() * sin(ω * u) : supremumNorm(index) * cos(ω * u)
  }

  /// ‖φ‖_∞ on [−1, 1], exactly.
  func supremumNorm(_ index: Int) -> Double {
    if index == 0 { return function(0, at: 1) }
    let ω = frequencies[index - 1]
    return (index % 2 == 1 ? 2 : 2 * (1 + 1 / (ω * ω))).squareRoot()
  }

  /// Upper bounds of Σ σ² and Σ σ ‖φ‖_∞² over all terms beyond those at hand.
  ///
  /// ω_m > (m − ½)π/2 for all m ≥ 2, and sums over m > M are at most integrals from M − 1 + ½ on.
  var remainder: (squares: Double, sum: Double) {
    let scale = 4 / (Double.pi * Double.pi)
    let edge = Double(frequencies.count) - 1
    let square = scale * scale / (3 * edge * edge * edge)
    return (square, 2 * scale / edge + 2 * square)
  }
}
