/// A document read against its schema: the values, where they stand, and what is wrong with them.
///
/// Checks across keys go through ``subscript(_:_:)``, which gives nil for a key that is faulty, and
/// ``reject(_:_:found:allowed:nearest:advice:)``; ``finish()`` throws whatever has been collected.
public struct KeyedDocument: Sendable {
  /// The file's name as it was given.
  public let file: String
  /// The comment of the first line, without its `#`.
  public let firstComment: String?
  /// The values that the document gives; defaults are not among them.
  public internal(set) var values = KeyValues()
  /// What has been found wrong so far.
  public internal(set) var problems: [DocumentProblem] = []

  var places: [KeyAddress: Place] = [:]
  var faulty: Set<KeyAddress> = []

  init(file: String, firstComment: String?) {
    self.file = file
    self.firstComment = firstComment
  }

  /// The value of a key: as given, or its default; nil if it is faulty, or absent without a default
  /// that is a plain value.
  public subscript<Value>(key: Key<Value>, indices: Int...) -> Value? {
    let address = KeyAddress(path: key.declaration.path, indices: indices)
    guard !isFaulty(address) else { return nil }
    if let value = values[address] { return key.decode(value) }
    guard case .value(let value) = key.declaration.fallback else { return nil }
    return key.decode(value)
  }

  /// Whether the document gives something at the address, be it right or wrong.
  public func isGiven(_ address: KeyAddress) -> Bool { places[address] != nil }

  /// Whether what stands at the address, or around it, is wrong.
  public func isFaulty(_ address: KeyAddress) -> Bool {
    var current: KeyAddress? = address
    while let here = current {
      if faulty.contains(here) { return true }
      current = here.enclosing
    }
    return false
  }

  /// The value of a key that the checks so far have shown to be there.
  ///
  /// - Throws: the problems collected, or that the key is missing.
  public func required<Value>(_ key: Key<Value>, _ indices: Int...) throws(DocumentError) -> Value {
    let address = KeyAddress(path: key.declaration.path, indices: indices)
    guard !isFaulty(address), let value = values[address] ?? key.declaration.fallback.value,
      let result = key.decode(value)
    else {
      let missing = missingProblem(key.declaration, at: address)
      throw DocumentError(problems.isEmpty ? [missing] : problems)
    }
    return result
  }

  /// Where the value stands; for an absent one where the mapping around it stands, or else the file.
  public func place(of address: KeyAddress) -> Place {
    var current: KeyAddress? = address
    while let here = current {
      if let place = places[here] { return place }
      current = here.enclosing
    }
    return .file(file)
  }

  /// Records that a value contradicts another one, and counts it as faulty from now on.
  public mutating func reject(
    _ address: KeyAddress, _ kind: DocumentProblem.Kind = .contradiction, found: String,
    allowed: String, nearest: String? = nil, advice: String? = nil
  ) {
    problems.append(
      DocumentProblem(
        kind, at: place(of: address), key: address.description, isDefault: !isGiven(address),
        found: found, allowed: allowed, nearest: nearest, advice: advice))
    faulty.insert(address)
  }

  /// Records that a key must be given here, although its declaration does not require it always.
  public mutating func rejectMissing<Value>(
    _ key: Key<Value>, _ indices: Int..., allowed: String? = nil, advice: String? = nil
  ) {
    let address = KeyAddress(path: key.declaration.path, indices: indices)
    problems.append(
      missingProblem(key.declaration, at: address, allowed: allowed, advice: advice))
    faulty.insert(address)
  }

  /// Throws what has been collected, if anything.
  public func finish() throws(DocumentError) {
    if !problems.isEmpty { throw DocumentError(problems) }
  }

  func missingProblem(
    _ declaration: KeyDeclaration, at address: KeyAddress, allowed: String? = nil,
    advice: String? = nil
  ) -> DocumentProblem {
    DocumentProblem(
      .missingKey, at: place(of: address), key: address.description, found: "nothing",
      allowed: allowed ?? declaration.type.allowed,
      advice: advice ?? "add the key (\(declaration.meaning.lowercasedFirst))")
  }
}

extension KeyDefault {
  var value: KeyValue? {
    if case .value(let value) = self { value } else { nil }
  }
}

extension String {
  /// The text with a small first letter, unless its first word is a symbol or an abbreviation.
  var lowercasedFirst: String {
    guard let first, dropFirst().first?.isLowercase == true || dropFirst().first == " " else {
      return self
    }
    return first.lowercased() + dropFirst()
  }
}
