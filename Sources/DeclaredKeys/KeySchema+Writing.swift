extension KeySchema {
  /// A document with every value written out and its meaning in a comment above it.
  ///
  /// Keys without a value are left out. Reading the text gives the same values.
  ///
  /// - Parameters:
  ///   - values: the values to write; a key's default is not filled in.
  ///   - header: comment lines at the top, without their `#`; without any, the first line is empty,
  ///     so that no other comment takes its place.
  /// - Returns: the document's text.
  public func resolved(_ values: KeyValues, header: [String]) -> String {
    SchemaWriter(values: values, isTemplate: false).write(self, header)
  }

  /// A commented document to start from.
  ///
  /// Keys with an example are written; all others stand there as comments with their defaults.
  ///
  /// - Parameters:
  ///   - example: the values to write.
  ///   - header: comment lines at the top, without their `#`.
  /// - Returns: the document's text.
  public func template(_ example: KeyValues, header: [String]) -> String {
    SchemaWriter(values: example, isTemplate: true).write(self, header)
  }
}

private struct SchemaWriter {
  let values: KeyValues
  let isTemplate: Bool
  private var lines: [String] = []
  private var meanings: [String: String] = [:]

  init(values: KeyValues, isTemplate: Bool) {
    self.values = values
    self.isTemplate = isTemplate
  }

  func write(_ schema: KeySchema, _ header: [String]) -> String {
    var writer = self
    writer.meanings = schema.sectionMeanings
    writer.lines = header.isEmpty ? [""] : header.map { $0.isEmpty ? "#" : "# \($0)" }
    writer.write(schema.root, at: KeyAddress(), depth: 0, isFirst: true)
    return writer.lines.joined(separator: "\n") + "\n"
  }

  private func holdsValues(_ section: SchemaSection, at address: KeyAddress) -> Bool {
    section.children.contains { child in
      let here = address.entry(child.name)
      if case .section(let inner) = child.node { return holdsValues(inner, at: here) }
      return values[here] != nil
    }
  }

  private mutating func write(
    _ section: SchemaSection, at address: KeyAddress, depth: Int, isFirst: Bool
  ) {
    var followsSection = false
    for child in section.children {
      let here = address.entry(child.name)
      // A single key behind a section would seem to belong to it.
      if case .key = child.node {
        if depth == 0, followsSection, isTemplate || values[here] != nil { lines.append("") }
      } else {
        followsSection = true
      }
      switch child.node {
      case .section(let inner):
        guard isTemplate || holdsValues(inner, at: here) else { continue }
        lines.append("")
        comment(meanings[here.description] ?? "", depth)
        line("\(child.name):", depth)
        write(inner, at: here, depth: depth + 1, isFirst: isFirst)
      case .key(let key): write(key, child.name, at: here, depth, isFirst)
      case .list(let key, let inner):
        if depth == 0, isTemplate || values[here] != nil { lines.append("") }
        write(key, inner, child.name, at: here, depth, isFirst)
      }
    }
  }

  private mutating func write(
    _ key: KeyDeclaration, _ name: String, at address: KeyAddress, _ depth: Int, _ isFirst: Bool
  ) {
    guard isTemplate || values[address] != nil else { return }
    if isFirst { comment(remark(key), depth) }
    switch values[address] {
    case .numbers(let entries) where entries.count > 1:
      line("\(name):", depth)
      for entry in entries { line("\(entry.name.yaml): \(entry.value.yaml)", depth + 1) }
    case let value?: line("\(name): \(value.yaml)", depth)
    case nil:
      if isFirst { line("# \(name):\(sample(key).map { " \($0)" } ?? "")", depth) }
    }
  }

  private mutating func write(
    _ key: KeyDeclaration, _ inner: SchemaSection, _ name: String, at address: KeyAddress,
    _ depth: Int, _ isFirst: Bool
  ) {
    guard isTemplate || values[address] != nil else { return }
    if isFirst { comment(remark(key), depth) }
    guard case .mappings(let count)? = values[address], count > 0 else {
      if values[address] != nil {
        line("\(name): []", depth)
      } else if isFirst {
        line("# \(name):\(sample(key).map { " \($0)" } ?? "")", depth)
      }
      return
    }
    line("\(name):", depth)
    for index in 0..<count {
      let start = lines.count
      write(inner, at: address.element(index), depth: depth + 2, isFirst: isFirst && index == 0)
      // The dash goes in front of the element's first key.
      let indent = String(repeating: "  ", count: depth + 1)
      if let first = lines[start...].firstIndex(where: {
        !$0.drop { $0 == " " }.hasPrefix("#") && !$0.isEmpty
      }) {
        for comment in start..<first { lines[comment] = indent + lines[comment].drop { $0 == " " } }
        lines[first] = indent + "- " + lines[first].drop { $0 == " " }
      } else {
        lines.append(indent + "- {}")
      }
    }
  }

  private func sample(_ key: KeyDeclaration) -> String? { key.sample ?? key.fallback.value?.yaml }

  /// The meaning and, in a template, what is allowed and the default.
  private func remark(_ key: KeyDeclaration) -> String {
    var text = key.meaning
    if let unit = key.unit { text += " [\(unit)]" }
    guard isTemplate else { return text }
    text += ". Allowed: \(key.type.allowed)"
    switch key.fallback {
    case .required: return text + "; required"
    case .value, .described: return text + "; default: \(key.fallback.words)"
    }
  }

  private mutating func line(_ text: String, _ depth: Int) {
    lines.append(String(repeating: "  ", count: depth) + text)
  }

  /// The comment, broken at 100 columns.
  private mutating func comment(_ text: String, _ depth: Int) {
    var current = ""
    for word in text.split(separator: " ") {
      if !current.isEmpty, current.count + word.count + 2 * depth + 3 > 100 {
        line("# \(current)", depth)
        current = ""
      }
      current += current.isEmpty ? String(word) : " \(word)"
    }
    if !current.isEmpty { line("# \(current)", depth) }
  }
}
