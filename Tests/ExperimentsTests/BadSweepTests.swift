import DeclaredKeys
import Experiments
import Testing

struct BadSweepTests {
  /// `line:column kind key` of every problem; the sweep starts at line 16.
  private static func problems(_ text: String, _ overrides: [String] = []) -> [DocumentProblem] {
    do {
      _ = try EnsemblePlan(
        Ensemble(text: Example.minimal + "\n" + text, file: "x.yaml", overrides: overrides))
      return []
    } catch {
      return error.problems
    }
  }

  private static func summary(_ problem: DocumentProblem) -> String {
    "\(problem.place.line ?? 0):\(problem.place.column ?? 0) \(problem.kind) \(problem.key ?? "")"
  }

  @Test(
    arguments: [
      ("replicates: 0", ["16:1 notAllowed replicates"]),
      ("replicates: 2.5", ["16:1 wrongType replicates"]),
      ("replicates: 1000001", ["16:1 notAllowed replicates"]),
      ("sweep: {key: data.length}", ["16:1 wrongType sweep"]),
      ("sweep: [3]", ["16:9 wrongType sweep[0]"]),
      (
        "sweep:\n"
          + String(repeating: "  - {key: data.length, values: [50]}\n", count: 65),
        ["16:1 tooLarge sweep"]
      ),
      ("sweep: [{values: [1]}]", ["16:9 missingKey sweep[0].key"]),
      ("sweep: [{key: data.lenght, values: [50]}]", ["16:10 unknownKey sweep[0].key"]),
      ("sweep: [{key: stages.two.until, values: [50]}]", ["16:10 notAllowed sweep[0].key"]),
      ("sweep: [{key: model, values: [{heads: 3}]}]", ["16:10 notAllowed sweep[0].key"]),
      ("sweep: [{key: replicates, values: [2]}]", ["16:10 notAllowed sweep[0].key"]),
      ("sweep: [{key: claims, values: [G1]}]", ["16:10 notAllowed sweep[0].key"]),
      ("sweep: [{key: sweep, values: [2]}]", ["16:10 notAllowed sweep[0].key"]),
      ("sweep: [{key: \"sweep[0].key\", values: [2]}]", ["16:10 notAllowed sweep[0].key"]),
      ("sweep: [{key: data.length}]", ["16:9 contradiction sweep[0]"]),
      (
        "sweep: [{key: data.length, values: [50], count: 3}]", ["16:9 contradiction sweep[0]"]
      ),
      ("sweep: [{key: data.length, from: 50, to: 60}]", ["16:9 missingKey sweep[0]"]),
      (
        "sweep: [{key: data.length, from: 0, to: 60, count: 3}]",
        ["16:28 notAllowed sweep[0].from"]
      ),
      (
        "sweep: [{key: data.length, from: 50, to: -1, count: 3}]",
        ["16:38 notAllowed sweep[0].to"]
      ),
      (
        "sweep: [{key: data.length, from: 50, to: 60, count: 1}]",
        ["16:46 notAllowed sweep[0].count"]
      ),
      (
        "sweep: [{key: data.length, from: 50.5, to: 60, count: 2}]",
        ["16:28 notAllowed sweep[0].from"]
      ),
      (
        "sweep: [{key: data.length, from: 50, to: 53, count: 5}]",
        ["16:46 contradiction sweep[0].count"]
      ),
      (
        "sweep: [{key: initial.scale, from: 1, to: 1, count: 2}]",
        ["16:46 contradiction sweep[0].count"]
      ),
      (
        "sweep: [{key: data.parents, from: 1, to: 3, count: 2}]", ["16:9 contradiction sweep[0]"]
      ),
      ("sweep: [{key: data.length, values: []}]", ["16:28 notAllowed sweep[0].values"]),
      (
        "sweep: [{key: data.length, values: [50, 50]}]",
        ["16:41 repeatedElement sweep[0].values[1]"]
      ),
      (
        "sweep: [{key: data.length, values: [50, 60, 5e1]}]",
        ["16:45 repeatedElement sweep[0].values[2]"]
      ),
      (
        "sweep: [{key: data.length, values: [50, ~]}]", ["16:41 wrongType sweep[0].values[1]"]
      ),
      (
        "sweep: [{key: data.length, values: [50]}, {key: data.length, values: [60]}]",
        ["16:44 repeatedElement sweep[1].key"]
      ),
      (
        "sweep: [{key: stages.one.until, values: [5]}, {key: \"stages[0].until\", values: [6]}]",
        ["16:48 repeatedElement sweep[1].key"]
      ),
      (
        "sweep: [{key: stages, values: [\"[]\"]}, {key: stages.one.until, values: [6]}]",
        ["16:41 repeatedElement sweep[1].key"]
      ),
      (
        "replicates: 1001\nsweep: [{key: initial.scale, from: 1, to: 1e9, count: 1000}]",
        ["17:1 tooLarge sweep"]
      ),
      (
        "sweep: [{key: data.length, values: [50, -1, x, 100, 70000000]}]",
        [
          "16:41 notAllowed sweep[0].values[1]", "16:45 wrongType sweep[0].values[2]",
          "16:53 notAllowed sweep[0].values[4]",
        ]
      ),
      (
        "sweep: [{key: model.window, values: [3, 200, 100]}]",
        ["7:3 contradiction data.length", "7:3 contradiction data.length"]
      ),
      (
        "sweep:\n  - {key: model.window, values: [3, 30]}\n  - {key: data.length, values: [100, 20]}",
        ["18:38 contradiction sweep[1].values[1]"]
      ),
      (
        "sweep: [{key: stages.one.train, values: [[c], \"[c, b]\", \"[c\"]}]",
        ["16:47 notAllowed sweep[0].values[1]", "16:57 notYAML sweep[0].values[2]"]
      ),
      (
        "sweep: [{key: initial.coefficient, values: [1, 1e-60]}]",
        ["16:48 notAllowed sweep[0].values[1]"]
      ),
      (
        "replicates: 2\nsweep: [{key: data.seed, values: [1, 9223372036854775807]}]",
        ["16:1 contradiction replicates"]
      ),
    ] as [(String, [String])])
  func everyFaultIsLocated(text: String, summaries: [String]) {
    #expect(Self.problems(text).map(Self.summary) == summaries, "\(Self.problems(text))")
  }

