// One file of the package, as far as the layer rules read it.

import Foundation

/// A source file: its path from the package's root, and its text.
struct SourceFile: Sendable {
  let path: String
  let text: String

  /// The target it belongs to: `CVODE` for `Sources/CVODE/Context.swift`.
  var target: String {
    let parts = path.split(separator: "/")
    return parts.count > 2 ? String(parts[1]) : ""
  }

  /// Whether it is part of the product, not of a test or a figure.
  var isProduct: Bool { path.hasPrefix("Sources/") }

  var isSwift: Bool { path.hasSuffix(".swift") }

  var lineCount: Int { text.split(separator: "\n", omittingEmptySubsequences: false).count }

  /// The text without comments and without what stands in string literals.
  ///
  /// It goes line by line; a nested literal inside an interpolation counts as code.
  var code: String {
    var lines: [String] = []
    var isInsideText = false
    for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
      if line.firstMatch(of: /^\s*\/\//) != nil && !isInsideText { continue }
      let quotes = line.matches(of: /"""/).count
      if quotes == 0 && isInsideText { continue }
      if !quotes.isMultiple(of: 2) { isInsideText.toggle() }
      let code = line.replacing(/"(?:\\.|[^"\\])*"/, with: "\"\"")
      lines.append(String(code.replacing(/\/\/.*/, with: "")))
    }
    return lines.joined(separator: "\n")
  }

  /// The modules it imports, with submodules: `CNumerics.Sundials`.
  var imports: [String] {
    guard isSwift else { return [] }
    let statement =
      /^\s*(?:@\w+\s+)*(?:(?:public|package|internal|fileprivate|private)\s+)?import\s+(?:(?:struct|class|enum|protocol|func|var|let|typealias)\s+)?(?<module>[\w.]+)/
      .anchorsMatchLineEndings()
    return code.matches(of: statement).map { String($0.output.module) }
  }

  /// The first components of ``imports``.
  var importedModules: [String] {
    imports.map { $0.split(separator: ".").first.map(String.init) ?? $0 }
  }
}
