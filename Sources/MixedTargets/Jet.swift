#if canImport(Glibc)
  import Glibc
#endif

/// A number that depends on two variables, with its first and second derivatives.
struct Jet {
  /// The value.
  var value: Double
  /// ∂₁ and ∂₂.
  var first: SIMD2<Double>
  /// ∂₁₁, ∂₁₂, ∂₂₂.
  var second: SIMD3<Double>

  init(_ value: Double, _ first: SIMD2<Double> = .zero, _ second: SIMD3<Double> = .zero) {
    self.value = value
    self.first = first
    self.second = second
  }

  /// A function of one number, from its value and two derivatives there.
  func applying(_ value: Double, _ slope: Double, _ curvature: Double) -> Jet {
    let squares = SIMD3(first.x * first.x, first.x * first.y, first.y * first.y)
    return Jet(value, slope * first, slope * second + curvature * squares)
  }

  var inverse: Jet {
    let r = 1 / value
    return applying(r, -r * r, 2 * r * r * r)
  }

  static func + (x: Jet, y: Jet) -> Jet {
    Jet(x.value + y.value, x.first + y.first, x.second + y.second)
  }

  static func - (x: Jet, y: Jet) -> Jet {
    Jet(x.value - y.value, x.first - y.first, x.second - y.second)
  }

  static func * (x: Jet, y: Jet) -> Jet {
    let mixed = SIMD3(
      2 * x.first.x * y.first.x, x.first.x * y.first.y + x.first.y * y.first.x,
      2 * x.first.y * y.first.y)
    return Jet(
      x.value * y.value, x.value * y.first + y.value * x.first,
      x.value * y.second + y.value * x.second + mixed)
  }

  static func / (x: Jet, y: Jet) -> Jet { x * y.inverse }
  static func + (x: Double, y: Jet) -> Jet { Jet(x + y.value, y.first, y.second) }
  static func * (x: Double, y: Jet) -> Jet { Jet(x * y.value, x * y.first, x * y.second) }

  /// e^{−n p} and 1 − e^{−n p} of the variable p with unit vector `direction`; 0 and 1 at p = ∞.
  static func decay(_ p: Double, times n: Double, _ direction: SIMD2<Double>) -> (Jet, Jet) {
    if p == .infinity { return (Jet(0), Jet(1)) }
    let squares = SIMD3(
      direction.x * direction.x, direction.x * direction.y, direction.y * direction.y)
    let q = exp(-n * p)
    let first = -n * q * direction
    let second = n * n * q * squares
    return (Jet(q, first, second), Jet(-expm1(-n * p), -first, -second))
  }
}
