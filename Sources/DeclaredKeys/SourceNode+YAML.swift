import Yams

extension SourceNode {
  /// The node tree of a text, and the problems that do not stop the reading (duplicate keys).
  ///
  /// - Returns: nil if the text holds no document.
  static func compose(_ source: SourceText) throws(DocumentError)
    -> (node: SourceNode, problems: [DocumentProblem])?
  {
    var source = source
    try source.checkNesting()
    var renamed: [RenamedKey] = []
    while true {
      do {
        // The basic resolver gives scalars no type; the declarations do that.
        let node = try Yams.compose(yaml: source.text, .basic, .default, .utf8)
        guard let node else { return nil }
        var converter = NodeConverter(file: source.file, renamed: renamed)
        let converted = try converter.node(node)
        return (converted, converter.problems)
      } catch let error as DocumentError {
        throw error
      } catch let error as YamlError {
        // Yams stops at the first duplicate and tells only where its first occurrence stands. That
        // one gets a name of its own and of equal length, and the parser a second try.
        guard case .duplicatedKeysInMapping(let names, let context) = error, let name = names.first,
          renamed.count < 100,
          let key = source.rename(name, at: context.mark, number: renamed.count)
        else { throw DocumentError([problem(error, in: source.file)]) }
        renamed.append(key)
      } catch {
        throw DocumentError([
          DocumentProblem(
            .notYAML, at: .file(source.file), found: "\(error)".excerpt(upTo: 200),
            allowed: "a YAML document")
        ])
      }
    }
  }

  private static func problem(_ error: YamlError, in file: String) -> DocumentProblem {
    func syntax(_ found: String, _ mark: Mark?, _ context: YamlError.Context?) -> DocumentProblem {
      let place =
        mark.map {
          Place.position(file: file, line: max(1, $0.line), column: max(1, $0.column))
        } ?? .file(file)
      let context = context.map {
        " (\($0.text) that starts at line \($0.mark.line), column \($0.mark.column))"
      }
      return DocumentProblem(
        .notYAML, at: place, found: "a fault of syntax: \(found)\(context ?? "")",
        allowed: "a YAML document",
        advice: "check indentation, colons, brackets and quotes there and just above")
    }
    switch error {
    case .scanner(let context, let text, let mark, _), .parser(let context, let text, let mark, _):
      return syntax(text, mark, context)
    case .composer(_, let text, let mark, _): return syntax(text, mark, nil)
    case .reader(let text, _, _, _): return syntax(text, nil, nil)
    case .duplicatedKeysInMapping(let names, let context):
      let name = names.first ?? ""
      return DocumentProblem(
        .duplicateKey,
        at: .position(file: file, line: context.mark.line, column: context.mark.column),
        key: name, found: "the key more than once in one mapping", allowed: "each key once",
        advice: "keep one of them")
    default: return syntax("\(error)".excerpt(upTo: 200), nil, nil)
    }
  }
}

/// A key that was given another name so that the parser accepts its duplicate.
struct RenamedKey {
  let alias: String
  let name: String
}

extension SourceText {
  /// Gives the key at a position a name that occurs nowhere else and has the same length.
  fileprivate mutating func rename(_ name: String, at mark: Mark, number: Int) -> RenamedKey? {
    let starts = lineStarts
    guard mark.line >= 1, mark.line <= starts.count, mark.column >= 1,
      let stamp = Unicode.Scalar(UInt32(0xE000 + number)), !scalars.contains(stamp)
    else { return nil }
    let letters = Array(name.unicodeScalars)
    var index = starts[mark.line - 1] + mark.column - 1
    if index < scalars.count, scalars[index] == "\"" || scalars[index] == "'" { index += 1 }
    guard !letters.isEmpty, index + letters.count <= scalars.count,
      Array(scalars[index..<index + letters.count]) == letters
    else { return nil }
    var renamed = scalars
    renamed[index] = stamp
    var alias = String.UnicodeScalarView([stamp])
    alias.append(contentsOf: letters.dropFirst())
    self = SourceText(file: file, checked: renamed)
    return RenamedKey(alias: String(alias), name: name)
  }

