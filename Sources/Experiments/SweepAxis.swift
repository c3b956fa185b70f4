import Foundation

/// An axis of a sweep: a declared key and the values that it takes, one after the other.
public struct SweepAxis: Sendable, Hashable {
  /// The path of the key, as after `--set`: `stages.copying.until`.
  public let key: String
  /// The values in order, each a text as after `--set key=`; never empty.
  public let values: [String]
  /// Axes with the same name here vary together, position by position; nil for one that varies alone.
  public let pair: String?

  /// The most values that one axis may have.
  public static let mostValues = 100_000

  /// An axis from its parts.
  ///
  /// - Precondition: there is a value.
  public init(key: String, values: [String], pair: String? = nil) {
    precondition(!values.isEmpty, "an axis needs a value")
    self.key = key
    self.values = values
    self.pair = pair
  }

  /// Numbers between two ends, at given fractions of the way.
  ///
  /// Values are rounded to twelve digits, as those of ``logarithmicValues(from:to:count:)`` are.
  ///
  /// - Parameters:
  ///   - from: the first end; positive if the way is logarithmic.
  ///   - to: the second end; likewise.
  ///   - fractions: each in 0…1.
  ///   - isLogarithmic: whether the way is even in the logarithm.
  /// - Returns: one number for each fraction.
  static func values(
    from: Double, to: Double, at fractions: [Double], isLogarithmic: Bool
  ) -> [Double] {
    fractions.map { fraction in
      if fraction == 0 { return from }
      if fraction == 1 { return to }
      let value =
        isLogarithmic
        ? exp(log(from) + fraction * (log(to) - log(from))) : from + fraction * (to - from)
      return Double(String(format: "%.11e", value)) ?? value
    }
  }

  /// Numbers spaced evenly in the logarithm, x_k = from·(to/from)^(k/(count−1)).
  ///
  /// Both ends are exact. What lies between is rounded to twelve digits, so that it reads as it is
  /// meant (0.01 between 0.001 and 0.1) and does not depend on the last bit of a library's logarithm.
  ///
  /// - Precondition: both ends are positive and finite, and `count` ≥ 2.
  public static func logarithmicValues(from: Double, to: Double, count: Int) -> [Double] {
    precondition(from > 0 && to > 0 && from.isFinite && to.isFinite && count >= 2)
    return values(
      from: from, to: to, at: evenFractions(count), isLogarithmic: true)
  }

  /// 0, 1/(n−1), …, 1.
  static func evenFractions(_ count: Int) -> [Double] {
    (0..<count).map { $0 == count - 1 ? 1 : Double($0) / Double(count - 1) }
  }
}
