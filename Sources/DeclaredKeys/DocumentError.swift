/// Everything that is wrong with a document, in reading order.
public struct DocumentError: Error, Sendable, Hashable {
  /// The problems; never empty.
  public let problems: [DocumentProblem]

  /// An error from its problems: each once, in reading order.
  ///
  /// - Precondition: there is at least one.
  public init(_ problems: [DocumentProblem]) {
    precondition(!problems.isEmpty, "an error needs a problem")
    var seen: Set<DocumentProblem> = []
    let unique = problems.filter { seen.insert($0).inserted }
    self.problems = unique.enumerated()
      .sorted { ($0.element.place, $0.offset) < ($1.element.place, $1.offset) }
      .map(\.element)
  }
}

extension DocumentError: CustomStringConvertible {
  /// One problem per line; of more than fifty only the first fifty and the number of the rest.
  public var description: String {
    let shown = problems.prefix(50)
    let rest = problems.count - shown.count
    return (shown.map(\.description) + (rest > 0 ? ["… and \(rest) more."] : []))
      .joined(separator: "\n")
  }
}
