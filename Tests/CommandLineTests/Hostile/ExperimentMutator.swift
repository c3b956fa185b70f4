import DeclaredKeys
import Foundation
import TestSupport
import Yams

/// Makes documents that are nearly right: changes of the structure of a YAML document by what is declared of its
/// keys, and changes of its text.
struct ExperimentMutator: Sendable {
  /// The keys that may stand in such a document.
  let keys: [KeyDeclaration]
  /// Other documents of the kind, parts of which are taken over.
  let others: [String]
  /// Whether changes keep documents readable as often as they can, for what comes after reading.
  var keepsReadable = false

  /// A changed document, and what was changed.
  func mutant(of text: String, using random: inout SeededRandom) -> (bytes: [UInt8], how: String) {
    var how: [String] = []
    var bytes = Array(text.utf8)
    let changesText = !keepsReadable && Int.random(in: 0..<3, using: &random) == 0
    if !changesText || Bool.random(using: &random), var root = try? Yams.compose(yaml: text) {
      for _ in 0..<Int.random(in: 1...4, using: &random) {
        how.append(change(&root, using: &random))
      }
      if let text = try? Yams.serialize(node: root, allowUnicode: true) { bytes = Array(text.utf8) }
    }
    if changesText {
      for _ in 0..<Int.random(in: 1...3, using: &random) {
        how.append(random.element(of: TextMutation.allCases).apply(to: &bytes, &random))
      }
    }
    return (bytes, how.joined(separator: "; "))
  }

  // MARK: - Structure

  /// A place in a document: indices into mappings and sequences.
  private typealias Path = [Int]

  private enum StructureMutation: CaseIterable {
    case insertDeclared, insertDeclared2, setDeclared, setDeclared2, scale, scale2, cross
    case delete, duplicate, rename, anything, wrap, empty, move, multiply
    static let readable: [Self] = [
      .insertDeclared, .insertDeclared2, .setDeclared, .setDeclared2, .scale, .scale2, .cross,
      .delete, .move,
    ]
  }

