// One file of the package, as far as the layer rules read it.

/// A source file: its path from the package's root, and what is read from its text.
struct SourceFile: Sendable {
  let path: String
  let text: String

  /// The text without comments and without what stands in string literals.
  let code: String

  /// The words of the code, those that are called with their parenthesis: `print(`.
  let words: [Substring]

  /// The modules it imports, with submodules: `CNumerics.Sundials`.
  let imports: [String]

  init(path: String, text: String) {
    self.path = path
    self.text = text
    code = Self.code(of: text)
    words = Self.words(of: code)
    imports = path.hasSuffix(".swift") ? code.split(separator: "\n").compactMap(Self.module) : []
  }

  /// The target it belongs to: `CVODE` for `Sources/CVODE/Context.swift`.
  var target: String {
    let parts = path.split(separator: "/")
    return parts.count > 2 ? String(parts[1]) : ""
  }

  /// Whether it is part of the product, not of a test or a figure.
  var isProduct: Bool { path.hasPrefix("Sources/") }

  var lineCount: Int {
    text.utf8.count { $0 == UInt8(ascii: "\n") }
  }

  /// The first components of ``imports``.
  var importedModules: [String] {
    imports.map { String($0.prefix { $0 != "." }) }
  }

  /// The first word or pair of neighbouring words of the code that is in the list.
  func firstUse(of words: Set<String>, pairs: Set<[String]> = []) -> String? {
    if let word = self.words.first(where: { words.contains(String($0)) }) { return String(word) }
    return zip(self.words, self.words.dropFirst()).lazy.map { [String($0), String($1)] }
      .first { pairs.contains($0) }?.joined(separator: " ")
  }
}

// MARK: - Reading

extension SourceFile {
  private static let newline = UInt8(ascii: "\n")
  private static let quote = UInt8(ascii: "\"")

  /// Goes byte by byte; a literal nested in an interpolation counts as code.
  private static func code(of text: String) -> String {
    let bytes = Array(text.utf8)
    var code: [UInt8] = []
    var i = 0
    func comes(_ text: StaticString) -> Bool {
      bytes[i...].starts(with: "\(text)".utf8)
    }
    while i < bytes.count {
      if comes("//") {
        while i < bytes.count && bytes[i] != newline { i += 1 }
      } else if comes("\"\"\"") {
        i += 3
        while i < bytes.count && !comes("\"\"\"") { i += 1 }
        i += 3
      } else if bytes[i] == quote {
        i += 1
        while i < bytes.count && bytes[i] != quote && bytes[i] != newline {
          i += bytes[i] == UInt8(ascii: "\\") ? 2 : 1
        }
        i += 1
      } else {
        code.append(bytes[i])
        i += 1
      }
    }
    return String(decoding: code, as: UTF8.self)
  }

  private static func words(of code: String) -> [Substring] {
    var words: [Substring] = []
    var start: String.Index?
    let bytes = code.utf8
    for i in bytes.indices {
      switch bytes[i] {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), 0x80...:
        start = start ?? i
      case let byte:
        guard let first = start else { continue }
        words.append(code[first..<(byte == UInt8(ascii: "(") ? bytes.index(after: i) : i)])
        start = nil
      }
    }
    return words
  }

  /// The module that a line imports, if it does.
  private static func module(importedBy line: Substring) -> String? {
    let kinds: Set<Substring> = [
      "struct", "class", "enum", "protocol", "func", "var", "let", "typealias",
    ]
    let modifiers: Set<Substring> = ["public", "package", "internal", "fileprivate", "private"]
    let rest = line.split(separator: " ").drop { $0.hasPrefix("@") || modifiers.contains($0) }
    guard rest.first == "import" else { return nil }
    return rest.dropFirst().first { !kinds.contains($0) }.map(String.init)
  }
}
