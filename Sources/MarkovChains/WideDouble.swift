/// A non-negative number with the precision of a Double and a practically unbounded exponent.
///
/// Products of many transition probabilities underflow a Double; their ratios are still wanted.
package struct WideDouble: EliminationScalar {
  /// In 1..<2, or 0 for zero.
  package var significand: Double
  package var exponent: Int

  package static let zero = WideDouble(significand: 0, exponent: 0)

  package init(significand: Double, exponent: Int) {
    self.significand = significand
    self.exponent = exponent
  }

  package init(_ value: Double) {
    significand = value == 0 ? 0 : value.significand
    exponent = value == 0 ? 0 : Int(value.exponent)
  }

  /// The nearest Double; 0 or subnormal where it underflows.
  package var double: Double {
    // 2^±1100 overflows and underflows every significand, so clamping loses nothing.
    Double(sign: .plus, exponent: min(max(exponent, -1100), 1100), significand: significand)
  }

  package var isZero: Bool { significand == 0 }

  /// No value is near the ends of the exponent range.
  package var isSafe: Bool { true }

  package static func + (a: WideDouble, b: WideDouble) -> WideDouble {
    if a.isZero { return b }
    if b.isZero { return a }
    let (high, low) = a.exponent >= b.exponent ? (a, b) : (b, a)
    let gap = high.exponent - low.exponent
    if gap > 60 { return high }
    let shift = Double(bitPattern: UInt64(1023 - gap) << 52)
    return WideDouble(normalising: high.significand + low.significand * shift, high.exponent)
  }

  package static func * (a: WideDouble, b: WideDouble) -> WideDouble {
    if a.isZero || b.isZero { return zero }
    return WideDouble(normalising: a.significand * b.significand, a.exponent + b.exponent)
  }

  package static func / (a: WideDouble, b: WideDouble) -> WideDouble {
    if a.isZero { return zero }
    let quotient = a.significand / b.significand
    return quotient >= 1
      ? WideDouble(significand: quotient, exponent: a.exponent - b.exponent)
      : WideDouble(significand: 2 * quotient, exponent: a.exponent - b.exponent - 1)
  }

  /// The number significand · 2^exponent for a significand in 1..<4.
  private init(normalising significand: Double, _ exponent: Int) {
    if significand >= 2 {
      self.init(significand: 0.5 * significand, exponent: exponent + 1)
    } else {
      self.init(significand: significand, exponent: exponent)
    }
  }
}
