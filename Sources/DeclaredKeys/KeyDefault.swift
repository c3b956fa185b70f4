/// What holds when a document does not give a key.
public enum KeyDefault: Sendable, Hashable {
  /// The key must be given.
  case required
  /// This value.
  case value(KeyValue)
  /// What these words say: it depends on other keys, or nothing holds.
  case described(String)

  /// The default in words, for comments and the reference.
  public var words: String {
    switch self {
    case .required: "required"
    case .value(let value): value.yaml
    case .described(let words): words
    }
  }
}
