/// A node of a document, with the place of everything in it.
struct SourceNode: Sendable {
  struct Entry: Sendable {
    let name: String
    let place: Place
    var value: SourceNode
  }

  enum Content: Sendable {
    /// An empty value, `~` or `null`, not quoted.
    case nothing
    case scalar(String)
    case sequence([SourceNode])
    case mapping([Entry])
  }

  var content: Content
  var place: Place

  /// What stands here, in words that follow "found".
  var found: String {
    switch content {
    case .nothing: "nothing"
    case .scalar(""): "an empty text"
    case .scalar(let text): text.excerpt(upTo: 40)
    case .sequence(let elements): elements.isEmpty ? "an empty list" : "a list of \(elements.count)"
    case .mapping: "a mapping"
    }
  }

  /// The same node with every place replaced by one.
  func relocated(to place: Place) -> SourceNode {
    let content: Content =
      switch content {
      case .nothing, .scalar: content
      case .sequence(let elements): .sequence(elements.map { $0.relocated(to: place) })
      case .mapping(let entries):
        .mapping(
          entries.map {
            Entry(name: $0.name, place: place, value: $0.value.relocated(to: place))
          })
      }
    return SourceNode(content: content, place: place)
  }
}
