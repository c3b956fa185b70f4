public import DeclaredKeys

/// The parameters at the end of a run: the contents of `final.yaml`.
public struct FinalParameters: Sendable, Hashable {
  /// The parameters by name, in the order of the run's state vector.
  public var parameters: [NamedNumber]

  /// Parameters to write.
  public init(parameters: [NamedNumber]) { self.parameters = parameters }

  private static let version = Key.integer(
    "version", IntegerRange(1...1), default: .required, "The version of this format")
  private static let entries = Key.numbers(
    "parameters", .any, default: .required, "The parameters by name")

  /// The declared keys of `final.yaml`.
  public static let schema = KeySchema([version.declaration, entries.declaration])

  /// Reads a `final.yaml`.
  ///
  /// - Throws: everything that is wrong with the file.
  public init(contentsOf path: String) throws(DocumentError) {
    try self.init(Self.schema.read(contentsOf: path))
  }

  /// Reads the text of a `final.yaml`; messages call it `file`.
  ///
  /// - Throws: everything that is wrong with the text.
  public init(text: String, file: String) throws(DocumentError) {
    try self.init(Self.schema.read(text: text, file: file))
  }

  private init(_ document: KeyedDocument) throws(DocumentError) {
    try document.finish()
    parameters = try document.required(Self.entries)
  }

  /// The text of a `final.yaml`; it reads back to equal parameters.
  ///
  /// - Precondition: every parameter is finite.
  public var text: String {
    precondition(parameters.allSatisfy(\.value.isFinite), "a parameter is not finite")
    var values = KeyValues()
    values[Self.version] = 1
    values[Self.entries] = parameters
    return Self.schema.resolved(
      values, header: ["Final parameters; another experiment starts here through initial.file."])
  }
}
