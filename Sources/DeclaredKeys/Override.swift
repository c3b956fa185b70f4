/// One `PATH=VALUE`, applied to the node tree before it is read.
struct Override {
  let text: String
  let place: Place

  /// The override of a command line.
  init(text: String) {
    self.text = text
    place = .override(text)
  }

  /// The value of one key that stands somewhere else.
  init(_ setting: KeySetting) {
    text = "\(setting.path)=\(setting.text)"
    place = setting.place
  }

  /// A step of the path.
  private enum Step {
    case name(String)
    case index(Int)
  }

  /// Where the path stands among the declared keys.
  private enum Target {
    case section(SchemaSection)
    case list(KeyDeclaration, SchemaSection)
    case key(KeyDeclaration)
  }

  /// Puts the value where the path leads.
  func apply(
    to root: inout SourceNode, of schema: KeySchema, problems: inout [DocumentProblem]
  ) throws(DocumentError) {
    guard let equals = text.firstIndex(of: "="), equals > text.startIndex else {
      throw failure(found: "no PATH=VALUE", advice: "write for example solver.step_limit=1000")
    }
    let path = String(text[..<equals])
    let source = try relocated { () throws(DocumentError) in
      try SourceNode.compose(
        SourceText(String(text[text.index(after: equals)...]), file: "value"))
    }
    let value = source?.node ?? SourceNode(content: .nothing, place: place)
    problems += (source?.problems ?? []).map {
      DocumentProblem(
        $0.kind, at: place, key: $0.key.map { "\(path).\($0)" } ?? path, found: $0.found,
        allowed: $0.allowed, advice: $0.advice)
    }
    let (steps, target) = try resolve(path, root, schema)
    if case .section = target, case .scalar = value.content {
      throw failure(path, found: "a section", advice: "name one of its keys")
    }
    set(value.relocated(to: place), at: steps[...], in: &root)
  }

  /// The declared key that a path leads to.
  ///
  /// - Throws: when it leads nowhere, or to a section.
  func key(
    at path: String, in root: SourceNode, of schema: KeySchema
  ) throws(DocumentError) -> DeclaredPath {
    let (steps, target) = try resolve(path, root, schema)
    let address = KeyAddress(
      steps.map { step in
        switch step {
        case .name(let name): .name(name)
        case .index(let index): .index(index)
        }
      })
    switch target {
    case .section:
      throw failure(path, found: "a section", advice: "name one of its keys")
    case .list(let key, _): return DeclaredPath(address: address, type: key.type)
    case .key(let key):
      let isEntry = address.components.count > key.path.split(separator: ".").count
      if case .numbers(let range) = key.type, isEntry {
        return DeclaredPath(address: address, type: .real(range))
      }
      return DeclaredPath(address: address, type: key.type)
    }
  }

  /// The steps of a path, names of list elements turned into their positions.
  private func resolve(
    _ path: String, _ root: SourceNode, _ schema: KeySchema
  ) throws(DocumentError) -> ([Step], Target) {
    var steps: [Step] = []
    var target = Target.section(schema.root)
    var node: SourceNode? = root
    var address = KeyAddress()
    var parts = Self.parts(path)[...]
    while let part = parts.popFirst() {
      switch target {
      case .key:
        throw failure(
          path, found: "a path that goes beyond \(address)", advice: "stop at \(address)")
      case .section(let section):
        guard let child = section[part] else {
          throw failure(
            path, .unknownKey, found: "an unknown key",
            allowed: "the keys \(address.components.isEmpty ? "" : "of \(address): ")"
              + section.names.joined(separator: ", "),
            nearest: schema.nearestKey(to: part, in: section, at: address))
        }
        steps.append(.name(part))
        node = node?[part]
        address = address.entry(part)
        switch child {
        case .section(let inner): target = .section(inner)
        case .list(let key, let inner): target = .list(key, inner)
        case .key(let key):
          target = .key(key)
          // The names in a free mapping hold dots of their own.
          if case .numbers = key.type, !parts.isEmpty {
            steps.append(.name(parts.joined(separator: ".")))
            return (steps, target)
          }
        }
      case .list(_, let inner):
        let elements = node?.elements ?? []
        let position = part.hasPrefix("[") ? Int(part.dropFirst().dropLast()) : nil
        guard
          let index = position ?? elements.firstIndex(where: { $0["name"]?.text == part }),
          elements.indices.contains(index)
        else {
          let names = elements.compactMap { $0["name"]?.text?.excerpt(upTo: 40) }
          throw failure(
            path,
            found: "\(part.excerpt(upTo: 40)) where \(address) has \(elements.count) elements",
            allowed: elements.isEmpty
              ? "nothing, as the list is empty"
              : "\(address)[0]...\(address)[\(elements.count - 1)]"
                + (names.isEmpty
                  ? "" : " or \(address). with a name: \(names.joined(separator: ", "))"))
        }
        steps.append(.index(index))
        node = elements[index]
        address = address.element(index)
        target = .section(inner)
      }
    }
    return (steps, target)
  }

