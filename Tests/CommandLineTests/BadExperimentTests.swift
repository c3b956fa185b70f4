import Foundation
import Testing

/// One wrong experiment and what has to be said about it.
struct BadExperiment: Sendable, CustomTestStringConvertible {
  let name: String
  let text: String
  let overrides: [String]
  /// Parts of the message: place, key, what was found, what is allowed.
  let expected: [String]

  init(_ name: String, _ text: String, _ overrides: [String] = [], _ expected: String...) {
    self.name = name
    self.text = text
    self.overrides = overrides
    self.expected = expected
  }

  var testDescription: String { name }

  private typealias Small = SmallExperiment

  static let inFiles: [BadExperiment] = [
    .init(
      "unknown key", Small.replacing(line: 5, with: "  concentration: 0.1\n  alpha: 1"), [],
      "x.yaml:6:3: data.alpha: found an unknown key"),
    .init(
      "misspelt key", Small.replacing(line: 5, with: "  concentraton: 0.1"), [],
      "x.yaml:5:3: data.concentraton", "did you mean", "concentration"),
    .init(
      "unknown section", Small.adding("sovler:\n  method: bdf"), [], "x.yaml:22:1: sovler",
      "did you mean solver"),
    .init(
      "duplicate key", Small.replacing(line: 3, with: "  vocabulary: 3\n  vocabulary: 4"), [],
      "x.yaml:4:3: data.vocabulary"),
    .init(
      "wrong type", Small.replacing(line: 3, with: "  vocabulary: three"), [],
      "x.yaml:3:3: data.vocabulary: found", "three", "an integer in 2...256"),
    .init(
      "a list for a number", Small.replacing(line: 5, with: "  concentration: [0.1]"), [],
      "x.yaml:5:3: data.concentration"),
    .init(
      "a number for a section", Small.adding("solver: 3"), [], "x.yaml:22:1: solver"),
    .init(
      "half a sequence", Small.replacing(line: 6, with: "  sequences: 200.5"), [],
      "x.yaml:6:3: data.sequences: found 200.5"),
    .init(
      "α = 0", Small.replacing(line: 5, with: "  concentration: 0"), [],
      "x.yaml:5:3: data.concentration: found 0", "> 0"),
    .init(
      "α < 0", Small.replacing(line: 5, with: "  concentration: -1"), [],
      "x.yaml:5:3: data.concentration: found -1"),
    .init(
      "α not a number", Small.replacing(line: 5, with: "  concentration: .nan"), [],
      "x.yaml:5:3: data.concentration: found .nan"),
    .init(
      "α infinite", Small.replacing(line: 5, with: "  concentration: .inf"), [],
      "x.yaml:5:3: data.concentration: found .inf"),
    .init(
      "α beyond all reals", Small.replacing(line: 5, with: "  concentration: 1e999"), [],
      "x.yaml:5:3: data.concentration: found 1e999"),
    .init(
      "α too small", Small.replacing(line: 5, with: "  concentration: 1e-9"), [],
      "x.yaml:5:3: data.concentration: found 1e-09", "1e-8…1e8"),
    .init(
      "α too large", Small.replacing(line: 5, with: "  concentration: 1e9"), [],
      "x.yaml:5:3: data.concentration", "1e-8…1e8"),
    .init(
      "d = 1", Small.replacing(line: 3, with: "  vocabulary: 1"), [],
      "x.yaml:3:3: data.vocabulary: found 1", "2...256"),
    .init(
      "d = 257", Small.replacing(line: 3, with: "  vocabulary: 257"), [],
      "x.yaml:3:3: data.vocabulary: found 257", "2...256"),
    .init(
      "no parents", Small.replacing(line: 4, with: "  parents: []"), [],
      "x.yaml:4:3: data.parents: found"),
    .init(
      "duplicate parents", Small.replacing(line: 4, with: "  parents: [1, 2, 1]"), [],
      "x.yaml:4:19: data.parents[2]: found 1"),
    .init(
      "parent at lag 0", Small.replacing(line: 4, with: "  parents: [0, 1]"), [],
      "x.yaml:4:13: data.parents[0]: found 0"),
    .init(
      "parent beyond the sequence", Small.replacing(line: 4, with: "  parents: [1, 31]"), [],
      "x.yaml:4:16: data.parents[1]: found lag 31 with data.length 30"),
    .init(
      "lag 0", Small.replacing(line: 10, with: "  window: 3\n  lags: [[1], [2], [0]]"), [],
      "x.yaml:11:21: model.lags[2][0]: found 0"),
    .init(
      "window shorter than the heads' lags",
      Small.replacing(
        line: 10, with: "  window: 2\n  own_lags: [1, 2, 1]\n  lags: [[1, 2], [1, 3], [1]]"), [],
      "x.yaml:12:22: model.lags[1][1]: found lag 3 beyond model.window 2"),
    .init(
      "D > H", Small.replacing(line: 11, with: "  degree: 4"), [],
      "x.yaml:11:3: model.degree: found 4 with model.heads 3", "1...3"),
    .init(
      "H > M without explicit lags", Small.replacing(line: 10, with: "  window: 2"), [],
      "x.yaml:8:1: model.own_lags", "head 3 of 3 has only 2 lags", "add model.own_lags"),
    .init(
      "L not above the window", Small.replacing(line: 7, with: "  length: 3"), [],
      "x.yaml:7:3: data.length: found 3 with model.window 3", "> 3", "all-positions"),
    .init(
      "N = 0", Small.replacing(line: 6, with: "  sequences: 0"), [],
      "x.yaml:6:3: data.sequences: found 0"),
    .init(
      "a stage that trains nothing", Small.replacing(line: 14, with: "    train: []"), [],
      "x.yaml:14:5: stages[0].train: found"),
    .init(
      "a stage that trains what is not there", Small.replacing(line: 14, with: "    train: [b]"),
      [], "x.yaml:14:13: stages[0].train[0]: found b", "c"),
    .init(
      "two stages of one name", Small.replacing(line: 16, with: "  - name: selection"), [],
      "x.yaml:16:5: stages[1].name: found selection"),
    .init(
      "a stage without time", Small.replacing(line: 15, with: "    until: 0"), [],
      "x.yaml:15:5: stages[0].until: found 0"),
    .init(
      "a stage without end", Small.replacing(line: 15, with: "    until: .inf"), [],
      "x.yaml:15:5: stages[0].until: found .inf"),
    .init(
      "relative tolerance 0", Small.adding("solver:\n  relative_tolerance: 0"), [],
      "x.yaml:23:3: solver.relative_tolerance: found 0"),
    .init(
      "absolute tolerance < 0", Small.adding("solver:\n  absolute_tolerance: -1e-9"), [],
      "x.yaml:23:3: solver.absolute_tolerance: found -1e-9"),
    .init(
      "a Krylov space that no memory holds",
      Small.adding("solver:\n  krylov_dimension: 9223372036854775807"), [],
      "x.yaml:23:3: solver.krylov_dimension: found 9223372036854775807", "1...1000"),
    .init(
      "fixed-point with bdf", Small.adding("solver:\n  linear_solver: fixed-point"), [],
      "x.yaml:23:3: solver.linear_solver", "adams"),
    .init(
      "unknown quantity", Small.adding("    stop_when: [{quantity: los, below: 1}]"), [],
      "x.yaml:22:18: stages[2].stop_when[0].quantity: found los", "a column of trajectory.csv",
      "share.1+2"),
    .init(
      "sharpness that is not recorded",
      Small.adding("    stop_when: [{quantity: sharpness, below: 1}]"), [],
      "x.yaml:22:18: stages[2].stop_when[0].quantity: found sharpness"),
    .init(
      "all coefficients zero", Small.adding("initial:\n  coefficient: 0"), [],
      "x.yaml:23:3: initial.coefficient: found 0"),
    .init(
      "all coefficients zero one by one",
      Small.adding(
        "initial:\n  values: {c.1: 0, c.2: 0, c.3: 0, c.1+2: 0, c.1+3: 0, c.2+3: 0}"), [],
      "initial.coefficient", "below 1e-50"),
    .init(
      "a parameter that the model lacks", Small.adding("initial:\n  values: {c.1+2+3: 1}"), [],
      "x.yaml:23:12: initial.values.c.1+2+3: found a parameter the model lacks"),
    .init(
      "a scale that is not a number", Small.adding("initial:\n  scale: nan"), [],
      "x.yaml:23:3: initial.scale: found nan"),
    .init(
      "more samples than anyone reads", Small.adding("sampling:\n  per_decade: 1e9"), [],
      "x.yaml:23:3: sampling.per_decade: found 1000000000", "at most 1000000 samples",
      "raise sampling.first"),
    .init(
      "samples without end", Small.adding("sampling:\n  per_decade: 9223372036854775807"), [],
      "x.yaml:23:3: sampling.per_decade: found 9223372036854775807"),
    .init(
      "stationary start with too many states",
      Small.replacing(line: 4, with: "  parents: [1, 20]\n  start: stationary"), [],
      "x.yaml:5:3: data.start: found a stationary law over 3^20 states", "data.start: uniform"),
    .init(
      "too many windows",
      Small.replacing(line: 10, with: "  window: 1024").replacing(
        "length: 30", with: "length: 2000"
      )
      .replacing("vocabulary: 3", with: "vocabulary: 256").replacing("[1, 2]", with: "[1]"), [],
      "x.yaml:10:3: model.window: found 1024 lags over 256 tokens", "2^63"),
    .init(
      "more sequences than any memory holds",
      Small.replacing(line: 6, with: "  sequences: 9223372036854775807"), [],
      "x.yaml:6:3: data.sequences: found a problem of up to", "the memory available"),
    .init(
      "many sequences", Small.replacing(line: 6, with: "  sequences: 1e12"), [],
      "x.yaml:6:3: data.sequences: found a problem of up to", "PiB"),
    .init(
      "the longest sequence there could be",
      Small.replacing(line: 7, with: "  length: 9223372036854775807"), [],
      "x.yaml:7:3: data.length: found 9223372036854775807", "16777216"),
    .init(
      "another model's parameters",
      Small.adding("initial:\n  file: final.yaml"), [],
      "x.yaml:23:3: initial.file: found a file with the parameters c.1, a",
      "start from a run of the same model"),
    .init(
      "parameters that are not there", Small.adding("initial:\n  file: gone.yaml"), [],
      "gone.yaml", "no such file"),
    .init("no experiment at all", "", [], "x.yaml"),
    .init("no mapping", "- 1\n- 2\n", [], "x.yaml:1:1"),
    .init("no YAML", "data: [1,\n", [], "x.yaml:"),
    .init("a tabulator", "data:\n\tvocabulary: 3\n", [], "x.yaml:2:1"),
  ]

