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
  /// One problem per line.
  public var description: String {
    problems.map(\.description).joined(separator: "\n")
  }
}
