import Foundation
import LinearAlgebra

/// A symmetric kernel as a sum over its singular functions under a measure:
/// g(u, v) = Σ_r λ_r φ_r(u) φ_r(v), |λ_1| ≥ |λ_2| ≥ …, ∫ φ_r φ_t dμ = δ_{rt}.
///
/// The singular values are σ_r = |λ_r|; the sign of λ_r belongs to one of the two singular functions.
///
/// Gaussian and polynomial kernels: Nyström's method on a Gauss rule; singular functions are then
/// evaluated as polynomials, which is accurate to rounding because they are entire functions. The
/// kernel |u − v| under the uniform measure: in closed form (`AbsoluteSpectrum`), because Nyström's
/// method loses most of its order at the kink.
public struct SingularExpansion: Sendable {
  /// The kernel g.
  public let kernel: SimilarityKernel
  /// The measure μ.
  public let measure: SimilarityMeasure
  /// λ_r, by falling modulus: all that were computed.
  public let values: [Double]
  /// Upper bounds of Σ σ_r² and Σ σ_r ‖φ_r‖_∞² over the terms beyond ``values``.
  package let remainder: (squares: Double, sum: Double)
  private let functions: Functions

  private enum Functions: Sendable {
    /// Coefficients in the orthonormal polynomials, shape (terms, n).
    case polynomials([Double], count: Int)
    case absolute(AbsoluteSpectrum)
  }

  /// The largest singular value times this is what rounding leaves of a vanishing one.
  private static let resolution = 0x1p-52

  /// The least width of a Gaussian that the rules resolve to rounding.
  ///
  /// A Gaussian of width w has no frequencies above 8.6/w but for 10⁻¹⁶ of it; 160 Gauss–Legendre
  /// nodes resolve those up to 90, 200 Gauss–Hermite nodes, which lie .22 apart, those up to 14.
  public static func leastWidth(under measure: SimilarityMeasure) -> Double {
    measure == .uniform ? 0.1 : 0.65
  }

  /// Expands a kernel.
  ///
  /// - Parameters:
  ///   - kernel: g. A Gaussian has at least the width ``leastWidth(under:)``; |u − v| goes with the
  ///     uniform measure only.
  ///   - measure: μ.
  ///
  /// Nil if LAPACK could not compute it.
  public init?(of kernel: SimilarityKernel, under measure: SimilarityMeasure) {
    self.kernel = kernel
    self.measure = measure
    if case .absolute = kernel {
      precondition(measure == .uniform, "|u − v| is expanded under the uniform measure only")
      let spectrum = AbsoluteSpectrum(count: 20_000)
      values = spectrum.values
      remainder = spectrum.remainder
      functions = .absolute(spectrum)
      return
    }
    let n: Int
    switch kernel {
    // Exact for products of two functions of this degree.
    case .polynomial(let degree): n = degree + 1
    case .gaussian, .absolute: n = measure == .uniform ? 160 : 200
    }
    guard let rule = GaussRule(measure, count: n) else { return nil }
    let roots = rule.weights.map { $0.squareRoot() }
    var matrix = [Double](repeating: 0, count: n * n)
    for a in 0..<n {
      for b in 0..<n {
        matrix[a * n + b] = roots[a] * kernel.value(rule.nodes[a], rule.nodes[b]) * roots[b]
      }
    }
    guard let (values, vectors) = symmetricEigenvectors(of: matrix, order: n) else { return nil }
    let order = values.indices.sorted { abs(values[$0]) > abs(values[$1]) }
    let basis = rule.nodes.map { measure.polynomials(at: $0, count: n) }
    var coefficients = [Double](repeating: 0, count: n * n)
    for (term, index) in order.enumerated() {
      for a in 0..<n {
        let value = vectors[index * n + a] * roots[a]
        for m in 0..<n { coefficients[term * n + m] += value * basis[a][m] }
      }
    }
    self.values = order.map { values[$0] }
    remainder = (0, 0)
    functions = .polynomials(coefficients, count: n)
  }

  /// φ_1(u) … φ_R(u).
  ///
  /// - Parameters:
  ///   - u: a number with |u| at most the measure's reach.
  ///   - rank: R, at most the number of ``values``.
  /// - Returns: R values.
  public func functions(at u: Double, rank: Int) -> [Double] {
    switch functions {
    case .absolute(let spectrum): return (0..<rank).map { spectrum.function($0, at: u) }
    case .polynomials(let coefficients, let n):
      let basis = measure.polynomials(at: u, count: n)
      return (0..<rank).map { term in
        (0..<n).reduce(0) { $0 + coefficients[term * n + $1] * basis[$1] }
      }
    }
  }

  /// The ℓ² tail (Σ_{r>R} σ_r²)^{1/2}: the error of rank R in L²(μ × μ), the least of this rank.
  public func squareTail(after rank: Int) -> Double {
    // From the smallest on, so that nothing is lost.
    let squares = values.dropFirst(rank).reversed().reduce(remainder.squares) { $0 + $1 * $1 }
    return squares.squareRoot()
  }

  /// Σ_{r>R} σ_r ‖φ_r‖_∞², at least the error of rank R in the maximum norm.
  ///
  /// The norms are maxima over the points given; for |u − v| they are exact. What rounding leaves is
  /// added, so that it bounds measured errors too.
  ///
  /// - Parameters:
  ///   - ranks: values of R.
  ///   - points: where the maxima are taken.
  /// - Returns: one value for each rank.
  public func sumTails(after ranks: [Int], over points: [Double]) -> [Double] {
    let norms = supremumNorms(over: points)
    let terms = zip(values, norms).map { abs($0) * $1 * $1 }
    let norm = norms.max() ?? 0
    let rounding = 8 * Self.resolution * abs(values[0]) * norm * norm
    return ranks.map { rank in
      let tail = terms.dropFirst(rank).reversed().reduce(remainder.sum, +)
      return tail + Double(min(rank, terms.count) + 1) * rounding
    }
  }

  private func supremumNorms(over points: [Double]) -> [Double] {
    switch functions {
    case .absolute(let spectrum): return values.indices.map(spectrum.supremumNorm)
    case .polynomials:
      var norms = [Double](repeating: 0, count: values.count)
      for u in points {
        for (r, value) in functions(at: u, rank: values.count).enumerated() {
          norms[r] = max(norms[r], abs(value))
        }
      }
      return norms
    }
  }
}
