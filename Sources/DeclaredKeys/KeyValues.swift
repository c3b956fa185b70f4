/// Values of keys by address: what a document gives, or what is to be written.
public struct KeyValues: Sendable, Hashable {
  private var storage: [KeyAddress: KeyValue] = [:]

  /// No values.
  public init() {}

  /// The value of a key, with one index per `[]` of its path.
  public subscript<Value>(key: Key<Value>, indices: Int...) -> Value? {
    get { self[KeyAddress(path: key.declaration.path, indices: indices)].flatMap(key.decode) }
    set {
      self[KeyAddress(path: key.declaration.path, indices: indices)] = newValue.map(key.encode)
    }
  }

  /// What stands at an address; nil where nothing does.
  public subscript(address: KeyAddress) -> KeyValue? {
    get { storage[address] }
    set { storage[address] = newValue }
  }
}
