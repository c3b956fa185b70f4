import DeclaredKeys
import Experiments
import Testing

struct BadExperimentTests {
  @Test(
    arguments: [
      ("degree: 2", "  degree: 4", ["11:3 contradiction model.degree"]),
      ("heads: 3", "  heads: 4", ["8:1 missingKey model.own_lags"]),
      ("heads: 3", "  heads: 13", ["9:3 notAllowed model.heads"]),
      ("heads: 3", "  heads: 99999999999999999999", ["9:3 notAllowed model.heads"]),
      (
        "window: 3", "  window: 2\n  own_lags: [1, 2, 3]", ["11:20 contradiction model.own_lags[2]"]
      ),
      (
        "window: 3", "  window: 2\n  own_lags: [1, 2, 2]\n  lags: [[1, 2], [1, 3], [1, 2]]",
        ["12:22 contradiction model.lags[1][1]"]
      ),
      ("window: 3", "  window: 3\n  lags: [[1], [2], [3]]", ["8:1 missingKey model.own_lags"]),
      ("window: 3", "  window: 3\n  lags: [[1], [2]]", ["11:3 contradiction model.lags"]),
      (
        "window: 3", "  window: 3\n  lags: [[1, 1], [2], [0]]",
        ["11:14 repeatedElement model.lags[0][1]", "11:24 notAllowed model.lags[2][0]"]
      ),
      ("window: 3", "  window: 3\n  own_lags: [1, 2]", ["11:3 contradiction model.own_lags"]),
      ("window: 3", "  window: 9223372036854775807", ["10:3 notAllowed model.window"]),
      ("length: 100", "  length: 3", ["7:3 contradiction data.length"]),
      ("length: 100", "  length: 0", ["7:3 notAllowed data.length"]),
      ("sequences: 10", "  sequences: 0", ["6:3 notAllowed data.sequences"]),
      ("sequences: 10", "  sequences: 1.5", ["6:3 wrongType data.sequences"]),
      ("parents: [1, 2]", "  parents: []", ["4:3 notAllowed data.parents"]),
      ("parents: [1, 2]", "  parents: [1, 1]", ["4:16 repeatedElement data.parents[1]"]),
      ("parents: [1, 2]", "  parents: [0]", ["4:13 notAllowed data.parents[0]"]),
      ("parents: [1, 2]", "  parents: [1, 101]", ["4:16 contradiction data.parents[1]"]),
      ("parents: [1, 2]", "", ["2:1 missingKey data.parents"]),
      ("concentration: 0.1", "  concentration: 0", ["5:3 notAllowed data.concentration"]),
      ("concentration: 0.1", "  concentration: nan", ["5:3 notAllowed data.concentration"]),
      (
        "concentration: 0.1", "  concentraton: 0.1",
        ["2:1 missingKey data.concentration", "5:3 unknownKey data.concentraton"]
      ),
      ("vocabulary: 3", "  vocabulary: 1", ["3:3 notAllowed data.vocabulary"]),
      ("vocabulary: 3", "  vocabulary: 3\n  vocabulary: 4", ["4:3 duplicateKey data.vocabulary"]),
      ("vocabulary: 3", "  vocabulary: 3\n  file: x", ["4:3 contradiction data.file"]),
      ("vocabulary: 3", "  vocabulary: 3\n  source: chain", ["4:3 notAllowed data.source"]),
      ("train: [c]", "    train: []", ["14:5 notAllowed stages[0].train"]),
      ("train: [c]", "    train: [c, b]", ["14:16 notAllowed stages[0].train[1]"]),
      ("train: [c]", "    train: [c, c]", ["14:16 repeatedElement stages[0].train[1]"]),
      ("until: 1e5", "    until: 0", ["15:5 notAllowed stages[0].until"]),
      (
        "until: 1e5", "    until: 1e5\n  - name: one\n    train: [a]\n    until: 1",
        ["16:5 repeatedElement stages[1].name"]
      ),
      ("- name: one", "  - name: 1one", ["13:5 notAllowed stages[0].name"]),
      (
        "until: 1e5",
        "    until: 1e5\n    stop_when:\n      - {quantity: a}\n      - {quantity: a, above: 1, below: 2}",
        ["17:9 contradiction stages[0].stop_when[0]", "18:9 contradiction stages[0].stop_when[1]"]
      ),
      (
        "until: 1e5", "    until: 1e5\nsolver:\n  linear_solver: fixed-point",
        ["17:3 contradiction solver.linear_solver"]
      ),
      (
        "until: 1e5", "    until: 1e5\nsolver:\n  relative_tolerance: 0",
        ["17:3 notAllowed solver.relative_tolerance"]
      ),
      (
        "until: 1e5", "    until: 1e5\nsolver:\n  relative_tolerance: 1e-14",
        ["17:3 notAllowed solver.relative_tolerance"]
      ),
      (
        "until: 1e5", "    until: 1e5\nsolver:\n  absolute_tolerance: -1",
        ["17:3 notAllowed solver.absolute_tolerance"]
      ),
      (
        "until: 1e5",
        "    until: 1e5\ninitial:\n  file: x\n  scale: 1\n  noise: 1\n  values: {a: 1}",
        ["18:3 contradiction initial.scale", "20:3 contradiction initial.values"]
      ),
      (
        "until: 1e5", "    until: 1e5\ninitial:\n  values:\n    c.1+2+3: 1\n    a: 1",
        ["18:5 notAllowed initial.values.c.1+2+3"]
      ),
      (
        "until: 1e5", "    until: 1e5\ninitial:\n  coefficient: 0",
        ["17:3 notAllowed initial.coefficient"]
      ),
    ] as [(String, String, [String])])
  func everyFaultIsLocated(line: String, replacement: String, summaries: [String]) {
    #expect(Example.problems(Example.minimal(line, replacement)) == summaries)
  }

