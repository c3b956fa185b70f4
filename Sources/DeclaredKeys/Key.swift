/// A declared key together with the Swift type of its value.
public struct Key<Value: Sendable>: Sendable {
  /// The declaration.
  public let declaration: KeyDeclaration
  let decode: @Sendable (KeyValue) -> Value?
  let encode: @Sendable (Value) -> KeyValue

  init(
    _ path: String, _ type: KeyType, unit: String?, default fallback: KeyDefault,
    sample: String? = nil, _ meaning: String,
    decode: @escaping @Sendable (KeyValue) -> Value?,
    encode: @escaping @Sendable (Value) -> KeyValue
  ) {
    declaration = KeyDeclaration(
      path: path, type: type, unit: unit, fallback: fallback, meaning: meaning, sample: sample)
    self.decode = decode
    self.encode = encode
  }

  /// The key's address in a document, with one index per `[]` of its path.
  public func address(_ indices: Int...) -> KeyAddress {
    KeyAddress(path: declaration.path, indices: indices)
  }
}
