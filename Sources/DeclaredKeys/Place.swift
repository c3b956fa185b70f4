/// Where a value, or the fault in it, stands: in a file, in a `--set`, or nowhere in particular.
public enum Place: Sendable, Hashable {
  /// A line and a column of a file, both counted from 1; columns count Unicode scalars.
  case position(file: String, line: Int, column: Int)
  /// A file as a whole: it cannot be read, or the key does not occur in it.
  case file(String)
  /// An override of the command line, as it was typed: `solver.step_limit=10`.
  case override(String)

  /// The line, where there is one.
  public var line: Int? {
    if case .position(_, let line, _) = self { line } else { nil }
  }

  /// The column, where there is one.
  public var column: Int? {
    if case .position(_, _, let column) = self { column } else { nil }
  }
}

extension Place: CustomStringConvertible {
  /// `experiments/x.yaml:12:3`, `experiments/x.yaml` or `--set solver.step_limit=10`.
  public var description: String {
    switch self {
    case .position(let file, let line, let column): "\(file):\(line):\(column)"
    case .file(let file): file
    case .override(let text): "--set \(text.excerpt(upTo: 80))"
    }
  }
}

extension Place: Comparable {
  /// Whole files first, then positions in reading order, then overrides.
  public static func < (left: Place, right: Place) -> Bool {
    left.rank < right.rank
  }

  private var rank: (Int, Int, Int) {
    switch self {
    case .file: (0, 0, 0)
    case .position(_, let line, let column): (1, line, column)
    case .override: (2, 0, 0)
    }
  }
}
