/// What holds when a document does not give a key, for a key of a known Swift type.
public enum KeyFallback<Value: Sendable>: Sendable {
  /// The key must be given.
  case required
  /// This value.
  case value(Value)
  /// What these words say: it depends on other keys, or nothing holds.
  case described(String)

  func erased(_ encode: (Value) -> KeyValue) -> KeyDefault {
    switch self {
    case .required: .required
    case .value(let value): .value(encode(value))
    case .described(let words): .described(words)
    }
  }
}
