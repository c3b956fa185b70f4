import DeclaredKeys
import Testing

struct OverrideTests {
  private let text = "box:\n  count: 1\nitems:\n  - name: first\n  - name: second\n"

  @Test func keysAreReplacedAndCreated() throws {
    let document = try Fixture.read(
      text, "box.count=2", "box.rate=1e-3", "box.integers=[1, 2]", "box.count=3.0")
    #expect(document.problems.isEmpty)
    #expect(document[Fixture.count] == 3)
    #expect(document[Fixture.rate] == 1e-3)
    #expect(document[Fixture.integers] == [1, 2])
  }

  @Test func listElementsAreFoundByPositionAndName() throws {
    let document = try Fixture.read(text, "items[0].colours=[red]", "items.second.colours=[blue]")
    #expect(document.problems.isEmpty)
    #expect(document[Fixture.colours, 0] == [.red])
    #expect(document[Fixture.colours, 1] == [.blue])
  }

  @Test func freeNamesKeepTheirDots() throws {
    let document = try Fixture.read(text, "box.numbers.c.1+2=0.5", "box.numbers.a=1")
    #expect(
      document[Fixture.numbers] == [NamedNumber("c.1+2", 0.5), NamedNumber("a", 1)])
  }

  @Test func wholeSectionsAndListsAreReplaced() throws {
    let document = try Fixture.read(text, "box={rate: 2}", "items=[{name: only}]")
    #expect(document.problems.isEmpty)
    #expect(document[Fixture.count] == 7)
    #expect(document[Fixture.rate] == 2)
    #expect(document[Fixture.items]?.count == 1)
  }

  @Test func theValueMayHoldEqualSigns() throws {
    #expect(try Fixture.read(text, "box.note=a=b")[Fixture.note] == "a=b")
  }

  @Test(arguments: [
    ("box.count", "badOverride"), ("=1", "badOverride"), ("", "badOverride"),
    ("box.cuont=1", "unknownKey box.cuont"), ("box.count.more=1", "badOverride box.count.more"),
    ("box.count=x", "wrongType box.count"), ("box.count=", "wrongType box.count"),
    ("box.count=1000", "notAllowed box.count"), ("box.count=[", "notYAML"),
    ("items[2].name=x", "badOverride items[2].name"),
    ("items[-1].name=x", "badOverride items[-1].name"),
    ("items[99999999999999999999].name=x", "badOverride items[99999999999999999999].name"),
    ("items.third.name=x", "badOverride items.third.name"),
    ("items.name=x", "badOverride items.name"),
    ("box=3", "badOverride box"), ("box..count=1", "unknownKey box..count"),
    ("box.integers[0]=3", "badOverride box.integers[0]"),
    ("box={count: 1, count: 2}", "duplicateKey box.count"),
    ("items[0]=x", "badOverride items[0]"), ("box.count=\u{0}", "notYAML"),
  ])
  func faultsNameTheOverride(override: String, summary: String) throws {
    let problems = Fixture.problems(text, override)
    #expect(problems.map(\.summary) == [summary])
    #expect(problems.first?.place == .override(override))
    #expect(problems.first?.description.hasPrefix("--set ") == true)
  }

  @Test func faultsOfTheFileAreReportedBesideThem() {
    let problems = Fixture.problems("box:\n  count: x\n  rate: 0\n", "box.offset=y", "nothing")
    #expect(
      problems.map(\.summary) == [
        "2:3 wrongType box.count", "3:3 notAllowed box.rate", "badOverride",
        "wrongType box.offset",
      ])
  }

  @Test func anOverrideRepairsAFaultyKey() throws {
    #expect(Fixture.problems("box:\n  count: x\n", "box.count=1").isEmpty)
  }
}
