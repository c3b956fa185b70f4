#if canImport(Glibc)
  import Glibc
#endif

/// d det(M)^{−1/2} for an M that is quadratic or linear in K, with derivatives by K and by a factor.
///
/// Not a number where M is not positive definite: there the mean that it stands for is infinite.
struct DeterminantPower {
  var value: Double
  /// By the factor, once and twice.
  var slope = 0.0
  var curvature = 0.0
  /// By K, shape (d, d), and by K and the factor.
  var gradient: [Double] = []
  var mixed: [Double] = []
  /// By K twice, shape (d², d²).
  var hessian: [Double] = []

  /// M = I − 2s KKᵀ.
  ///
  /// With X = M⁻¹K and F the value: ∂_K F = 2sFX, ∂_s F = F⟨X, K⟩.
  static func square(_ k: [Double], _ d: Int, _ s: Double) -> DeterminantPower {
    let outer = product(k, transposed(k, d), d)
    guard let (inverse, f) = inverseAndValue(outer.map { -2 * s * $0 }, d) else {
      return undefined(d)
    }
    let x = product(inverse, k, d)
    let y = product(transposed(k, d), x, d)
    let t = inner(x, k)
    var result = DeterminantPower(value: f)
    result.slope = f * t
    let chained = product(inverse, outer, d)
    result.curvature = f * (t * t + 2 * inner(chained, transposed(chained, d)))
    result.gradient = x.map { 2 * s * f * $0 }
    let turned = product(x, y, d)
    result.mixed = zip(x, turned).map { 2 * f * ($0 + s * (t * $0 + 2 * $1)) }
    for direction in units(d) {
      // M⁻¹E + 2s(M⁻¹E Y + X EᵀX)
      let moved = product(inverse, direction, d)
      let left = product(moved, y, d)
      let right = product(x, product(transposed(direction, d), x, d), d)
      let along = 2 * s * f * inner(x, direction)
      for i in x.indices {
        result.hessian.append(
          2 * s * (along * x[i] + f * (moved[i] + 2 * s * (left[i] + right[i]))))
      }
    }
    return result
  }

  /// M = I − r(K K*ᵀ + K*Kᵀ).
  ///
  /// With U = M⁻¹K*: ∂_K F = rFU, ∂_r F = F⟨U, K⟩.
  static func shared(_ k: [Double], _ goal: [Double], _ d: Int, _ r: Double) -> DeterminantPower {
    func symmetric(_ x: [Double]) -> [Double] {
      let half = product(x, transposed(goal, d), d)
      return zip(half, transposed(half, d)).map { $0 + $1 }
    }
    let sum = symmetric(k)
    guard let (inverse, f) = inverseAndValue(sum.map { -r * $0 }, d) else { return undefined(d) }
    let u = product(inverse, goal, d)
    let t = inner(u, k)
    let moved = product(inverse, product(sum, u, d), d)
    var result = DeterminantPower(value: f)
    result.slope = f * t
    result.curvature = f * (t * t + inner(moved, k))
    result.gradient = u.map { r * f * $0 }
    result.mixed = zip(u, moved).map { f * ($0 + r * (t * $0 + $1)) }
    for direction in units(d) {
      let bent = product(inverse, product(symmetric(direction), u, d), d)
      let along = r * f * inner(u, direction)
      for i in u.indices { result.hessian.append(r * (along * u[i] + f * r * bent[i])) }
    }
    return result
  }

  private static func undefined(_ d: Int) -> DeterminantPower {
    let none = [Double](repeating: .nan, count: d * d)
    return DeterminantPower(
      value: .nan, slope: .nan, curvature: .nan, gradient: none, mixed: none,
      hessian: [Double](repeating: .nan, count: d * d * d * d))
  }

  /// (I + A)⁻¹ and d det(I + A)^{−1/2} by Cholesky's factors; nil where I + A is not positive definite.
  private static func inverseAndValue(_ a: [Double], _ d: Int) -> ([Double], Double)? {
    // For one dimension det − 1 is known without rounding.
    if d == 1 {
      guard a[0] > -1 else { return nil }
      return ([1 / (1 + a[0])], 1 / (1 + a[0]).squareRoot())
    }
    var lower = a
    for i in 0..<d { lower[i * d + i] += 1 }
    var root = 1.0
    for j in 0..<d {
      for i in j..<d {
        var entry = lower[i * d + j]
        for l in 0..<j { entry -= lower[i * d + l] * lower[j * d + l] }
        if i == j {
          guard entry > 0 else { return nil }
          root *= entry.squareRoot()
          lower[i * d + j] = entry.squareRoot()
        } else {
          lower[i * d + j] = entry / lower[j * d + j]
        }
      }
    }
    var inverse = [Double](repeating: 0, count: d * d)
    for column in 0..<d {
      var x = [Double](repeating: 0, count: d)
      x[column] = 1
      for i in 0..<d {
        for l in 0..<i { x[i] -= lower[i * d + l] * x[l] }
        x[i] /= lower[i * d + i]
      }
      for i in (0..<d).reversed() {
        for l in i + 1..<max(d, i + 1) { x[i] -= lower[l * d + i] * x[l] }
        x[i] /= lower[i * d + i]
        inverse[i * d + column] = x[i]
      }
    }
    return (inverse, Double(d) / root)
  }

  /// The matrices with a single one.
  private static func units(_ d: Int) -> [[Double]] {
    (0..<d * d).map { one in (0..<d * d).map { $0 == one ? 1 : 0 } }
  }

  private static func inner(_ x: [Double], _ y: [Double]) -> Double {
    zip(x, y).reduce(0) { $0 + $1.0 * $1.1 }
  }
}

/// A matrix turned about its diagonal.
func transposed(_ a: [Double], _ d: Int) -> [Double] {
  (0..<d * d).map { a[$0 % d * d + $0 / d] }
}

/// A B of two matrices, shapes (d, d).
func product(_ a: [Double], _ b: [Double], _ d: Int) -> [Double] {
  (0..<d * d).map { entry in
    (0..<d).reduce(0) { $0 + a[entry / d * d + $1] * b[$1 * d + entry % d] }
  }
}
