/// The declared type of a key: it decides how the text is read and what is allowed.
public enum KeyType: Sendable, Hashable {
  /// A whole number; 3, 3.0 and 3e0 are the same one.
  case integer(IntegerRange)
  /// A real number.
  case real(RealRange)
  /// `true` or `false`, and no other word.
  case boolean
  /// One of the words listed.
  case choice([String])
  /// A name: a letter, then letters, digits, `_` or `-`.
  case identifier
  /// Any text but the empty one.
  case string
  /// The path of a file.
  case file
  /// A list of whole numbers.
  case integers(IntegerRange, ListRule)
  /// A list of real numbers.
  case reals(RealRange, ListRule)
  /// A list of words out of those listed.
  case choices([String], ListRule)
  /// A list of values of any kind, each kept as a text that reads as YAML.
  case values(ListRule)
  /// A list of lists of whole numbers; the rule holds for each inner list.
  case integerLists(IntegerRange, ListRule)
  /// A list of mappings whose keys are declared as `path[].key`.
  case mappings(ListRule)
  /// A mapping from free names to real numbers.
  case numbers(RealRange)

  /// The type in one or two words, for the reference.
  public var name: String {
    switch self {
    case .integer: "integer"
    case .real: "real"
    case .boolean: "boolean"
    case .choice: "word"
    case .identifier: "name"
    case .string: "text"
    case .file: "file"
    case .integers: "list of integers"
    case .reals: "list of reals"
    case .choices: "list of words"
    case .values: "list of values"
    case .integerLists: "list of lists of integers"
    case .mappings: "list of mappings"
    case .numbers: "mapping name → real"
    }
  }

  /// What is allowed, in words that follow "allowed:".
  public var allowed: String {
    switch self {
    case .integer(let range): "an integer\(range.suffix)"
    case .real(let range): "a real number\(range.suffix)"
    case .boolean: "true or false"
    case .choice(let words): words.joined(separator: " | ")
    case .identifier: "a letter, then letters, digits, _ or -"
    case .string: "text"
    case .file: "the path of a file"
    case .integers(let range, let rule): "a list of \(rule.words("integers"))\(range.suffix)"
    case .reals(let range, let rule): "a list of \(rule.words("real numbers"))\(range.suffix)"
    case .choices(let words, let rule):
      "a list of \(rule.words("words")) out of \(words.joined(separator: ", "))"
    case .values(let rule): "a list of \(rule.words("values"))"
    case .integerLists(let range, let rule):
      "a list of lists of \(rule.words("integers"))\(range.suffix)"
    case .mappings(let rule):
      rule.contains(.notEmpty) ? "a list of at least one mapping" : "a list of mappings"
    case .numbers(let range): "a mapping from names to real numbers\(range.suffix)"
    }
  }
}

extension ListRule {
  /// `distinct integers, at least one,` from `integers`.
  fileprivate func words(_ noun: String) -> String {
    (contains(.notEmpty) ? "one or more " : "") + (contains(.distinct) ? "distinct " : "") + noun
  }
}
