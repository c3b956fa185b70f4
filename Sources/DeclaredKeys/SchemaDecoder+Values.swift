extension SchemaDecoder {
  /// The value of a node under its declared type; nil after a problem has been reported.
  mutating func read(_ type: KeyType, _ node: SourceNode, at address: KeyAddress) -> KeyValue? {
    switch type {
    case .integer(let range): return integer(node, range, at: address).map(KeyValue.integer)
    case .real(let range): return real(node, range, at: address).map(KeyValue.real)
    case .boolean: return boolean(node, at: address).map(KeyValue.boolean)
    case .choice(let words): return word(node, words, at: address).map(KeyValue.text)
    case .identifier: return identifier(node, type, at: address).map(KeyValue.text)
    case .string, .file: return text(node, type, at: address).map(KeyValue.text)
    case .integers(let range, let rule):
      return list(node, type, rule, at: address) { $0.integer($1, range, at: $2) }
        .map(KeyValue.integers)
    case .reals(let range, let rule):
      return list(node, type, rule, at: address) { $0.real($1, range, at: $2) }.map(KeyValue.reals)
    case .choices(let words, let rule):
      return list(node, type, rule, at: address) { $0.word($1, words, at: $2) }.map(KeyValue.texts)
    case .values(let rule):
      return list(node, type, rule, at: address) { $0.value($1, at: $2) }.map(KeyValue.texts)
    case .integerLists(let range, let rule):
      let inner = KeyType.integers(range, rule)
      return list(node, type, [.notEmpty], at: address) {
        $0.list($1, inner, rule, at: $2) { $0.integer($1, range, at: $2) }
      }.map(KeyValue.integerLists)
    case .numbers(let range): return numbers(node, type, range, at: address).map(KeyValue.numbers)
    case .mappings: preconditionFailure("lists of mappings are read key by key")
    }
  }

  private mutating func scalar(
    _ node: SourceNode, at address: KeyAddress, allowed: String
  ) -> String? {
    if case .scalar(let text) = node.content { return text }
    report(.wrongType, address, node, allowed: allowed)
    return nil
  }

  private mutating func integer(
    _ node: SourceNode, _ range: IntegerRange, at address: KeyAddress
  ) -> Int? {
    let allowed = KeyType.integer(range).allowed
    guard let text = scalar(node, at: address, allowed: allowed) else { return nil }
    guard let number = NumberText(text), number.isWhole else {
      report(.wrongType, address, node, allowed: allowed)
      return nil
    }
    guard let value = number.integer else {
      report(.notAllowed, address, node, allowed: "\(allowed), below 2^63 in size")
      return nil
    }
    guard range.contains(value) else {
      report(.notAllowed, address, node, allowed: allowed)
      return nil
    }
    return value
  }

  private mutating func real(
    _ node: SourceNode, _ range: RealRange, at address: KeyAddress
  ) -> Double? {
    let allowed = KeyType.real(range).allowed
    guard let text = scalar(node, at: address, allowed: allowed) else { return nil }
    let written = NumberText(text)?.real
    guard let value = written ?? Double(nonFinite: text) else {
      report(.wrongType, address, node, allowed: allowed)
      return nil
    }
    if written?.isInfinite == true {
      report(
        .notAllowed, address, node,
        allowed: "\(allowed), at most \(Double.greatestFiniteMagnitude) in size")
      return nil
    }
    guard range.contains(value) else {
      report(.notAllowed, address, node, allowed: allowed)
      return nil
    }
    return value
  }

  private mutating func boolean(_ node: SourceNode, at address: KeyAddress) -> Bool? {
    let allowed = KeyType.boolean.allowed
    guard let text = scalar(node, at: address, allowed: allowed) else { return nil }
    switch text {
    case "true": return true
    case "false": return false
    default:
      report(.wrongType, address, node, allowed: allowed)
      return nil
    }
  }

  private mutating func word(
    _ node: SourceNode, _ words: [String], at address: KeyAddress
  ) -> String? {
    let allowed = KeyType.choice(words).allowed
    guard let text = scalar(node, at: address, allowed: allowed) else { return nil }
    guard words.contains(text) else {
      let nearest = words.map { (word: $0, distance: editDistance(text.lowercased(), $0)) }
        .filter { text.utf8.count <= 64 && $0.distance <= max(1, $0.word.count / 3) }
        .min { $0.distance < $1.distance }?.word
      report(
        .notAllowed, address, node, allowed: allowed, advice: nearest.map { "write \($0)" })
      return nil
    }
    return text
  }

  private mutating func identifier(
    _ node: SourceNode, _ type: KeyType, at address: KeyAddress
  ) -> String? {
    guard let text = scalar(node, at: address, allowed: type.allowed) else { return nil }
    guard text.isIdentifier else {
      report(.notAllowed, address, node, allowed: type.allowed)
      return nil
    }
    return text
  }

  /// A value of any kind as a text that reads as YAML; a scalar is its own text.
  private mutating func value(_ node: SourceNode, at address: KeyAddress) -> String? {
    if case .scalar(let text) = node.content, !text.isEmpty { return text }
    if case .sequence = node.content { return node.flow }
    if case .mapping = node.content { return node.flow }
    report(.wrongType, address, node, allowed: "a value")
    return nil
  }

  private mutating func text(
    _ node: SourceNode, _ type: KeyType, at address: KeyAddress
  ) -> String? {
    guard let text = scalar(node, at: address, allowed: type.allowed) else { return nil }
    guard !text.isEmpty, !text.unicodeScalars.contains("\0") else {
      report(.notAllowed, address, node, allowed: "\(type.allowed), neither empty nor with NUL")
      return nil
    }
    return text
  }

  private mutating func list<Element: Hashable>(
    _ node: SourceNode, _ type: KeyType, _ rule: ListRule, at address: KeyAddress,
    element read: (inout SchemaDecoder, SourceNode, KeyAddress) -> Element?
  ) -> [Element]? {
    guard case .sequence(let nodes) = node.content else {
      report(.wrongType, address, node, allowed: type.allowed)
      return nil
    }
    if rule.contains(.notEmpty), nodes.isEmpty {
      report(.notAllowed, address, node, allowed: type.allowed)
      return nil
    }
    var elements: [Element] = []
    var seen: Set<Element> = []
    for (index, node) in nodes.enumerated() {
      let elementAddress = address.element(index)
      document.places[elementAddress] = node.place
      guard let element = read(&self, node, elementAddress) else { continue }
      if rule.contains(.distinct), !seen.insert(element).inserted {
        report(
          .repeatedElement, elementAddress, node, found: "\(node.found) a second time",
          allowed: type.allowed)
        continue
      }
      elements.append(element)
    }
    return elements.count == nodes.count ? elements : nil
  }

  private mutating func numbers(
    _ node: SourceNode, _ type: KeyType, _ range: RealRange, at address: KeyAddress
  ) -> [NamedNumber]? {
    if case .nothing = node.content { return [] }
    guard case .mapping(let entries) = node.content else {
      report(.wrongType, address, node, allowed: type.allowed)
      return nil
    }
    var numbers: [NamedNumber] = []
    for entry in entries {
      let entryAddress = address.entry(entry.name)
      document.places[entryAddress] = entry.place
      guard let value = real(entry.value, range, at: entryAddress) else { continue }
      numbers.append(NamedNumber(entry.name, value))
    }
    return numbers.count == entries.count ? numbers : nil
  }
}

extension String {
  /// A letter, then letters, digits, `_` or `-`, all ASCII.
  var isIdentifier: Bool {
    func isLetter(_ byte: UInt8) -> Bool { (0x41...0x5A).contains(byte & 0xDF) }
    guard let first = utf8.first, isLetter(first) else { return false }
    return utf8.allSatisfy {
      isLetter($0) || (0x30...0x39).contains($0) || $0 == 0x5F || $0 == 0x2D
    }
  }
}