  private func change(_ root: inout Node, using random: inout SeededRandom) -> String {
    let paths = Self.paths(of: root)
    let path = random.element(of: paths)
    let name = Self.name(of: path, in: root)
    let kinds = keepsReadable ? StructureMutation.readable : StructureMutation.allCases
    switch random.element(of: kinds) {
    case .insertDeclared, .insertDeclared2:
      let key = random.element(of: keys)
      let value = self.value(of: key.type, using: &random)
      root = Self.inserting(
        value, at: key.path.split(separator: ".").map(String.init)[...], into: root, &random)
      return "\(key.path) = \(Self.text(value))"
    case .setDeclared, .setDeclared2:
      let declared = name.replacing(#/\[\d+\]/#) { _ in "[]" }
      guard let key = keys.first(where: { $0.path == declared }) else { return "" }
      let value = self.value(of: key.type, using: &random)
      Self.edit(&root, path) { $0 = value }
      return "\(name) = \(Self.text(value))"
    case .scale, .scale2:
      let scalars = paths.filter { Self.number(Self.node(at: $0, in: root)) != nil }
      guard let path = scalars.randomElement(using: &random),
        let number = Self.number(Self.node(at: path, in: root))
      else { return "" }
      let changed = random.element(of: [
        number * 10, number / 10, -number, number + 1, number - 1, number * 1e6, number / 1e6,
        number.nextUp, number / 2, 0, 1, 2, number * 2,
      ])
      let text =
        changed.rounded() == changed && abs(changed) < 1e15 ? "\(Int(changed))" : "\(changed)"
      Self.edit(&root, path) { $0 = Node(text) }
      return "\(Self.name(of: path, in: root)) = \(text)"
    case .cross:
      guard let other = try? Yams.compose(yaml: random.element(of: others)) else {
        return ""
      }
      let theirs = random.element(of: Self.paths(of: other).filter { !$0.isEmpty })
      let theirName = Self.name(of: theirs, in: other)
      root = Self.inserting(
        Self.node(at: theirs, in: other),
        at: theirName.replacing(#/\[\d+\]/#) { _ in "[]" }.split(separator: ".")
          .map(String.init)[...], into: root, &random)
      return "\(theirName) of another"
    case .delete:
      Self.editParent(&root, path) { parent, index in Self.remove(index, from: &parent) }
      return "without \(name)"
    case .duplicate:
      Self.editParent(&root, path) { parent, index in Self.duplicate(index, in: &parent) }
      return "\(name) twice"
    case .rename:
      let word = random.element(of: keys).name
      Self.editParent(&root, path) { parent, index in
        guard case .mapping(var mapping) = parent, let pair = Array(mapping).at(index) else {
          return
        }
        var pairs = Array(mapping)
        let typo = (pair.key.string ?? "").dropLast()
        pairs[index] = (Node(Bool.random(using: &random) ? word : String(typo)), pair.value)
        mapping = Node.Mapping(pairs)
        parent = .mapping(mapping)
      }
      return "\(name) renamed"
    case .anything:
      let word = random.element(of: Self.words)
      Self.edit(&root, path) { $0 = Node(word) }
      return "\(name) = \(word.prefix(40))"
    case .wrap:
      Self.edit(&root, path) {
        $0 = Bool.random(using: &random) ? Node([$0]) : Node([(Node("x"), $0)])
      }
      return "\(name) wrapped"
    case .empty:
      Self.edit(&root, path) {
        $0 = Bool.random(using: &random) ? Node([Node]()) : Node([(Node, Node)]())
      }
      return "\(name) empty"
    case .move:
      let from = Self.node(at: random.element(of: paths), in: root)
      Self.edit(&root, path) { $0 = from }
      return "\(name) = another part"
    case .multiply:
      Self.edit(&root, path) {
        guard case .sequence(let list) = $0 else { return }
        let count = random.element(of: [2, 10, 1000])
        $0 = Node((0..<count).flatMap { _ in Array(list) })
      }
      return "\(name) many times"
    }
  }

  private static let words = [
    "", "~", "null", "true", "no", "0", "-0", "-1", "1", "2", "1e308", "1e309", "-1e400", "1e-320",
    "5e-324", ".nan", ".inf", "-.inf", "nan", "inf", "0x10", "0b1", "1_000", "1,5",
    "9223372036854775807",
    "9223372036854775808", "-9223372036854775808", "18446744073709551616", "1e15", "1e18", "1e19",
    "NaN",
    "../../../tmp/x", "/etc/passwd", "/dev/zero", "/dev/null", "a/../../b", "ü 名 🙂", "a b", "\u{0}",
    "\u{202E}",
    "%s%n%d", "$(touch x)", "'", "\"", "{", "]", "*", "&a", "!x", "|", "@", "`", "\t", "\n",
    String(repeating: "9", count: 400), String(repeating: "x", count: 70000), "2026-11-22", "1:30",
    "٣",
  ]

  /// A value that a declaration mostly allows, often at the end of its range.
  private func value(of type: KeyType, using random: inout SeededRandom) -> Node {
    if !keepsReadable, Int.random(in: 0..<6, using: &random) == 0 {
      return Node(random.element(of: Self.words))
    }
    func integer(_ range: IntegerRange) -> String {
      let near = [0, 1, 2, 3, 4, 7, 30, 100, 1000, 1_000_000].map {
        range.lower.addingReportingOverflow($0).partialValue
      }
      let all = near.filter { range.contains($0) } + [range.upper, range.upper - 1]
      return "\(random.element(of: all))"
    }
    func real(_ range: RealRange) -> String {
      let ends: [Double] = [range.lower, range.upper].compactMap { bound in
        switch bound {
        case .open(let end)?, .closed(let end)?: end
        case nil: nil
        }
      }
      let all =
        [
          0, 1, -1, 0.5, 0.1, 1e-3, 1e-8, 1e-15, 1e-300, .leastNonzeroMagnitude, 2, 10, 800, -800,
          1e3, 1e6, 1e9, 1e15, 1e100,
          1e300, .greatestFiniteMagnitude,
        ] + ends.flatMap { [$0, $0.nextUp, $0.nextDown] }
      return "\(all.filter { range.contains($0) }.randomElement(using: &random) ?? 0)"
    }
    func list(_ element: () -> Node) -> Node {
      Node((0..<random.element(of: [0, 1, 1, 2, 3, 4, 7])).map { _ in element() })
    }
    switch type {
    case .integer(let range): return Node(integer(range))
    case .real(let range): return Node(real(range))
    case .boolean: return Node(Bool.random(using: &random) ? "true" : "false")
    case .choice(let words): return Node(random.element(of: words))
    case .identifier, .string:
      return Node(random.element(of: ["a", "selection", "w", "c", "x_1"]))
    case .file:
      return Node(
        random.element(of: [
          "/dev/zero", "x.yaml", ".", "/dev/null", "missing.txt", "tokens.txt", "kernel.txt",
          "final.yaml",
        ]))
    case .integers(let range, _): return list { Node(integer(range)) }
    case .reals(let range, _): return list { Node(real(range)) }
    case .choices(let words, _): return list { Node(random.element(of: words)) }
    case .values: return list { Node(random.element(of: Self.words)) }
    case .integerLists(let range, _): return list { list { Node(integer(range)) } }
    case .mappings: return list { Node([(Node("name"), Node("a"))]) }
    case .numbers(let range):
      return Node([
        (
          Node(random.element(of: ["a", "c.0", "w.1.1", "c.1", "v", "x"])),
          Node(real(range))
        )
      ])
    }
  }

  // MARK: - Trees

  private static func paths(of node: Node, from path: Path = []) -> [Path] {
    switch node {
    case .mapping(let mapping):
      [path] + mapping.enumerated().flatMap { paths(of: $1.value, from: path + [$0]) }
    case .sequence(let list):
      [path] + list.enumerated().flatMap { paths(of: $1, from: path + [$0]) }
    default: [path]
    }
  }

  private static func node(at path: Path, in node: Node) -> Node {
    path.reduce(node) { node, index in
      switch node {
      case .mapping(let mapping): Array(mapping).at(index)?.value ?? Node("")
      case .sequence(let list): Array(list).at(index) ?? Node("")
      default: Node("")
      }
    }
  }

  /// `stages[0].until` of a path.
  private static func name(of path: Path, in node: Node) -> String {
    guard let index = path.first else { return "" }
    let rest = Array(path.dropFirst())
    switch node {
    case .mapping(let mapping):
      guard let pair = Array(mapping).at(index) else { return "" }
      let inner = name(of: rest, in: pair.value)
      let key = pair.key.string ?? ""
      return inner.isEmpty ? key : inner.hasPrefix("[") ? key + inner : "\(key).\(inner)"
    case .sequence(let list):
      guard let element = Array(list).at(index) else { return "" }
      let inner = name(of: rest, in: element)
      return "[\(index)]" + (inner.isEmpty || inner.hasPrefix("[") ? inner : ".\(inner)")
    default: return ""
    }
  }

  private static func edit(_ node: inout Node, _ path: Path, _ change: (inout Node) -> Void) {
    guard let index = path.first else { return change(&node) }
    switch node {
    case .mapping(let mapping):
      var pairs = Array(mapping)
      guard pairs.indices.contains(index) else { return }
      var value = pairs[index].value
      edit(&value, Array(path.dropFirst()), change)
      pairs[index] = (pairs[index].key, value)
      node = Node(pairs.map { ($0.key, $0.value) })
    case .sequence(let list):
      var elements = Array(list)
      guard elements.indices.contains(index) else { return }
      edit(&elements[index], Array(path.dropFirst()), change)
      node = Node(elements)
    default: return
    }
  }

  private static func editParent(
    _ root: inout Node, _ path: Path, _ change: (inout Node, Int) -> Void
  ) {
    guard let index = path.last else { return }
    edit(&root, Array(path.dropLast())) { change(&$0, index) }
  }

  private static func remove(_ index: Int, from node: inout Node) {
    if case .mapping(let mapping) = node {
      node = Node(mapping.enumerated().filter { $0.offset != index }.map { ($1.key, $1.value) })
    } else if case .sequence(let list) = node {
      node = Node(list.enumerated().filter { $0.offset != index }.map(\.element))
    }
  }

  private static func duplicate(_ index: Int, in node: inout Node) {
    if case .mapping(let mapping) = node, let pair = Array(mapping).at(index) {
      node = Node((Array(mapping) + [pair]).map { ($0.key, $0.value) })
    } else if case .sequence(let list) = node, let element = Array(list).at(index) {
      node = Node(Array(list) + [element])
    }
  }

  /// The document with a value at the place of a declared key; in lists at one or at all elements.
  private static func inserting(
    _ value: Node, at path: ArraySlice<String>, into node: Node, _ random: inout SeededRandom
  ) -> Node {
    guard let first = path.first else { return value }
    let isList = first.hasSuffix("[]")
    let name = isList ? String(first.dropLast(2)) : first
    guard case .mapping(let mapping) = node else {
      return Node([(Node(name), inserting(value, at: path.dropFirst(), into: Node(""), &random))])
    }
    var pairs = Array(mapping).map { ($0.key, $0.value) }
    let index = pairs.firstIndex { $0.0.string == name }
    var inner = index.map { pairs[$0].1 } ?? Node([(Node, Node)]())
    if isList {
      var elements: [Node] = if case .sequence(let list) = inner { Array(list) } else { [] }
      if elements.isEmpty { elements = [Node([(Node, Node)]())] }
      let chosen = random.element(of: elements.indices)
      elements[chosen] = inserting(value, at: path.dropFirst(), into: elements[chosen], &random)
      inner = Node(elements)
    } else {
      inner = inserting(value, at: path.dropFirst(), into: inner, &random)
    }
    if let index { pairs[index].1 = inner } else { pairs.append((Node(name), inner)) }
    return Node(pairs)
  }

  private static func number(_ node: Node) -> Double? { node.scalar.flatMap { Double($0.string) } }

  private static func text(_ node: Node) -> String {
    String(
      (try? Yams.serialize(node: node, width: -1))?.replacing("\n", with: " ").prefix(60) ?? "")
  }
}

extension Array {
  fileprivate func at(_ index: Int) -> Element? { indices.contains(index) ? self[index] : nil }
}

/// A change of the bytes of a text file.
enum TextMutation: CaseIterable {
  case flip, cut, truncate, insert, repeatLine, swapLines, indent, splice, terminators

  /// Changes the bytes; gives what was done.
  func apply(to bytes: inout [UInt8], _ random: inout SeededRandom) -> String {
    guard !bytes.isEmpty else { return "empty" }
    let place = Int.random(in: 0..<bytes.count, using: &random)
    switch self {
    case .flip: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
    case .cut:
      bytes.removeSubrange(place..<min(bytes.count, place + Int.random(in: 1...40, using: &random)))
    case .truncate: bytes.removeSubrange(place...)
    case .insert:
      bytes.insert(
        contentsOf: (0..<Int.random(in: 1...8, using: &random)).map { _ in
          UInt8.random(in: 0...255, using: &random)
        }, at: place)
    case .repeatLine, .swapLines, .indent:
      var lines = bytes.split(separator: 10, omittingEmptySubsequences: false)
      let (one, other) = (
        random.element(of: lines.indices), random.element(of: lines.indices)
      )
      switch self {
      case .repeatLine: lines.insert(lines[one], at: other)
      case .swapLines: lines.swapAt(one, other)
      default:
        lines[one] =
          [UInt8](
            repeating: random.element(of: [9, 32]),
            count: Int.random(in: 1...3, using: &random)) + lines[one]
      }
      bytes = Array(lines.joined(separator: [10]))
    case .splice:
      bytes.insert(contentsOf: Array(random.element(of: Self.splices).utf8), at: place)
    case .terminators:
      bytes = Array(
        bytes.map { $0 == 10 ? [13, 10] : [$0] }.joined())
    }
    return "\(self) at \(place)"
  }

  private static let splices = [
    "&a ", "*a", "<<: *a", "!!binary ", "!!set ", "!!python/object:x ", "---\n", "...\n",
    "%YAML 9.9\n", "? ",
    "\u{FEFF}", "- ", ": ", "#", "\u{0}", "\u{2028}", "{{", "}}", "[[", "]]", "|2\n", ">-\n", "'",
    "\"", "\\",
    String(repeating: "[", count: 20000), String(repeating: "{a: ", count: 5000),
    "a: &a [x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b]\n"
      + "d: &d [*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d]\nf: &f [*e,*e,*e,*e,*e,*e,*e,*e]\n"
      + "g: &g [*f,*f,*f,*f,*f,*f,*f,*f]\nh: &h [*g,*g,*g,*g,*g,*g,*g,*g]\ni: [*h,*h,*h,*h,*h,*h,*h,*h]\n",
    "x: " + String(repeating: "9", count: 100_000) + "\n",
  ]
}
