import CKernels
import ParallelLoops

#if canImport(Glibc)
  import Glibc
#endif

/// R(N) = E Σ_s softmax_s(m u g_s)², the power of IH₂ over N independent positions, by quadrature.
///
/// With Z = Σ e^{m u g} and 1/Z² = ∫ λ e^{−λZ} dλ it is N E_u ∫ λ A(λ) B(λ)^{N−1} dλ, A = E e^{2x − λeˣ},
/// B = E e^{−λeˣ}, x = m u g with Gaussian u and g. The tokens' own part in the weights of their successors is left
/// out: a relative O(1/N). Derived in *The mixed target and its laws*.
public struct TargetPower: Sendable {
  /// m = w*².
  public let product: Double
  /// Per value of u: its weight, and over τ = log λ: λ²A and log B.
  private let rows: [Row]

  /// The largest m: the grids are as wide as m, and as fine as 1/m.
  public static let largestProduct = 4.0

  private struct Row {
    let weight: Double
    let step: Double
    let tops, logarithms: [Double]
  }

  /// The integrals that do not depend on N.
  ///
  /// - Parameters:
  ///   - product: m, positive and at most ``largestProduct``.
  ///   - threads: threads to use; the result does not depend on it.
  public init(product: Double, threads: Int = 1) {
    precondition(product > 0 && product <= Self.largestProduct, "m is positive and at most 4")
    self.product = product
    let width = 0.1
    // u = 0, where all weights are equal, is the end of the even half-line.
    rows = inLanes(90, threads: threads) { range in
      range.map { index in
        let u = (Double(index) + 0.5) * width
        return Self.row(
          product * u, weight: 2 * width * exp(-u * u / 2) / (2 * Double.pi).squareRoot())
      }
    }.flatMap { $0 }
  }

  private static func row(_ beta: Double, weight: Double) -> Row {
    let spacing = min(0.05, 0.25 / beta)
    let count = (Int(24 / spacing) + 8) / 8 * 8
    let g = (0..<count).map { (Double($0) - Double(count) / 2) * spacing }
    let density = g.map { spacing * exp(-$0 * $0 / 2) / (2 * Double.pi).squareRoot() }
    let powers = g.map { exp(beta * $0) }
    let step = min(0.25, 0.25 * max(beta, 0.2))
    // From where λZ is negligible for the largest N to where nothing is left.
    let low = -12 * beta - 45.0
    let high = 12 * beta + 5.0
    var (tops, logarithms): ([Double], [Double]) = ([], [])
    for i in 0...Int((high - low) / step) {
      let lambda = exp(low + Double(i) * step)
      var (top, lost) = (0.0, 0.0)
      for j in 0..<count {
        let x = lambda * powers[j]
        if x > 700 {
          lost += density[j]
          continue
        }
        let e = expm1(-x)
        top += density[j] * x * x * (1 + e)
        lost -= density[j] * e
      }
      tops.append(top)
      // No power of 0 is wanted but the 0-th.
      logarithms.append(lost < 1 ? log1p(-lost) : -1e300)
    }
    return Row(weight: weight, step: step, tops: tops, logarithms: logarithms)
  }

  /// R(N).
  ///
  /// - Parameter terms: N ≥ 1, up to 2⁴⁰.
  /// - Returns: between 1/N and 1.
  public func callAsFunction(_ terms: Double) -> Double {
    rows.reduce(0) { sum, row in
      var inner = 0.0
      for (top, logarithm) in zip(row.tops, row.logarithms) where top > 0 {
        inner += top * exp((terms - 1) * logarithm)
      }
      return sum + row.weight * row.step * terms * inner
    }
  }

  /// d log R/d log N from N to 2N.
  public func slope(_ terms: Double) -> Double { log(self(2 * terms) / self(terms)) / log(2) }

  /// The limit of the slope: −1 for m² < ½, ½(1 − √(1 + 4/m²)) beyond.
  public static func exponent(product m: Double) -> Double {
    m * m < 0.5 ? -1 : (1 - (1 + 4 / (m * m)).squareRoot()) / 2
  }
}
