/// An unevaluated sum of two Doubles, which has about 106 bits.
///
/// Reference: Dekker, *Numerische Mathematik* 18 (1971) 224–242.
struct DoubledPrecision {
  /// The sum rounded to a Double.
  let high: Double
  /// The rest, at most half a unit in the last place of `high`.
  let low: Double

  init(_ value: Double) { self.init(high: value, low: 0) }

  private init(high: Double, low: Double) {
    self.high = high
    self.low = low
  }

  static func + (a: DoubledPrecision, b: DoubledPrecision) -> DoubledPrecision {
    let sum = a.high + b.high
    let share = sum - a.high
    let rest = (a.high - (sum - share)) + (b.high - share) + (a.low + b.low)
    let high = sum + rest
    return DoubledPrecision(high: high, low: rest - (high - sum))
  }

  static func * (a: DoubledPrecision, b: Double) -> DoubledPrecision {
    let product = a.high * b
    let rest = (-product).addingProduct(a.high, b) + a.low * b
    let high = product + rest
    return DoubledPrecision(high: high, low: rest - (high - product))
  }
}
