/// An entry of a mapping from free names to real numbers.
public struct NamedNumber: Sendable, Hashable {
  /// The name, such as `c.1+2`.
  public let name: String
  /// The number.
  public let value: Double

  /// An entry from its parts.
  public init(_ name: String, _ value: Double) {
    self.name = name
    self.value = value
  }
}
