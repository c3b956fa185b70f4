/// All keys of one kind of document, each declared once.
public struct KeySchema: Sendable {
  /// The declarations, in the order in which documents are written.
  public let keys: [KeyDeclaration]
  let root: SchemaSection
  /// One line on each section.
  public let sectionMeanings: [String: String]

  /// A schema from its keys and one line on each section.
  ///
  /// - Precondition: no path occurs twice, and a list is declared before its elements' keys.
  public init(_ keys: [KeyDeclaration], sections: [String: String] = [:]) {
    self.keys = keys
    sectionMeanings = sections
    var root = SchemaSection()
    for key in keys { root.insert(key, at: key.path.split(separator: ".")[...]) }
    self.root = root
  }
}
