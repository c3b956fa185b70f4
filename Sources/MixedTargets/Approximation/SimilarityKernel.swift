import Foundation

/// A similarity g(u, v) of two numbers, symmetric.
public enum SimilarityKernel: Sendable, Equatable {
  /// exp(−(u − v)²/(2w²)), w > 0.
  case gaussian(width: Double)
  /// (1 + uv)^m, m ≥ 1: of rank m + 1.
  case polynomial(degree: Int)
  /// |u − v|, which is not smooth where u = v.
  case absolute

  /// The names that an experiment gives them.
  public enum Name: String, Sendable, CaseIterable, Hashable {
    /// exp(−(u − v)²/(2w²)).
    case gaussian
    /// (1 + uv)^m.
    case polynomial
    /// |u − v|.
    case absolute
  }

  /// Its name.
  public var name: Name {
    switch self {
    case .gaussian: .gaussian
    case .polynomial: .polynomial
    case .absolute: .absolute
    }
  }

  /// g(u, v).
  public func value(_ u: Double, _ v: Double) -> Double {
    switch self {
    case .gaussian(let width):
      let difference = (u - v) / width
      return exp(-difference * difference / 2)
    case .polynomial(let degree): return pow(1 + u * v, Double(degree))
    case .absolute: return abs(u - v)
    }
  }
}

/// The measure μ under which a kernel is expanded; a probability measure.
public enum SimilarityMeasure: String, Sendable, CaseIterable, Hashable {
  /// Uniform on [−1, 1].
  case uniform
  /// Standard normal.
  case gaussian

  /// Errors in the maximum norm are taken over [−reach, reach].
  ///
  /// All of the support of the uniform measure; three standard deviations of the normal one, whose
  /// support is unbounded.
  public var reach: Double { self == .uniform ? 1 : 3 }

  /// The n-th recursion coefficient of the orthonormal polynomials: u P_n = b_{n+1} P_{n+1} + b_n P_{n−1}.
  private func coefficient(_ n: Int) -> Double {
    let n = Double(n)
    return self == .uniform ? n / (4 * n * n - 1).squareRoot() : n.squareRoot()
  }

  /// P_0(u) … P_{count−1}(u), orthonormal under μ.
  ///
  /// - Parameters:
  ///   - u: a number.
  ///   - count: ≥ 1.
  /// - Returns: the values, `count` of them.
  package func polynomials(at u: Double, count: Int) -> [Double] {
    var values = [1.0]
    values.reserveCapacity(count)
    for n in 1..<max(count, 1) {
      let before = n > 1 ? coefficient(n - 1) * values[n - 2] : 0
      values.append((u * values[n - 1] - before) / coefficient(n))
    }
    return values
  }

  /// The Jacobi matrix of the orthonormal polynomials, order × order.
  package func jacobiMatrix(order: Int) -> [Double] {
    var matrix = [Double](repeating: 0, count: order * order)
    for n in 1..<max(order, 1) {
      matrix[n * order + n - 1] = coefficient(n)
      matrix[(n - 1) * order + n] = coefficient(n)
    }
    return matrix
  }
}
