import DeclaredKeys
import Foundation
import Testing

struct DocumentTests {
  @Test(
    arguments: [
      ("box:\n  cuont: 1\n", ["2:3 unknownKey box.cuont"]),
      ("box:\n  count: 1\n  rate: 1\n  count: 2\n", ["4:3 duplicateKey box.count"]),
      (
        "box:\n  'count': 1\n  count: 2\n  \"count\": 3\n",
        ["3:3 duplicateKey box.count", "4:3 duplicateKey box.count"]
      ),
      (
        "box: {count: 1}\nbox: {rate: 1, rate: 2}\n",
        ["2:1 duplicateKey box", "2:16 duplicateKey box.rate"]
      ),
      ("box:\n  count: -1\n", ["2:3 notAllowed box.count"]),
      ("box:\n  rate: 0\n", ["2:3 notAllowed box.rate"]),
      ("box: 3\n", ["1:1 wrongType box"]),
      (
        "box:\n  integers: [1, x, 0]\n",
        ["2:17 wrongType box.integers[1]", "2:20 notAllowed box.integers[2]"]
      ),
      ("box:\n  integers:\n    - 1\n    - 2\n    - 1.0\n", ["5:7 repeatedElement box.integers[2]"]),
      ("box:\n  integers: []\n", ["2:3 notAllowed box.integers"]),
      ("box:\n  integers: 1\n", ["2:3 wrongType box.integers"]),
      ("box:\n  lists: [[1], [2, 2]]\n", ["2:20 repeatedElement box.lists[1][1]"]),
      ("box:\n  lists: [1]\n", ["2:11 wrongType box.lists[0]"]),
      ("box:\n  numbers: {a: 1, b: x}\n", ["2:19 wrongType box.numbers.b"]),
      ("box:\n  ? [1, 2]\n  : 3\n", ["2:5 unknownKey"]),
      ("items:\n  - name: a\n  - colours: [red]\n", ["3:5 missingKey items[1].name"]),
      ("items:\n  - a\n", ["2:5 wrongType items[0]"]),
      ("items: {name: a}\n", ["1:1 wrongType items"]),
      (
        "items:\n  - name: 3x\n    colours: [red, pink, red]\n",
        [
          "2:5 notAllowed items[0].name", "3:20 notAllowed items[0].colours[1]",
          "3:26 repeatedElement items[0].colours[2]",
        ]
      ),
      ("- 1\n- 2\n", ["1:1 wrongType"]), ("hello\n", ["1:1 wrongType"]),
      ("", ["empty"]), ("# only a comment\n", ["empty"]), ("---\n~\n", ["2:1 empty"]),
      ("box: {count: 1\n", ["2:1 notYAML"]), ("box:\n\tcount: 1\n", ["2:1 notYAML"]),
      ("box: *nowhere\n", ["1:6 notYAML"]), ("box: {}\n---\nbox: {}\n", ["2:1 notYAML"]),
      ("box:\n  note: 'a\n", ["3:1 notYAML"]), ("box:\n  note: a\u{0}b\n", ["2:10 notYAML"]),
      ("<<: {count: 1}\n", ["1:1 unknownKey <<"]),
    ] as [(String, [String])])
  func everyFaultIsLocated(text: String, summaries: [String]) {
    #expect(Fixture.problems(text).map(\.summary) == summaries)
  }

