import Foundation
import Testing

/// Values at the ends of what is allowed end in a right answer, or in an error that says what to do.
@Suite struct ExtremeValueTests {
  /// Settings of the small experiment, and what is expected of it.
  struct Case: CustomTestStringConvertible, Sendable {
    let settings: [String]
    /// What is expected of the run: 0, or 1 and 2 with words of the message.
    var code: Int32 = 0
    var words = ""
    /// What the rows of its trajectory must fulfil, beside being finite.
    var holds: @Sendable (_ first: [String: Double], _ last: [String: Double]) -> Bool = { _, _ in
      true
    }

    var testDescription: String { settings.joined(separator: " ") }
  }

  static let cases: [Case] = [
    // Hard attention: y is the law after the best matches alone, and no gradient of a is left.
    Case(settings: ["initial.scale=1.0e+6"]) { first, last in
      first["a"] == 1e6 && abs(last["a", default: 0] - 1e6) < 1
    },
    Case(settings: ["initial.own_weight=800"]) { first, last in
      (1...3).allSatisfy { first["attention.\($0).\($0)"] == 1 }
        && (1...3).allSatisfy { last["attention.\($0).\($0)"] == 1 }
    },
    Case(settings: ["initial.own_weight=-800"]) { first, _ in
      (1...3).allSatisfy { first["attention.\($0).\($0)"] == 0 }
    },
    // Chains that are all but deterministic.
    Case(settings: ["data.concentration=1.0e-8"]),
    Case(settings: ["data.concentration=1.0e+8"]),
    Case(settings: ["stages.classification.until=1.0e+15"]),
    Case(settings: ["stages.selection.until=1.0e+15"]) { _, last in
      last["share.1+2", default: 0] > 1 - 1e-9 || last["t", default: 0] >= 1e15
    },
    Case(settings: ["stages.selection.until=1.0e-300"]),
    Case(settings: ["data.sequences=1"]),
    Case(settings: ["data.sequences=1", "data.length=4"]),
    Case(settings: ["data.vocabulary=200", "data.sequences=50"], code: 2, words: "200^2 states"),
    Case(settings: ["data.vocabulary=200", "data.sequences=50", "data.start=uniform"]),
    Case(settings: ["data.vocabulary=256", "data.sequences=3", "data.parents=[1]"]),
    Case(settings: ["loss.floor=0"], code: 2, words: "loss.floor"),
    Case(settings: ["solver.relative_tolerance=1.0e-15"], code: 2, words: "[1e-13, 0.1]"),
    Case(settings: ["data.sequences=1000000000000"], code: 2, words: "memory"),
    Case(settings: ["data.length=1000000000000"], code: 2, words: "data.length"),
    Case(settings: ["data.vocabulary=256", "data.parents=[1,2,3,4,5,6]"], code: 2, words: "256^6"),
  ]

  @Test(arguments: cases) func theEndsOfWhatIsAllowed(_ kind: Case) throws {
    let scratch = try Scratch()
    try scratch.write(SmallExperiment.text, as: "x.yaml")
    let result = try Program.run(
      ["run", "x.yaml", "--out", "run", "--quiet"] + kind.settings.flatMap { ["--set", $0] },
      in: scratch, limit: 120)
    #expect(result.code == kind.code, "\(result)")
    guard kind.code == 0 else {
      #expect(
        result.errors.contains(kind.words) && result.errors.contains("What to do: "), "\(result)")
      return
    }
    let table = try scratch.table("run/trajectory.csv")
    let rows = table.rows.map { row in
      Dictionary(uniqueKeysWithValues: zip(table.columns, row.map { Double($0) }))
    }
    let first = try #require(rows.first), last = try #require(rows.last)
    for row in rows {
      for (name, value) in row where name != "stage" {
        #expect(value.map(\.isFinite) == true, "\(name)")
      }
    }
    // The exact flow never climbs.
    let losses = rows.compactMap { $0["loss"] ?? nil }
    #expect(zip(losses, losses.dropFirst()).allSatisfy { $1 <= $0 * (1 + 1e-7) }, "\(losses)")
    #expect(
      kind.holds(first.compactMapValues(\.self), last.compactMapValues(\.self)), "\(first) \(last)")
  }
}
