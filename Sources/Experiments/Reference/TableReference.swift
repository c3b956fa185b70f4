/// What stands in a table that the program writes: its columns, and what each one means.
///
/// The documentation is made from these, and a test holds them against the tables of real runs, both ways.
public struct TableReference: Sendable {
  /// A column, or a family of columns.
  public struct Column: Sendable {
    /// The name; what stands between ‹ and › is filled in by the run: `c.‹S›`.
    public let name: String
    /// What it holds, with its unit: one sentence without its full stop.
    public let meaning: String

    init(_ name: String, _ meaning: String) {
      self.name = name
      self.meaning = meaning
    }

    /// Whether a column of this name is meant.
    ///
    /// - Parameter column: as it stands in the first line of a table.
    /// - Returns: whether it fits, each placeholder being any text but the empty one.
    public func matches(_ column: String) -> Bool {
      var rest = column[...]
      var isFree = false
      for (index, piece) in name.split(
        omittingEmptySubsequences: false, whereSeparator: { $0 == "‹" || $0 == "›" }
      ).enumerated() {
        // Pieces with odd numbers are placeholders.
        guard index % 2 == 0 else {
          isFree = true
          continue
        }
        if !isFree {
          guard rest.hasPrefix(piece) else { return false }
          rest = rest.dropFirst(piece.count)
        } else if piece.isEmpty {
          guard !rest.isEmpty else { return false }
          rest = rest.suffix(0)
        } else {
          guard let range = rest.dropFirst().firstRange(of: piece) else { return false }
          rest = rest[range.upperBound...]
        }
        isFree = false
      }
      return rest.isEmpty
    }
  }

  /// The files that have these columns.
  public let files: [String]
  /// What a row is, and who writes the table.
  public let meaning: String
  /// The columns in their order; where several fit a name, the first one is meant.
  public let columns: [Column]

  /// The column that is meant by a name; nil if the table has none such.
  public func column(named name: String) -> Column? { columns.first { $0.matches(name) } }

  /// The table of a file; nil for a file that is none of the program's.
  public static func table(of file: String) -> TableReference? {
    all.first { $0.files.contains(file) }
  }

  /// All tables as Markdown.
  public static var markdown: String {
    all.map { table in
      let rows = table.columns.map {
        "| `\($0.name)` | \($0.meaning.replacing("|", with: "\\|")) |"
      }
      let title = table.files.map { "`\($0)`" }.joined(separator: ", ")
      return
        (["## \(title)", "", table.meaning, "", "| Column | Meaning |", "| --- | --- |"] + rows)
        .joined(separator: "\n")
    }.joined(separator: "\n\n") + "\n"
  }
}