  @Test func windowsLineEndsAndByteOrderMarksAreRead() throws {
    let document = try Fixture.read("\u{FEFF}# Why?\r\nbox:\r\n  count: 3\r\n")
    #expect(document.firstComment == "Why?")
    #expect(document[Fixture.count] == 3)
    #expect(
      Fixture.problems("# é\r\nbox:\r\n  count: x\r\n").map(\.summary) == [
        "3:3 wrongType box.count"
      ])
  }

  @Test func aliasesAreValues() throws {
    let document = try Fixture.read("box:\n  count: &n 12\n  size: *n\n")
    #expect(document[Fixture.size] == 12)
  }

  @Test func emptySectionsAreSectionsWithoutKeys() throws {
    let document = try Fixture.read("box:\n  # count: 1\n")
    #expect(document.problems.isEmpty)
    #expect(document[Fixture.count] == 7)
  }

  @Test(arguments: [
    ("box: {cuont: 1}", "box.count"), ("box: {Count: 1}", "box.count"),
    ("count: 1", "box.count"), ("bxo: {}", "box"), ("box: {nmubers: {}}", "box.numbers"),
    ("items: [{name: a, color: [red]}]", "items[0].colours"), ("box.count: 1", "box.count"),
    ("box: {name: a}", "items[].name"),
  ])
  func theNearestKeyIsNamed(text: String, nearest: String) {
    #expect(Fixture.problems(text).compactMap(\.nearest) == [nearest])
  }

  @Test func aKeyLikeNoOtherHasNoNearest() {
    let problems = Fixture.problems("box: {temperature_in_kelvin: 1}")
    #expect(problems.map(\.kind) == [.unknownKey])
    #expect(problems.first?.nearest == nil)
  }

  @Test func aProblemIsOneSentenceWithItsPlace() {
    #expect(
      Fixture.problems("box:\n  rate: -1\n").map(\.description) == [
        "x.yaml:2:3: box.rate: found -1; allowed: a real number > 0 (a rate). "
          + "What to do: choose an allowed value, or remove the key for 0.5."
      ])
    #expect(
      Fixture.problems("box:\n  cuont: 1\n")[0].description.hasSuffix(
        "What to do: did you mean box.count?"))
  }

  @Test func checksAcrossKeysKnowWhereTheyPoint() throws {
    var document = try Fixture.read("# ?\nbox:\n  count: 3\n")
    document.reject(Fixture.count.address(), found: "3", allowed: "4")
    document.reject(Fixture.rate.address(), found: "0.5", allowed: "1")
    document.reject(Fixture.items.address(), found: "none", allowed: "one")
    let error = #expect(throws: DocumentError.self) { try document.finish() }
    #expect(
      error?.description == """
        x.yaml: items (default): found none; allowed: one. What to do: change one of the two.
        x.yaml:2:1: box.rate (default): found 0.5; allowed: 1. What to do: change one of the two.
        x.yaml:3:3: box.count: found 3; allowed: 4. What to do: change one of the two.
        """)
    #expect(document[Fixture.count] == nil)
  }

  @Test func filesThatCannotBeReadAreNamed() throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "keys-\(UUID())")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    func kind(_ path: String) -> DocumentProblem? {
      do {
        _ = try Fixture.schema.read(contentsOf: path)
        return nil
      } catch {
        return error.problems.first
      }
    }
    #expect(kind(folder.path)?.kind == .isFolder)
    #expect(kind(folder.path + "/none.yaml")?.kind == .noSuchFile)
    #expect(kind("")?.kind == .noSuchFile)
    #expect(kind("/dev/zero")?.kind == .tooLarge)
    #expect(kind("/proc/self/mem")?.kind == .unreadable)
    let file = folder.appending(path: "x.yaml")
    try Data("box:\n  note: a".utf8 + [0xFF, 0x0A]).write(to: file)
    #expect(kind(file.path)?.summary == "2:10 notUTF8")
    try Data("box: {count: 5}".utf8).write(to: file)
    #expect(try Fixture.schema.read(contentsOf: file.path)[Fixture.count] == 5)
  }

  @Test(arguments: [
    String(repeating: "[", count: 100_000), "box: " + String(repeating: "{a: ", count: 500),
    String(repeating: "- ", count: 3000) + "1", String(repeating: "? ", count: 3000),
    "a: &a [" + String(repeating: "[", count: 900) + String(repeating: "]", count: 900) + "]\n"
      + (1...60).map { "b\($0): [*a, *a]" }.joined(separator: "\n"),
    "a: &a0 [1, 1]\n"
      + (1...40).map { "b\($0): &a\($0) [*a\($0 - 1), *a\($0 - 1)]" }.joined(separator: "\n"),
    "a: &a0 [1, 1]\n"
      + (1...20).map { "b\($0): &a\($0) [*a\($0 - 1), *a\($0 - 1)]" }.joined(separator: "\n"),
    "? [" + String(repeating: "x, ", count: 10000) + "]\n: 1", "box: !!binary x", "!<x> {}",
    "%YAML 9.9\n---\nbox: {}", "&a box: *a", String(repeating: "k", count: 1_000_000) + ": 1",
    (0..<300).map { _ in "box: {}" }.joined(separator: "\n"),
    (0..<20000).map { "k\($0): 1" }.joined(separator: "\n"),
  ])
  func hostileTextIsRefusedWithoutACrash(text: String) {
    #expect(!Fixture.problems(text).isEmpty || text == "box: !!binary x" || text == "!<x> {}")
  }

  @Test func aFloodOfProblemsIsCutShort() throws {
    let text = (0..<200).map { "k\($0): 1" }.joined(separator: "\n")
    let document = try Fixture.read(text)
    let error = #expect(throws: DocumentError.self) { try document.finish() }
    let lines = error?.description.split(separator: "\n") ?? []
    #expect(error?.problems.count == 200)
    #expect(lines.count == 51)
    #expect(lines.last == "… and 150 more.")
  }

  @Test func editDistancesCountSwapsOnce() {
    let problems = Fixture.problems("box: {cuont: 1, ofset: 1, lsits: []}")
    #expect(problems.compactMap(\.nearest) == ["box.count", "box.offset", "box.lists"])
  }
}
