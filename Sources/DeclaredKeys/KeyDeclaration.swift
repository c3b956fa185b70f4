/// Everything that is known about one key; parser, messages, resolved file, template and reference
/// all come from here.
public struct KeyDeclaration: Sendable, Hashable {
  /// The dotted path; the keys of a list's elements are written `stages[].until`.
  public let path: String
  /// The type and the allowed range.
  public let type: KeyType
  /// The unit, where there is one.
  public let unit: String?
  /// What holds when the key is absent.
  public let fallback: KeyDefault
  /// What the key means: one sentence without its full stop.
  public let meaning: String
  /// A value to show in the template where there is no default to show.
  public let sample: String?

  /// The last component of the path.
  public var name: String { String(path.split(separator: ".").last ?? "") }
}
