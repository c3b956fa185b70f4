import BigInt
import Foundation
import MarkovChains

/// Stationary laws in exact integers, by the Markov chain tree theorem.
///
/// π_i is proportional to the principal minor of the Laplacian, diag(Σ_j p_ij) − P off the
/// diagonal, without row and column i. Doubles are dyadic, so with a common power of two the
/// Laplacian is an integer matrix; determinants are Bareiss's, without fractions. Nothing is
/// shared with the elimination under test.
struct ExactStationaryLaw {
  /// Numerators of π, over their sum.
  let weights: [BigInt]
  let total: BigInt

  init(_ matrix: StochasticMatrix) {
    let n = matrix.size
    let least = matrix.entries.filter { $0 > 0 }.map { Int($0.exponent) }.min() ?? 0
    let unit = least - 52  // every entry is a multiple of 2^unit
    var laplacian = [[BigInt]](repeating: [BigInt](repeating: 0, count: n), count: n)
    for i in 0..<n {
      for j in 0..<n where j != i && matrix[i, j] > 0 {
        let (digits, exponent) = Self.dyadic(matrix[i, j])
        laplacian[i][j] = -(digits << (exponent - unit))
        laplacian[i][i] -= laplacian[i][j]
      }
    }
    weights = (0..<n).map { omitted in
      let kept = (0..<n).filter { $0 != omitted }
      return Self.determinant(kept.map { i in kept.map { laplacian[i][$0] } })
    }
    total = weights.reduce(0, +)
  }

  /// The component as the nearest Double, for components above 1e−300.
  func probability(_ i: Int) -> Double { Self.quotient(weights[i], total) }

  /// |p − π_i| / π_i for p < 2, computed exactly before it is rounded.
  func relativeError(_ p: Double, _ i: Int) -> Double {
    if p == 0 { return weights[i] == 0 ? 0 : 1 }
    let (digits, exponent) = Self.dyadic(p)
    let exact = weights[i] << -exponent
    return Self.quotient(BigInt((digits * total - exact).magnitude), exact)
  }

  /// The integer m and the exponent e with value = m 2^e.
  static func dyadic(_ value: Double) -> (BigInt, Int) {
    (BigInt(value.significand * 0x1p52), Int(value.exponent) - 52)
  }

  static func quotient(_ a: BigInt, _ b: BigInt) -> Double {
    if a == 0 { return 0 }
    let shift = b.bitWidth - a.bitWidth + 70
    let digits = shift >= 0 ? (a << shift) / b : a / (b << -shift)
    return scalbn(Double(digits), -shift)
  }

  static func determinant(_ matrix: [[BigInt]]) -> BigInt {
    var a = matrix
    let n = a.count
    var previous = BigInt(1)
    // Principal minors of a Laplacian of an irreducible chain are positive: no pivoting.
    for k in 0..<max(n - 1, 0) {
      for i in k + 1..<n {
        for j in k + 1..<n {
          a[i][j] = (a[i][j] * a[k][k] - a[i][k] * a[k][j]) / previous
        }
      }
      previous = a[k][k]
    }
    return n == 0 ? 1 : a[n - 1][n - 1]
  }
}