  static let overridden: [BadExperiment] = [
    .init(
      "unknown path", Small.text, ["solver.tolerance=1"], "--set solver.tolerance=1",
      "solver.tolerance: found an unknown key"),
    .init("no value", Small.text, ["solver.step_limit"], "--set solver.step_limit", "PATH=VALUE"),
    .init("no path", Small.text, ["=3"], "--set =3", "PATH=VALUE"),
    .init(
      "wrong type", Small.text, ["data.sequences=many"],
      "--set data.sequences=many: data.sequences: found", "an integer"),
    .init("no YAML", Small.text, ["data.parents=[1"], "--set data.parents=[1"),
    .init(
      "a section", Small.text, ["solver=3"], "--set solver=3", "solver: found a section"),
    .init(
      "below a key", Small.text, ["data.seed.x=3"], "--set data.seed.x=3", "goes beyond data.seed"),
    .init(
      "no such stage", Small.text, ["stages[3].until=1"], "--set stages[3].until=1",
      "stages has 3 elements"),
    .init(
      "a stage beyond all numbers", Small.text, ["stages[99999999999999999999].until=1"],
      "stages has 3 elements"),
    .init(
      "no stage of that name", Small.text, ["stages.copy.until=1"],
      "selection, copying, classification"),
    .init(
      "a value out of range", Small.text, ["stages.copying.until=-1"],
      "--set stages.copying.until=-1: stages[1].until: found -1"),
    .init(
      "a contradiction", Small.text, ["model.degree=4"],
      "--set model.degree=4: model.degree: found 4 with model.heads 3"),
    .init(
      "an infinite loss at the start", Small.text, ["loss.floor=0"],
      "--set loss.floor=0: loss.floor: found 0.0, with which the loss at the start is inf",
      "set a positive floor"),
  ]
}

