import DeclaredKeys
import Testing

/// A small schema with a key of every type.
enum Fixture {
  static let count = Key.integer("box.count", IntegerRange(0...100), default: .value(7), "A count")
  static let size = Key.integer("box.size", .atLeast(Int.min), default: .value(0), "Any integer")
  static let rate = Key.real("box.rate", .positive, default: .value(0.5), "A rate")
  static let offset = Key.real("box.offset", .any, default: .value(0), "Any real")
  static let limit = Key.real(
    "box.limit", RealRange(allowsNonFinite: true), default: .value(.infinity), "A limit")
  static let flag = Key.boolean("box.flag", default: .value(false), "A flag")
  static let colour = Key<Colour>.choice("box.colour", default: .value(.red), "A colour")
  static let note = Key.string("box.note", default: .described("none"), "A note")
  static let integers = Key.integers(
    "box.integers", .atLeast(1), [.notEmpty, .distinct], default: .described("none"), "Integers")
  static let reals = Key.reals("box.reals", .any, default: .described("none"), "Reals")
  static let lists = Key.integerLists(
    "box.lists", .atLeast(1), [.distinct], default: .described("none"), "Lists")
  static let numbers = Key.numbers("box.numbers", .any, default: .described("none"), "Numbers")
  static let items = Key.mappings("items", default: .described("none"), "Items")
  static let name = Key.identifier("items[].name", default: .required, "A name")
  static let colours = Key<[Colour]>.choices(
    "items[].colours", [.distinct], default: .value([]), "Colours")

  static let schema = KeySchema(
    [
      count.declaration, size.declaration, rate.declaration, offset.declaration, limit.declaration,
      flag.declaration, colour.declaration, note.declaration, integers.declaration,
      reals.declaration, lists.declaration, numbers.declaration, items.declaration,
      name.declaration, colours.declaration,
    ], sections: ["box": "A box"])

  enum Colour: String, KeyChoice {
    case red, green, blue
  }

  /// Reads a text and returns the document with everything collected.
  static func read(_ text: String, _ overrides: String...) throws -> KeyedDocument {
    try schema.read(text: text, file: "x.yaml", overrides: overrides)
  }

  /// All problems of a text, whether they stop the reading or not.
  static func problems(_ text: String, _ overrides: String...) -> [DocumentProblem] {
    do {
      let document = try schema.read(text: text, file: "x.yaml", overrides: overrides)
      try document.finish()
      return []
    } catch {
      return error.problems
    }
  }
}

extension DocumentProblem {
  /// `line:column kind key`, the parts that the tests pin down.
  var summary: String {
    let position = place.line.map { "\($0):\(place.column ?? 0) " } ?? ""
    return "\(position)\(kind)\(key.map { " \($0)" } ?? "")"
  }
}
