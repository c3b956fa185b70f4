import DeclaredKeys
import Testing

struct ScalarTests {
  @Test(arguments: [
    ("1", 1), ("1.0", 1), ("1e0", 1), ("+1", 1), ("'1'", 1), ("\"1.00\"", 1), ("1e5", 100_000),
    ("1E+5", 100_000), ("150e-1", 15), ("010", 10), ("-0", 0), ("0e99999999999999999999", 0),
    ("9223372036854775807", Int.max), ("-9223372036854775808", Int.min),
    ("9.223372036854775807e18", Int.max), (".5e1", 5), ("5.", 5),
  ])
  func integersAreExact(text: String, value: Int) throws {
    let document = try Fixture.read("box: {size: \(text)}")
    #expect(document.problems.isEmpty)
    #expect(document[Fixture.size] == value)
  }

  @Test(arguments: [
    "1.5", "1e-1", "one", "0x10", "1_000", "1 000", "", "~", "[1]", "{a: 1}", "true", "1e", "e5",
    ".", "+", "--1", "1e5.0", ".inf", "٣",
  ])
  func otherTextIsNoInteger(text: String) {
    #expect(
      Fixture.problems("box:\n  size: \(text)").map(\.summary) == ["2:3 wrongType box.size"])
  }

  @Test(arguments: [
    "9223372036854775808", "-9223372036854775809", "1e19", "1e999999999999999999",
    "123456789012345678901234567890",
  ])
  func integersBeyondTheMachineAreRefused(text: String) {
    #expect(Fixture.problems("box:\n  size: \(text)").map(\.summary) == ["2:3 notAllowed box.size"])
  }

  @Test(arguments: [
    ("1", 1.0), ("1.0", 1), ("1e0", 1), ("1e-8", 1e-8), ("1E-8", 1e-8), (".5", 0.5), ("-.5", -0.5),
    ("+3.25e+2", 325), ("'2'", 2), ("4.9e-324", .leastNonzeroMagnitude), ("1e-400", 0), ("5.", 5),
    ("0.1", 0.1), ("1.7976931348623157e308", 1.7976931348623157e308), ("-0", -0.0),
  ])
  func realsAreTheNearestDoubles(text: String, value: Double) throws {
    let document = try Fixture.read("box: {offset: \(text)}")
    #expect(document.problems.isEmpty)
    #expect(document[Fixture.offset]?.bitPattern == value.bitPattern)
  }

  @Test(arguments: ["nan", ".nan", ".inf", "-.inf", "Infinity", "1e309", "-1e400"])
  func realsAreFinite(text: String) {
    #expect(
      Fixture.problems("box:\n  offset: \(text)").map(\.summary) == ["2:3 notAllowed box.offset"])
  }

  @Test func realsMayBeInfiniteWhereTheKeySaysSo() throws {
    #expect(try Fixture.read("box: {limit: -.inf}")[Fixture.limit] == -.infinity)
  }

  @Test(arguments: ["yes", "no", "on", "off", "True", "1", "y"])
  func onlyTwoWordsAreBooleans(word: String) {
    #expect(
      Fixture.problems("box:\n  flag: \(word)").map(\.summary) == ["2:3 wrongType box.flag"])
    // … and the others stay text.
    #expect((try? Fixture.read("box: {note: \(word)}"))?[Fixture.note] == word)
  }

  @Test func wordsAreOutOfTheList() throws {
    #expect(try Fixture.read("box: {colour: green}")[Fixture.colour] == .green)
    let problem = try #require(Fixture.problems("box: {colour: gren}").first)
    #expect(problem.kind == .notAllowed)
    #expect(problem.advice == "write green")
  }

  @Test func mostReadingsRoundTripThroughYAML() throws {
    var values = KeyValues()
    values[Fixture.offset] = 1e-8
    values[Fixture.note] = "a \"quote\": yes # no\n\\ \u{1} é 💡 \u{2028}"
    values[Fixture.integers] = [3, 1]
    values[Fixture.reals] = [0.1, -1e300, .leastNonzeroMagnitude]
    values[Fixture.lists] = [[1], [2, 3]]
    values[Fixture.numbers] = [NamedNumber("w.1.3", 1), NamedNumber("c.1+2", -2)]
    values[Fixture.items] = KeyList(count: 2)
    values[Fixture.name, 0] = "null"
    values[Fixture.colours, 0] = [.blue, .red]
    values[Fixture.name, 1] = "b"
    let text = Fixture.schema.resolved(values, header: ["A question: really?"])
    let document = try Fixture.read(text)
    #expect(document.problems.isEmpty, "\(document.problems)")
    #expect(document.values == values, "\(text)")
    #expect(document.firstComment == "A question: really?")
  }
}
