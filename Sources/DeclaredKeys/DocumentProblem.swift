/// One thing that is wrong with a document: where, which key, what was found, what is allowed.
public struct DocumentProblem: Sendable, Hashable {
  /// What kind of fault it is.
  public enum Kind: Sendable, Hashable, CaseIterable {
    /// There is no file of that name.
    case noSuchFile
    /// The name belongs to a folder.
    case isFolder
    /// The file is there but cannot be read.
    case unreadable
    /// The file is larger, more deeply nested or has more aliases than any document of this kind.
    case tooLarge
    /// The bytes are not UTF-8.
    case notUTF8
    /// The text is not YAML.
    case notYAML
    /// The document holds nothing.
    case empty
    /// The key is not declared.
    case unknownKey
    /// The key occurs twice in one mapping.
    case duplicateKey
    /// The key is required and absent.
    case missingKey
    /// The value is of another type than the declared one.
    case wrongType
    /// The value has the declared type and lies outside the allowed range or words.
    case notAllowed
    /// A list holds the same element twice.
    case repeatedElement
    /// The value contradicts another key.
    case contradiction
    /// The `--set` is not of the form PATH=VALUE, or its path leads nowhere.
    case badOverride
  }

  /// What kind of fault it is.
  public let kind: Kind
  /// Where it stands.
  public let place: Place
  /// The key with list positions written out, such as `stages[1].until`; nil for a whole file.
  public let key: String?
  /// Whether the value found is the key's default, because the document does not give the key.
  public let isDefault: Bool
  /// What was found, in words.
  public let found: String
  /// What is allowed, in words.
  public let allowed: String
  /// The declared key nearest to an unknown one.
  public let nearest: String?
  /// What to do about it: a sentence without its full stop.
  public let advice: String?

  /// A problem from its parts.
  public init(
    _ kind: Kind, at place: Place, key: String? = nil, isDefault: Bool = false, found: String,
    allowed: String, nearest: String? = nil, advice: String? = nil
  ) {
    self.kind = kind
    self.place = place
    self.key = key
    self.isDefault = isDefault
    self.found = found
    self.allowed = allowed
    self.nearest = nearest
    self.advice = advice
  }
}

extension DocumentProblem.Kind {
  /// What can be done about any problem of this kind, where nothing better is known.
  fileprivate var advice: String {
    switch self {
    case .noSuchFile, .isFolder, .unreadable: "name a file that can be read"
    case .tooLarge: "write it shorter"
    case .notUTF8: "save it as UTF-8"
    case .notYAML: "correct the YAML at this place"
    case .empty, .missingKey: "write the keys that are needed"
    case .unknownKey: "correct its name, or leave it out"
    case .duplicateKey, .repeatedElement: "leave one of them out"
    case .contradiction: "change one of the two"
    case .wrongType, .notAllowed, .badOverride: "choose what is allowed"
    }
  }
}

extension DocumentProblem: CustomStringConvertible {
  /// One line: `x.yaml:12:3: data.length: found -1; allowed: an integer ≥ 1. What to do: …`.
  public var description: String {
    var text = "\(place): "
    if let key { text += key.excerpt(upTo: 80) + (isDefault ? " (default): " : ": ") }
    text += "found \(found); allowed: \(allowed)."
    let advices = [nearest.map { "did you mean \($0)?" }, advice.map { "\($0)." }].compactMap(
      \.self)
    return text + " What to do: "
      + (advices.isEmpty ? "\(kind.advice)." : advices.joined(separator: " "))
  }
}
