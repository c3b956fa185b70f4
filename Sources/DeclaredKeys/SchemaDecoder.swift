/// Reads a node tree against the declared keys and collects what is wrong.
struct SchemaDecoder {
  let schema: KeySchema
  var document: KeyedDocument
  /// The key being read, for its meaning and default in messages.
  private var current: KeyDeclaration?

  init(schema: KeySchema, document: KeyedDocument) {
    self.schema = schema
    self.document = document
  }

  mutating func decode(_ section: SchemaSection, _ node: SourceNode?, at address: KeyAddress) {
    var given: Set<String> = []
    switch node?.content {
    case nil, .nothing: break
    case .mapping(let entries):
      for entry in entries {
        let child = address.entry(entry.name)
        guard let declared = section[entry.name] else {
          report(unknown: entry, in: section, at: address)
          continue
        }
        given.insert(entry.name)
        document.places[child] = entry.place
        switch declared {
        case .section(let inner): decode(inner, entry.value, at: child)
        case .key(let key): decode(key, entry.value, at: child)
        case .list(let key, let inner): decode(key, inner, entry.value, at: child)
        }
      }
    case .scalar, .sequence:
      report(
        .wrongType, address, node,
        allowed: "a mapping with the keys \(section.names.joined(separator: ", "))")
      return
    }
    for child in section.children where !given.contains(child.name) {
      let childAddress = address.entry(child.name)
      switch child.node {
      case .section(let inner): decode(inner, nil, at: childAddress)
      case .key(let key), .list(let key, _):
        guard case .required = key.fallback else { continue }
        document.problems.append(document.missingProblem(key, at: childAddress))
        document.faulty.insert(childAddress)
      }
    }
  }

  private mutating func report(
    unknown entry: SourceNode.Entry, in section: SchemaSection, at address: KeyAddress
  ) {
    let owner = address.description
    let isMerge = entry.name == "<<"
    document.problems.append(
      DocumentProblem(
        .unknownKey, at: entry.place, key: address.entry(entry.name).description,
        found: "an unknown key",
        allowed: "the keys \(owner.isEmpty ? "" : "of \(owner): ")"
          + section.names.joined(separator: ", "),
        nearest: isMerge || document.problems.count > 100
          ? nil : schema.nearestKey(to: entry.name, in: section, at: address),
        advice: isMerge ? "write the keys out; merging is not read" : nil))
  }

  private mutating func decode(
    _ key: KeyDeclaration, _ inner: SchemaSection, _ node: SourceNode, at address: KeyAddress
  ) {
    guard case .sequence(let elements) = node.content else {
      return report(.wrongType, address, node, allowed: key.type.allowed)
    }
    if case .mappings(let rule) = key.type, rule.contains(.notEmpty), elements.isEmpty {
      return report(.notAllowed, address, node, allowed: key.type.allowed)
    }
    document.values[address] = .mappings(count: elements.count)
    for (index, element) in elements.enumerated() {
      let elementAddress = address.element(index)
      document.places[elementAddress] = element.place
      guard case .mapping = element.content else {
        report(
          .wrongType, elementAddress, element,
          allowed: "a mapping with the keys \(inner.names.joined(separator: ", "))")
        continue
      }
      decode(inner, element, at: elementAddress)
    }
  }

  private mutating func decode(_ key: KeyDeclaration, _ node: SourceNode, at address: KeyAddress) {
    current = key
    defer { current = nil }
    let before = document.problems.count
    let value = read(key.type, node, at: address)
    if document.problems.count == before, let value {
      document.values[address] = value
    } else {
      document.faulty.insert(address)
    }
  }

  mutating func report(
    _ kind: DocumentProblem.Kind, _ address: KeyAddress, _ node: SourceNode?, found: String? = nil,
    allowed: String, advice: String? = nil
  ) {
    var remedy = "choose an allowed value"
    if let value = current?.fallback.value { remedy += ", or remove the key for \(value.yaml)" }
    document.problems.append(
      DocumentProblem(
        kind, at: document.place(of: address), key: address.description,
        found: found ?? node?.found ?? "nothing",
        allowed: allowed + (current.map { " (\($0.meaning.lowercasedFirst))" } ?? ""),
        advice: advice ?? remedy))
    document.faulty.insert(address)
  }
}
