/// What a list must satisfy beside the range of its elements.
public struct ListRule: OptionSet, Sendable, Hashable {
  /// The rules as bits.
  public let rawValue: Int

  /// Rules from bits.
  public init(rawValue: Int) { self.rawValue = rawValue }

  /// The list has at least one element.
  public static let notEmpty = ListRule(rawValue: 1)
  /// No element occurs twice.
  public static let distinct = ListRule(rawValue: 2)
}
