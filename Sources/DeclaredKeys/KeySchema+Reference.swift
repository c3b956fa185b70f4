extension KeySchema {
  /// The keys as Markdown, one table per section.
  public var reference: String {
    var blocks: [String] = []
    var rows: [String] = []
    var current: String?
    func close() {
      guard let current else { return }
      var lines = ["### \(current)", ""]
      if let meaning = sectionMeanings[current] { lines += ["\(meaning.cell).", ""] }
      lines += ["| Key | Allowed | Default | Meaning |", "|---|---|---|---|"]
      blocks.append((lines + rows).joined(separator: "\n"))
      rows = []
    }
    for key in keys {
      let section = key.path.split(separator: ".").first.map {
        $0.hasSuffix("[]") ? String($0.dropLast(2)) : String($0)
      }
      if section != current {
        close()
        current = section
      }
      let fallback = key.fallback.value.map { "`\($0.yaml)`" } ?? key.fallback.words
      let unit = key.unit.map { ", in \($0)" } ?? ""
      let cells = ["`\(key.path)`", key.type.allowed + unit, fallback, key.meaning]
      rows.append("| " + cells.map(\.cell).joined(separator: " | ") + " |")
    }
    close()
    return blocks.joined(separator: "\n\n") + "\n"
  }
}

extension String {
  /// The text with the bars that would end a table cell written as escapes.
  fileprivate var cell: String {
    map { $0 == "|" ? "\\|" : String($0) }.joined()
  }
}
