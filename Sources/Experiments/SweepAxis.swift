import Foundation

/// An axis of a sweep: a declared key and the values that it takes, one after the other.
public struct SweepAxis: Sendable, Hashable {
  /// The path of the key, as after `--set`: `stages.copying.until`.
  public let key: String
  /// The values in order, each a text as after `--set key=`; never empty.
  public let values: [String]

  /// The most values that one axis may have.
  public static let mostValues = 100_000

  /// An axis from its parts.
  ///
  /// - Precondition: there is a value.
  public init(key: String, values: [String]) {
    precondition(!values.isEmpty, "an axis needs a value")
    self.key = key
    self.values = values
  }

  /// Numbers spaced evenly in the logarithm, x_k = from·(to/from)^(k/(count−1)).
  ///
  /// Both ends are exact. What lies between is rounded to twelve digits, so that it reads as it is
  /// meant (0.01 between 0.001 and 0.1) and does not depend on the last bit of a library's logarithm.
  ///
  /// - Precondition: both ends are positive and finite, and `count` ≥ 2.
  public static func logarithmicValues(from: Double, to: Double, count: Int) -> [Double] {
    precondition(from > 0 && to > 0 && from.isFinite && to.isFinite && count >= 2)
    return (0..<count).map { k in
      if k == 0 { return from }
      if k == count - 1 { return to }
      let fraction = Double(k) / Double(count - 1)
      let value = exp(log(from) + fraction * (log(to) - log(from)))
      return Double(String(format: "%.11e", value)) ?? value
    }
  }
}