  /// Refuses nesting that only a hostile document has, before a recursive parser meets it.
  ///
  /// The parser itself stops at a thousand levels; aliases can multiply them.
  fileprivate func checkNesting() throws(DocumentError) {
    var depth = 0
    var deepest = 0
    var aliases = 0
    var line = 0  // indentation and dashes of the line
    var isStart = true
    var previous: Unicode.Scalar = "\n"
    for scalar in scalars {
      switch scalar {
      case "[", "{": depth += 1
      case "]", "}": depth = max(0, depth - 1)
      case "*" where !previous.properties.isAlphabetic: aliases += 1
      default: break
      }
      if Self.isBreak(scalar) {
        (line, isStart) = (0, true)
      } else if isStart, scalar == " " || scalar == "-" || scalar == "?" {
        line += 1
      } else {
        isStart = false
      }
      deepest = max(deepest, depth + line)
      previous = scalar
    }
    guard aliases > 0, (aliases + 1) * deepest > 10_000 || aliases > 64 else { return }
    throw DocumentError([
      DocumentProblem(
        .tooLarge, at: .file(file), found: "\(aliases) aliases in nested lists or mappings",
        allowed: "a few", advice: "write the values out")
    ])
  }
}

/// Turns the parser's nodes into ours.
private struct NodeConverter {
  let file: String
  let renamed: [RenamedKey]
  var problems: [DocumentProblem] = []
  private var count = 0

  init(file: String, renamed: [RenamedKey]) {
    self.file = file
    self.renamed = renamed
  }

  mutating func node(
    _ node: Node, at address: KeyAddress = KeyAddress()
  ) throws(DocumentError) -> SourceNode {
    let place = place(node.mark)
    count += 1
    // Aliases can unfold to more nodes than fit anywhere.
    guard address.components.count <= 64, count <= 400_000 else {
      throw DocumentError([
        DocumentProblem(
          .tooLarge, at: place, found: "a document nested too deeply or too large",
          allowed: "at most 64 levels and 400000 values", advice: "write a simpler document")
      ])
    }
    switch node {
    case .scalar(let scalar):
      let isPlain = scalar.style == .plain || scalar.style == .any
      let isNothing = isPlain && ["", "~", "null", "Null", "NULL"].contains(scalar.string)
      return SourceNode(content: isNothing ? .nothing : .scalar(scalar.string), place: place)
    case .alias: return SourceNode(content: .nothing, place: place)
    case .sequence(let sequence):
      var elements: [SourceNode] = []
      for element in sequence {
        elements.append(try self.node(element, at: address.element(elements.count)))
      }
      return SourceNode(content: .sequence(elements), place: place)
    case .mapping(let mapping):
      var entries: [SourceNode.Entry] = []
      var first: [String: Place] = [:]
      for (key, value) in mapping {
        let keyPlace = self.place(key.mark)
        guard case .scalar(let scalar) = key else {
          problems.append(
            DocumentProblem(
              .unknownKey, at: keyPlace, found: "a key that is a list or a mapping",
              allowed: "a word as key", advice: "write the key as a plain word"))
          continue
        }
        let name = renamed.first { $0.alias == scalar.string }?.name ?? scalar.string
        let value = try self.node(value, at: address.entry(name))
        if let earlier = first[name] {
          let line = earlier.line.map { ", first on line \($0)" } ?? ""
          problems.append(
            DocumentProblem(
              .duplicateKey, at: keyPlace, key: address.entry(name).description,
              found: "the key a second time\(line)",
              allowed: "each key once", advice: "keep one of them"))
        } else {
          first[name] = keyPlace
          entries.append(SourceNode.Entry(name: name, place: keyPlace, value: value))
        }
      }
      return SourceNode(content: .mapping(entries), place: place)
    }
  }

  private func place(_ mark: Mark?) -> Place {
    guard let mark else { return .file(file) }
    return .position(file: file, line: mark.line, column: mark.column)
  }
}
