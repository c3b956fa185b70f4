/// The whole numbers a key allows.
public struct IntegerRange: Sendable, Hashable {
  /// The least number allowed.
  public let lower: Int
  /// The greatest number allowed.
  public let upper: Int

  /// The numbers from `range.lowerBound` to `range.upperBound`.
  public init(_ range: ClosedRange<Int>) {
    lower = range.lowerBound
    upper = range.upperBound
  }

  /// The numbers from `lower` upwards.
  public static func atLeast(_ lower: Int) -> IntegerRange { IntegerRange(lower...Int.max) }

  /// Whether the number is allowed.
  public func contains(_ number: Int) -> Bool { lower <= number && number <= upper }

  /// ` ≥ 1`, ` in 2...256` or nothing: what follows "an integer".
  var suffix: String {
    switch (lower, upper) {
    case (Int.min, Int.max): ""
    case (_, Int.max): " ≥ \(lower)"
    case (Int.min, _): " ≤ \(upper)"
    default: " in \(lower)...\(upper)"
    }
  }
}
