/// A document with its overrides, not read against its keys yet: it can be read again and again,
/// each time with other values of some keys.
public struct DocumentTree: Sendable {
  let schema: KeySchema
  let file: String
  let firstComment: String?
  var root: SourceNode
  /// What is wrong with the text and the overrides.
  let problems: [DocumentProblem]

  /// Reads the document against the declared keys.
  ///
  /// - Parameter settings: values to put in place of those that stand there, in order.
  /// - Returns: the values, and what is wrong with single keys.
  public func read(setting settings: [KeySetting] = []) -> KeyedDocument {
    var root = root
    var document = KeyedDocument(file: file, firstComment: firstComment)
    document.problems = problems
    for setting in settings {
      do {
        try Override(setting).apply(to: &root, of: schema, problems: &document.problems)
      } catch {
        document.problems += error.problems.map {
          DocumentProblem(
            $0.kind, at: $0.place, key: $0.key ?? setting.path, found: $0.found,
            allowed: $0.allowed, nearest: $0.nearest, advice: $0.advice)
        }
      }
    }
    var decoder = SchemaDecoder(schema: schema, document: document)
    decoder.decode(schema.root, root, at: KeyAddress())
    return decoder.document
  }

  /// The document without some of its outermost keys.
  public func removing(_ names: Set<String>) -> DocumentTree {
    var copy = self
    if case .mapping(let entries) = root.content {
      copy.root.content = .mapping(entries.filter { !names.contains($0.name) })
    }
    return copy
  }

  /// The declared key that a path leads to, as after `--set`: `stages.copying.until`.
  ///
  /// - Throws: when it leads nowhere, or to a section.
  public func declaredKey(at path: String) throws(DocumentError) -> DeclaredPath {
    try Override(KeySetting(path: path, text: "", place: .file(file)))
      .key(at: path, in: root, of: schema)
  }
}

/// A value for one key that stands elsewhere than at the key itself.
public struct KeySetting: Sendable, Hashable {
  /// The path of the key, as after `--set`.
  public let path: String
  /// The value, in YAML.
  public let text: String
  /// Where the value stands, for messages.
  public let place: Place

  /// A setting from its parts.
  public init(path: String, text: String, place: Place) {
    self.path = path
    self.text = text
    self.place = place
  }
}

/// Where a path leads.
public struct DeclaredPath: Sendable, Hashable {
  /// The address, names of list elements turned into their positions.
  public let address: KeyAddress
  /// The type of the value there.
  public let type: KeyType
}

extension KeyAddress {
  /// Whether one of two addresses stands at or around the other.
  public func overlaps(_ other: KeyAddress) -> Bool {
    zip(components, other.components).allSatisfy { $0 == $1 }
  }

  /// The outermost key on the way here.
  public var outermostName: String? {
    if case .name(let name)? = components.first { name } else { nil }
  }
}