@Suite struct BadExperimentTests {
  @Test(arguments: BadExperiment.inFiles + BadExperiment.overridden)
  func isOneClearErrorAndLeavesNothing(bad: BadExperiment) throws {
    let scratch = try Scratch()
    try scratch.write(bad.text, as: "x.yaml")
    try scratch.write("version: 1\nparameters:\n  c.1: 1\n  a: 1\n", as: "final.yaml")
    let result = try Program.run(
      ["run", "x.yaml"] + bad.overrides.flatMap { ["--set", $0] }, in: scratch)
    #expect(result.code == 2)
    #expect(result.output == "")
    #expect(result.errors.hasPrefix("gradflow: "))
    for part in bad.expected { #expect(result.errors.contains(part), "\(result.errors)") }
    #expect(!result.errors.contains("Fatal error") && !result.errors.contains("Optional("))
    #expect(try scratch.names() == ["final.yaml", "x.yaml"])
  }

  @Test func everyFaultIsReportedAtOnce() throws {
    let scratch = try Scratch()
    let text = SmallExperiment.text.replacing("vocabulary: 3", with: "vocabulary: 1")
      .replacing("degree: 2", with: "degree: 5").replacing("until: 1.0e+2", with: "until: -1")
    try scratch.write(text, as: "x.yaml")
    let result = try scratch.run("run", "x.yaml")
    #expect(result.code == 2)
    for place in ["x.yaml:3:3", "x.yaml:11:3", "x.yaml:15:5", "x.yaml:18:5", "x.yaml:21:5"] {
      #expect(result.errors.contains(place), "\(result.errors)")
    }
  }

  @Test func infiniteLossIsAnErrorOfTheFileToo() throws {
    let scratch = try Scratch()
    try scratch.write(SmallExperiment.adding("loss:\n  floor: 0"), as: "x.yaml")
    let result = try scratch.run("run", "x.yaml", "--out", "a/b/c")
    #expect(result.code == 2)
    #expect(result.errors.contains("x.yaml:23:3: loss.floor: found 0.0"))
    #expect(try scratch.names() == ["x.yaml"])
  }

  @Test(arguments: ["gone.yaml", "", "folder", "x.yaml/inside"])
  func anExperimentThatCannotBeReadIsNamed(path: String) throws {
    let scratch = try Scratch()
    try scratch.write(SmallExperiment.text, as: "x.yaml")
    try FileManager.default.createDirectory(
      at: scratch.folder.appendingPathComponent("folder"), withIntermediateDirectories: false)
    let result = try scratch.run("run", path)
    #expect(result.code == 2)
    #expect(result.errors.hasPrefix("gradflow: \(path): found "))
    #expect(result.errors.contains("What to do"))
    #expect(try scratch.names() == ["folder", "x.yaml"])
  }

  @Test func bytesThatAreNotTextAreRefused() throws {
    let scratch = try Scratch()
    let file = scratch.folder.appendingPathComponent("x.yaml")
    try Data([0x23, 0x20, 0xFF, 0xFE, 0x0A]).write(to: file)
    let result = try scratch.run("run", "x.yaml")
    #expect(result.code == 2)
    #expect(result.errors.contains("x.yaml:1:3: found bytes that are not UTF-8"))
  }
}
