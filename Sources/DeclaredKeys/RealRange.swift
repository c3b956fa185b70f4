/// The real numbers a key allows; not-a-number and the infinities never unless said.
public struct RealRange: Sendable, Hashable {
  /// An end of the range.
  public enum Bound: Sendable, Hashable {
    /// The end itself is not allowed.
    case open(Double)
    /// The end itself is allowed.
    case closed(Double)
  }

  /// The lower end, if there is one.
  public let lower: Bound?
  /// The upper end, if there is one.
  public let upper: Bound?
  /// One number inside that is not allowed.
  public let excluded: Double?
  /// Whether `.inf`, `-.inf` and `.nan` are read.
  public let allowsNonFinite: Bool

  /// A range from its ends.
  public init(
    lower: Bound? = nil, upper: Bound? = nil, excluding excluded: Double? = nil,
    allowsNonFinite: Bool = false
  ) {
    self.lower = lower
    self.upper = upper
    self.excluded = excluded
    self.allowsNonFinite = allowsNonFinite
  }

  /// Every finite number.
  public static let any = RealRange()
  /// Every finite number above 0.
  public static let positive = RealRange(lower: .open(0))
  /// Every finite number from 0.
  public static let nonNegative = RealRange(lower: .closed(0))
  /// Every finite number but 0.
  public static let nonZero = RealRange(excluding: 0)

  /// Whether the number is allowed.
  public func contains(_ number: Double) -> Bool {
    guard number.isFinite || allowsNonFinite else { return false }
    if number == excluded { return false }
    switch lower {
    case .open(let end) where !(number > end): return false
    case .closed(let end) where !(number >= end): return false
    default: break
    }
    switch upper {
    case .open(let end) where !(number < end): return false
    case .closed(let end) where !(number <= end): return false
    default: return true
    }
  }

  /// ` > 0`, ` in (0, 0.1]`, ` ≠ 0` or nothing: what follows "a real number".
  var suffix: String {
    let range =
      switch (lower, upper) {
      case (nil, nil): ""
      case (.open(let end)?, nil): " > \(end.short)"
      case (.closed(let end)?, nil): " ≥ \(end.short)"
      case (nil, .open(let end)?): " < \(end.short)"
      case (nil, .closed(let end)?): " ≤ \(end.short)"
      case (let lower?, let upper?): " in \(Self.left(lower)), \(Self.right(upper))"
      }
    return range + (excluded.map { " ≠ \($0.short)" } ?? "")
  }

  private static func left(_ bound: Bound) -> String {
    switch bound {
    case .open(let end): "(\(end.short)"
    case .closed(let end): "[\(end.short)"
    }
  }

  private static func right(_ bound: Bound) -> String {
    switch bound {
    case .open(let end): "\(end.short))"
    case .closed(let end): "\(end.short)]"
    }
  }
}

extension Double {
  /// The shortest text that reads back to the same number, without a trailing `.0`.
  var short: String {
    let text = "\(self)"
    return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
  }
}
