// Numbers that tests hold double precision against.

import BigInt

/// A ratio of two integers.
struct Rational: Equatable {
  let numerator: BigInt
  let denominator: BigInt

  init(_ numerator: BigInt, _ denominator: BigInt = 1) {
    let divisor = numerator.greatestCommonDivisor(with: denominator)
    let sign: BigInt = denominator < 0 ? -1 : 1
    self.numerator = sign * numerator / max(divisor, 1)
    self.denominator = sign * denominator / max(divisor, 1)
  }

  /// The number that a Double is, exactly.
  init(_ value: Double) {
    var (scaled, power) = (value, 0)
    while scaled.rounded() != scaled {
      scaled *= 2
      power += 1
    }
    self.init(BigInt(scaled), BigInt(1) << power)
  }

  var magnitude: Rational { Rational(BigInt(numerator.magnitude), denominator) }

  /// Right to one unit in the last place or so.
  var double: Double {
    let shift = 128 + denominator.bitWidth - numerator.bitWidth
    let quotient =
      shift > 0 ? (numerator << shift) / denominator : numerator / (denominator << -shift)
    return Double(sign: .plus, exponent: -shift, significand: 1) * Double(quotient)
  }

  static func + (a: Rational, b: Rational) -> Rational {
    Rational(
      a.numerator * b.denominator + b.numerator * a.denominator, a.denominator * b.denominator)
  }
  static func - (a: Rational, b: Rational) -> Rational {
    Rational(
      a.numerator * b.denominator - b.numerator * a.denominator, a.denominator * b.denominator)
  }
  static func * (a: Rational, b: Rational) -> Rational {
    Rational(a.numerator * b.numerator, a.denominator * b.denominator)
  }
  static func / (a: Rational, b: Rational) -> Rational {
    Rational(a.numerator * b.denominator, a.denominator * b.numerator)
  }
}

/// A number with 600 bits behind the point.
struct FixedPoint {
  static let bits = 600
  let units: BigInt

  init(units: BigInt) { self.units = units }
  init(_ value: Double) {
    let exact = Rational(value)
    units = (exact.numerator << Self.bits) / exact.denominator
  }

  var double: Double { Rational(units, BigInt(1) << Self.bits).double }

  static func + (a: FixedPoint, b: FixedPoint) -> FixedPoint { .init(units: a.units + b.units) }
  static func - (a: FixedPoint, b: FixedPoint) -> FixedPoint { .init(units: a.units - b.units) }
  static func * (a: FixedPoint, b: FixedPoint) -> FixedPoint {
    .init(units: (a.units * b.units) >> bits)
  }
  static func / (a: FixedPoint, b: FixedPoint) -> FixedPoint {
    .init(units: (a.units << bits) / b.units)
  }

  /// e^x for |x| below a few hundred: Taylor's series at x/2^12, squared twelve times.
  var exponential: FixedPoint {
    let small = FixedPoint(units: units >> 12)
    var (sum, term) = (FixedPoint(1), FixedPoint(1))
    var n = 1
    while term.units != 0, term.units != -1, n < 400 {
      term = FixedPoint(units: (term * small).units / BigInt(n))
      sum = sum + term
      n += 1
    }
    for _ in 0..<12 { sum = sum * sum }
    return sum
  }
}
