import DeclaredKeys
import Testing

struct DocumentTreeTests {
  private let text = "box:\n  count: 1\nitems:\n  - name: first\n"

  private static let list = Key.values("list", [.distinct], default: .described("none"), "Values")
  private static let schema = KeySchema([list.declaration])

  @Test func settingsStandOnlyInTheirReading() throws {
    let tree = try Fixture.schema.tree(text: text, file: "x.yaml", overrides: ["box.rate=2"])
    let place = Place.position(file: "x.yaml", line: 9, column: 3)
    let set = tree.read(setting: [KeySetting(path: "box.count", text: "200", place: place)])
    #expect(set.problems.map(\.summary) == ["9:3 notAllowed box.count"])
    let first = tree.read(setting: [
      KeySetting(path: "items.first.colours", text: "[red]", place: place)
    ])
    #expect(first[Fixture.colours, 0] == [.red] && first[Fixture.rate] == 2)
    let plain = tree.read()
    #expect(plain.problems.isEmpty && plain[Fixture.count] == 1)
    #expect(plain[Fixture.colours, 0] == [])
    #expect(tree.removing(["items"]).read()[Fixture.items] == nil)
  }

  @Test func pathsLeadToDeclaredKeys() throws {
    let tree = try Fixture.schema.tree(text: text, file: "x.yaml")
    let colours = try tree.declaredKey(at: "items.first.colours")
    #expect(colours.address == Fixture.colours.address(0))
    #expect(colours.address.description == "items[0].colours")
    guard case .real = try tree.declaredKey(at: "box.numbers.c.1+2").type,
      case .numbers = try tree.declaredKey(at: "box.numbers").type
    else {
      Issue.record("an entry of a mapping of numbers is a number")
      return
    }
    for path in ["box", "items[0]", "box.cuont", "items.second.name", "", "box.count.x"] {
      #expect(throws: DocumentError.self, "\(path)") { try tree.declaredKey(at: path) }
    }
  }

  @Test func valuesOfAnyKindAreKeptAsTexts() throws {
    let source = """
      list: [1, 1.0, "1e-3 ", x y, "true", [1, [a, "2"]], "[1, 2]", {k: [v], "l m": 0}, .5]
      """
    let texts = [
      "1", "1.0", "1e-3 ", "x y", "true", "[1, [a, 2]]", "[1, 2]", "{k: [v], \"l m\": 0}", ".5",
    ]
    let document = try Self.schema.read(text: source, file: "x.yaml")
    #expect(document[Self.list] == texts)
    var values = KeyValues()
    values[Self.list] = texts
    let written = Self.schema.resolved(values, header: [])
    #expect(written.contains("list: [1, 1.0, \"1e-3 \", \"x y\", \"true\", "))
    #expect(try Self.schema.read(text: written, file: "y.yaml")[Self.list] == texts)
    for bad in ["list: [1, ~]", "list: [\"\"]", "list: 1", "list: [1, 1]"] {
      #expect(try !Self.schema.read(text: bad, file: "x.yaml").problems.isEmpty, "\(bad)")
    }
  }
}