  @Test func keysOfTheOtherSourceAreRefused() {
    let overrides = ["data.parents=[1]", "data.start=uniform", "loss.targets=expected"]
    #expect(
      Example.problems(Example.tokens, overrides) == [
        "contradiction data.parents", "contradiction data.start", "contradiction loss.targets",
      ])
    #expect(
      Example.problems(Example.minimal, ["data.source=tokens"]) == [
        "2:1 missingKey data.file", "4:3 contradiction data.parents",
        "5:3 contradiction data.concentration",
      ])
  }

  @Test func independentFaultsAreReportedTogether() {
    let text = Example.minimal.replacing("vocabulary: 3", with: "vocabulary: one")
      .replacing("degree: 2", with: "degree: 5").replacing("length: 100", with: "length: 2")
    #expect(
      Example.problems(text) == [
        "3:3 wrongType data.vocabulary", "7:3 contradiction data.length",
        "11:3 contradiction model.degree",
      ])
  }

  @Test func legalCombinationsAreRead() {
    for overrides in [
      ["solver.method=adams"], ["solver.method=adams", "solver.linear_solver=pcg"],
      ["data.length=1", "data.parents=[1]", "model.readout=all-positions"],
      ["data.parents=[5]"], ["model.heads=5", "model.own_lags=[1, 2, 3, 1, 2]"],
      ["model.heads=12", "model.window=12", "model.degree=12"],
      ["stages.one.until=1e6"], ["stages[0].until=.5"], ["initial.values.c.1+2=1"],
    ] {
      #expect(Example.problems(Example.minimal, overrides) == [], "\(overrides)")
    }
  }

  @Test func theMessageSaysWhatToDo() {
    let error = #expect(throws: DocumentError.self) {
      try Experiment(text: Example.minimal("heads: 3", "  heads: 4"), file: "x.yaml")
    }
    #expect(
      error?.description == """
        x.yaml:8:1: model.own_lags (default): found none, and head 4 of 4 has only 3 lags; \
        allowed: one lag for each head out of its lags. What to do: add model.own_lags with 4 \
        lags, such as [1, 2, 3, 1].
        """)
  }
}
