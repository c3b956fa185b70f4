extension KeySchema {
  /// Reads a file against the declared keys.
  ///
  /// Problems with single keys are collected in the result, so that checks across keys can add
  /// theirs before ``KeyedDocument/finish()`` throws them all.
  ///
  /// - Parameters:
  ///   - path: the file.
  ///   - overrides: `PATH=VALUE` each, applied in order before the keys are read.
  /// - Returns: the values, and what is wrong with single keys.
  /// - Throws: what leaves no keys to read: no such file, not UTF-8, not YAML, nothing in it.
  public func read(
    contentsOf path: String, overrides: [String] = []
  ) throws(DocumentError) -> KeyedDocument {
    try tree(contentsOf: path, overrides: overrides).read()
  }

  /// Reads a text against the declared keys.
  ///
  /// - Parameters:
  ///   - text: the document.
  ///   - file: the name that messages give it.
  ///   - overrides: `PATH=VALUE` each, applied in order before the keys are read.
  /// - Returns: the values, and what is wrong with single keys.
  /// - Throws: what leaves no keys to read: not YAML, nothing in it.
  public func read(
    text: String, file: String, overrides: [String] = []
  ) throws(DocumentError) -> KeyedDocument {
    try tree(text: text, file: file, overrides: overrides).read()
  }

  /// The tree of a file with its overrides, to be read more than once.
  ///
  /// - Parameters:
  ///   - path: the file.
  ///   - overrides: `PATH=VALUE` each, applied in order.
  /// - Returns: the tree.
  /// - Throws: what leaves no keys to read: no such file, not UTF-8, not YAML, nothing in it.
  public func tree(
    contentsOf path: String, overrides: [String] = []
  ) throws(DocumentError) -> DocumentTree {
    try tree(SourceText(contentsOf: path), overrides)
  }

  /// The tree of a text with its overrides, to be read more than once.
  ///
  /// - Parameters:
  ///   - text: the document.
  ///   - file: the name that messages give it.
  ///   - overrides: `PATH=VALUE` each, applied in order.
  /// - Returns: the tree.
  /// - Throws: what leaves no keys to read: not YAML, nothing in it.
  public func tree(
    text: String, file: String, overrides: [String] = []
  ) throws(DocumentError) -> DocumentTree {
    try tree(SourceText(text, file: file), overrides)
  }

  private func tree(
    _ source: SourceText, _ overrides: [String]
  ) throws(DocumentError) -> DocumentTree {
    let allowed = "a mapping with the keys \(root.names.joined(separator: ", "))"
    guard var (node, problems) = try SourceNode.compose(source) else {
      throw DocumentError([
        DocumentProblem(
          .empty, at: .file(source.file), found: "an empty document", allowed: allowed)
      ])
    }
    switch node.content {
    case .mapping: break
    case .nothing:
      throw DocumentError([
        DocumentProblem(.empty, at: node.place, found: "an empty document", allowed: allowed)
      ])
    case .scalar, .sequence:
      throw DocumentError([
        DocumentProblem(.wrongType, at: node.place, found: node.found, allowed: allowed)
      ])
    }
    for text in overrides {
      do {
        try Override(text: text).apply(to: &node, of: self, problems: &problems)
      } catch {
        problems += error.problems
      }
    }
    return DocumentTree(
      schema: self, file: source.file, firstComment: source.firstComment, root: node,
      problems: problems)
  }
}