  /// `stages[0].until` becomes `stages`, `[0]`, `until`.
  private static func parts(_ path: String) -> [String] {
    path.split(separator: ".", omittingEmptySubsequences: false).flatMap { part in
      guard part.hasSuffix("]"), let bracket = part.firstIndex(of: "["), bracket > part.startIndex
      else { return [String(part)] }
      let indices = part[bracket...].split(separator: "]").map { "\($0)]" }
      return [String(part[..<bracket])] + indices
    }
  }

  private func set(_ value: SourceNode, at steps: ArraySlice<Step>, in node: inout SourceNode) {
    guard let step = steps.first else {
      node = value
      return
    }
    switch (step, node.content) {
    case (.index(let index), .sequence(var elements)):
      set(value, at: steps.dropFirst(), in: &elements[index])
      node.content = .sequence(elements)
    case (.name(let name), .mapping(var entries)):
      if let index = entries.firstIndex(where: { $0.name == name }) {
        var entry = entries[index]
        set(value, at: steps.dropFirst(), in: &entry.value)
        if steps.count == 1 {
          entry = SourceNode.Entry(name: name, place: place, value: entry.value)
        }
        entries[index] = entry
      } else {
        entries.append(fresh(name, value, steps))
      }
      node.content = .mapping(entries)
    case (.name(let name), _):
      // A key below something that is no mapping: the override takes its place.
      node = SourceNode(content: .mapping([fresh(name, value, steps)]), place: place)
    case (.index, _): break  // resolve has found a list there
    }
  }

  private func fresh(
    _ name: String, _ value: SourceNode, _ steps: ArraySlice<Step>
  ) -> SourceNode.Entry {
    var child = SourceNode(content: .mapping([]), place: place)
    set(value, at: steps.dropFirst(), in: &child)
    return SourceNode.Entry(name: name, place: place, value: child)
  }

  private func relocated<Result>(
    _ body: () throws(DocumentError) -> Result
  ) throws(DocumentError) -> Result {
    do {
      return try body()
    } catch {
      throw DocumentError(
        error.problems.map {
          DocumentProblem(
            $0.kind, at: place, key: $0.key, found: $0.found, allowed: "one YAML value",
            advice: "quote the value")
        })
    }
  }

  private func failure(
    _ path: String? = nil, _ kind: DocumentProblem.Kind = .badOverride, found: String,
    allowed: String = "PATH=VALUE with the path of a declared key", nearest: String? = nil,
    advice: String? = nil
  ) -> DocumentError {
    DocumentError([
      DocumentProblem(
        kind, at: place, key: path, found: found, allowed: allowed, nearest: nearest,
        advice: advice)
    ])
  }
}

extension SourceNode {
  fileprivate subscript(name: String) -> SourceNode? {
    guard case .mapping(let entries) = content else { return nil }
    return entries.first { $0.name == name }?.value
  }

  fileprivate var elements: [SourceNode]? {
    if case .sequence(let elements) = content { elements } else { nil }
  }

  fileprivate var text: String? {
    if case .scalar(let text) = content { text } else { nil }
  }
}
