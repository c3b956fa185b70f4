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
    // Shorter than the clock of the flow resolves there.
    Case(settings: ["stages.copying.until=1.0e-300", "claims=[G4, G5, G6, G7]"]),
    Case(settings: ["stages.copying.until=1.0e-15", "claims=[G1, G2, G3, G4, G5]"]),
    Case(settings: ["stages.classification.until=1.0e-15", "claims=[G6, G7, G8]"]),
    Case(settings: ["data.sequences=1"]),
    Case(settings: ["data.sequences=1", "data.length=4"]),
    Case(settings: ["data.vocabulary=200", "data.sequences=50"], code: 2, words: "200^2 states"),
    Case(settings: ["data.vocabulary=200", "data.sequences=50", "data.start=uniform"]),
    Case(settings: ["data.vocabulary=256", "data.sequences=3", "data.parents=[1]"]),
    Case(settings: ["loss.floor=0"], code: 2, words: "loss.floor"),
    Case(settings: ["loss.floor=5e-324"]),
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
      in: scratch)
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

  /// Where softmaxes are all but maxima, the loss is the one of its definition, written down without any care.
  @Test(arguments: ["1.0e+6", "0.01"], ["800", "-800", "30"])
  func hardAttentionIsRight(scale: String, weight: String) throws {
    let scratch = try Scratch()
    var tokens: [[Int]] = []
    for row in 0..<60 {
      tokens.append((0...20).map { (row * 7 + $0 * $0 + row * $0 + $0 * $0 * row / 5) % 3 })
    }
    try scratch.write(
      tokens.map { $0.map(String.init).joined(separator: " ") + "\n" }.joined(), as: "tokens.txt")
    try scratch.write(SmallExperiment.tokens("tokens.txt"), as: "x.yaml")
    let result = try scratch.run(
      "run", "x.yaml", "--out", "run", "--quiet", "--set", "initial.scale=\(scale)", "--set",
      "initial.own_weight=\(weight)")
    #expect(result.code == 0, "\(result)")
    let table = try scratch.table("run/trajectory.csv")
    for row in [table.rows.first, table.rows.last] {
      let values = Dictionary(
        uniqueKeysWithValues: zip(table.columns, try #require(row).map { Double($0) ?? 0 }))
      let expected = Self.loss(of: tokens, at: values)
      let loss = values["loss", default: 0]
      #expect(abs(loss - expected) <= 1e-9 * expected, "\(loss) \(expected)")
    }
  }

  /// L of three heads, a window of three and sets of two at most, by its definition.
  private static func loss(of tokens: [[Int]], at parameters: [String: Double]) -> Double {
    func value(_ name: String) -> Double { parameters[name, default: 0] }
    func softmax(_ logits: [Double]) -> [Double] {
      let top = logits.max() ?? 0
      let weights = logits.map { exp($0 - top) }
      return weights.map { $0 / weights.reduce(0, +) }
    }
    let attention = (1...3).map { head in softmax((1...3).map { value("w.\(head).\($0)") }) }
    let sets = [[1], [2], [3], [1, 2], [1, 3], [2, 3]]
    let squares = sets.map { set in
      let c = value("c." + set.map(String.init).joined(separator: "+"))
      return c * c
    }
    var sum = 0.0
    for row in tokens {
      let length = row.count - 1
      // What a head sees at a position, counted from 0.
      func seen(_ head: Int, _ position: Int) -> [Double] {
        var law = [0.0, 0, 0]
        for lag in 1...3 { law[row[position - lag]] += attention[head - 1][lag - 1] }
        return law
      }
      let kernel = (3..<length).map { position in
        let match = (1...3).map { head in
          zip(seen(head, position), seen(head, length)).reduce(0) { $0 + $1.0 * $1.1 }
        }
        return zip(sets, squares).reduce(0) { sum, term in
          sum + term.1 / squares.reduce(0, +) * term.0.reduce(1) { $0 * match[$1 - 1] }
        }
      }
      let weights = softmax(kernel.map { value("a") * $0 })
      let law = zip(3..<length, weights).reduce(0) {
        $0 + (row[$1.0] == row[length] ? $1.1 : 0)
      }
      sum -= log(law + floor)
    }
    return sum / Double(tokens.count)
  }

  /// ε of the loss where the experiment does not name another.
  private static let floor = 1.0e-6

  /// The other families at their ends.
  @Test(arguments: [
    ("four-phases.yaml", ["initial.sigma=1.0e-12"], Int32(0)),
    ("four-phases.yaml", ["initial.sigma=1.0e-300"], 2),
    ("four-phases.yaml", ["target.proportion=1.0e+8"], 0),
    ("four-phases.yaml", ["target.weight=0.8408"], 0),
    ("four-phases.yaml", ["data.length=4"], 0),
    ("four-phases.yaml", ["data.length=16777216"], 0),
    ("four-phases.yaml", ["data.length=16777217"], 2),
    ("population-three-stage.yaml", ["data.chains=1"], 0),
    ("population-three-stage.yaml", ["data.chains=20", "data.concentration=1.0e-8"], 0),
    ("population-three-stage.yaml", ["data.chains=20", "initial.own_weight=-800"], 0),
    ("full.yaml", ["data.sequences=1"], 0),
    ("full.yaml", ["initial.own_weight=800"], 0),
    ("full.yaml", ["data.concentration=1.0e-8", "model.norm_floor=1.0e-300"], 0),
    // Its loss at the start is finite, and its gradient is not.
    ("third-layer.yaml", ["loss.floor=5e-324"], 2),
  ])
  func otherFamiliesAtTheirEnds(name: String, settings: [String], code: Int32) throws {
    let scratch = try Scratch()
    let text = try #require(
      HostileExperimentTests.experiments.first { $0.name == name }?.text
        ?? ColumnTests.experiments[name], "\(name)")
    try scratch.write(text, as: "x.yaml")
    let result = try Program.run(
      ["run", "x.yaml", "--out", "run", "--quiet"] + settings.flatMap { ["--set", $0] },
      in: scratch)
    #expect(result.code == code, "\(result)")
    guard code == 0 else {
      #expect(result.errors.contains("What to do: "), "\(result)")
      return
    }
    let tables = try scratch.files(in: "run").keys.filter { $0.hasSuffix("trajectory.csv") }
    #expect(!tables.isEmpty)
    for path in tables {
      let table = try scratch.table("run/\(path)")
      let column = try #require(table.columns.firstIndex(of: "loss"))
      let losses = table.rows.compactMap { Double($0[column]) }
      #expect(losses.count == table.rows.count && losses.allSatisfy(\.isFinite))
      let isFalling = zip(losses, losses.dropFirst()).allSatisfy {
        $1 <= $0 + 1e-7 * abs($0) + 1e-15
      }
      #expect(isFalling, "\(losses)")
    }
  }
}
