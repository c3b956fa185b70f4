/// The value of a list of mappings: how many elements it has.
public struct KeyList: Sendable, Hashable {
  /// The number of elements.
  public let count: Int

  /// A list of `count` mappings.
  public init(count: Int) { self.count = count }
}