  @Test func theMessageNamesTheValueTheKeyAndItsRange() {
    #expect(
      Self.problems("sweep: [{key: model.heads, values: [3, 40]}]").map(\.description) == [
        """
        x.yaml:16:40: sweep[0].values[1]: found 40 for model.heads; allowed: an integer in 1...12 \
        (the number of heads H). What to do: choose an allowed value.
        """
      ])
    #expect(
      Self.problems("sweep: [{key: model.window, values: [3, 200]}]").map(\.found) == [
        "100 with model.window 200, where model.window = 200 (sweep[0].values[1])"
      ])
    #expect(
      Self.problems("sweep: [{key: data.lenght, values: [3]}]").map(\.nearest) == ["data.length"])
  }

  @Test func faultsThatNoAxisCausesAreToldOnceAndPlainly() {
    let text = "sweep: [{key: data.length, values: [50, 60, 70]}]"
    let problems = Self.problems(text, ["model.degree=7", "initial.scale=1e13"])
    #expect(problems.map(\.found) == ["7 with model.heads 3"])
    let late = Self.problems(text, ["initial.scale=1e13"])
    #expect(late.count == 1 && late[0].found.hasPrefix("a = 10000000000000.0 at the start"))
    let base = Self.problems("sweep: [{key: data.length, values: [50], to: 1}]\nreplicates: x")
    #expect(base.map(\.key) == ["sweep[0]", "replicates"])
  }

  @Test func faultsBetweenAxesShowBeforeAnythingRuns() {
    // Each value is right beside the first values; 30 with 20 is not.
    let text = """
      sweep:
        - {key: model.window, values: [3, 30]}
        - {key: data.length, values: [100, 20, 70]}
      """
    let problems = Self.problems(text)
    #expect(problems.map(\.key) == ["sweep[1].values[1]"])
    #expect(problems.map(\.found) == ["20 with model.window 30 for data.length"])
  }

  @Test func overridesReachTheAxes() throws {
    let text = "sweep: [{key: data.length, values: [50, 60]}]"
    let ensemble = try Ensemble(
      text: Example.minimal + "\n" + text, file: "x.yaml",
      overrides: ["sweep[0].values=[70, 80, 90]", "replicates=3"])
    #expect(ensemble.grid.axes == [SweepAxis(key: "data.length", values: ["70", "80", "90"])])
    #expect(ensemble.grid.count == 9)
    let fault = Self.problems(text, ["sweep[0].values=[70, -8]"])
    #expect(fault.map(\.place) == [.override("sweep[0].values=[70, -8]")])
    #expect(fault.map(\.key) == ["sweep[0].values[1]"])
    #expect(
      try Ensemble(text: Example.minimal, file: "x.yaml", overrides: ["sweep=[]"]).grid.isSingle)
  }

  @Test func largeGridsAreCheckedValueByValue() throws {
    let axes = """
      sweep:
        - {key: initial.scale, from: 1e-3, to: 1, count: 300}
        - {key: stages.one.until, from: 1, to: 1e6, count: 3000}
      """
    let plan = try EnsemblePlan(Ensemble(text: Example.minimal + "\n" + axes, file: "x.yaml"))
    #expect(plan.grid.count == 900_000)
    let bad = Self.problems(
      axes + "\n  - {key: data.length, values: [100, 3]}", ["sweep[1].count=1000"])
    #expect(bad.map(\.key) == ["sweep[2].values[1]"])
  }
}
