import DeclaredKeys
import Experiments
import FlowAnalysis
import Foundation
import GradientFlow
import Logging
import RunRecords
import Testing

@Suite struct MixedTargetTests {
  private static let small = """
    # Four phases?
    model: {family: mixed-target}
    target: {proportion: 1, weight: 0.5}
    data: {length: 100}
    initial: {sigma: 1.0e-3}
    stages:
      - {name: layer-2, train: [p, v1, v, w], until: 1.0e+5}
    claims: [M1, M2, M3, M4, M5, M6, M7]
    """

  private func read(_ overrides: [String] = []) throws -> Experiment {
    try Experiment(text: Self.small, file: "/folder/x.yaml", overrides: overrides)
  }

  /// Key and text of every problem.
  private func problems(_ overrides: [String]) -> [String] {
    do {
      _ = try read(overrides)
      return []
    } catch let error as DocumentError {
      return error.problems.map {
        "\($0.key ?? ""): \($0.found); \($0.allowed); \($0.advice ?? "")"
      }
    } catch {
      return ["\(error)"]
    }
  }

  @Test func resolvedReadsBack() throws {
    for overrides in [
      [], ["initial.first_rate=10"],
      ["loss.induction=tabulated", "data.sequences=200", "target.weight=1.2", "data.seed=3"],
      ["loss.induction=sampled", "data.sequences=200", "target.form=sum", "model.tied=true"],
      ["model.dimension=3", "initial.values={wk.1.2: 0.1, v: 0.2}"],
    ] {
      let experiment = try read(overrides)
      let again = try Experiment(text: experiment.resolved, file: "/folder/y.yaml")
      #expect(again == experiment)
    }
  }

  /// What is wrong, and the words that must be said of it.
  @Test(arguments: [
    (["target.weight=0.85"], "target.weight", "tabulated"),
    (["initial.sigma=0"], "initial.sigma", "at rest"),
    (["data.length=3"], "data.length", "x_{L−2}"),
    (["target.proportion=0"], "target.proportion", "> 0"),
    (["target.proportion=-1"], "target.proportion", "> 0"),
    (["loss.induction=sampled"], "data.sequences", "size of the sample"),
    (["data.sequences=100"], "data.sequences", "tabulated"),
    (["loss.induction=sampled", "data.sequences=100"], "data.sequences", "128"),
    (["loss.induction=tabulated", "data.sequences=9e18"], "data.sequences", "2147483648"),
    (["target.weight=1e10"], "target.weight", "0.001...10"),
    (["model.family=mixed_target"], "model.family", "induction-heads"),
    (["model.heads=3"], "model.heads", "model.family"),
    (["stages[0].train=[c]"], "stages[0].train[0]", "p1 | p | v1 | v | w"),
    (["claims=[G1]"], "claims[0]", "M1, M2, M3, M4, M5, M6, M7, M8"),
    (["initial.values={wk: 1, c.1: 2}"], "initial.values.c.1", "p, v1, v, wk, wq"),
    (["initial.values={p1: 1}"], "initial.values.p1", "initial.first_rate"),
    (
      ["loss.induction=tabulated", "data.sequences=128", "stages[0].train=[p1]"], "stages[0].train",
      "p₁ = ∞"
    ),
    (
      ["loss.induction=sampled", "data.sequences=128", "model.dimension=2"], "model.dimension",
      "reduced"
    ),
  ])
  func badInput(overrides: [String], key: String, words: String) {
    let found = problems(overrides)
    #expect(found.count == 1 && found.first?.hasPrefix(key + ":") == true, "\(found)")
    #expect(found.first?.contains(words) == true, "\(found)")
  }

  @Test func keysOfTheMixedTargetBelongToItAlone() {
    for setting in [
      "target.proportion=1", "initial.sigma=1", "claims=[M1]", "stages[0].train=[v1]",
    ] {
      #expect(Example.problems(Example.minimal, [setting]).count == 1, "\(setting)")
    }
  }

  @Test func theTemplateIsAnExperiment() throws {
    let text = Experiment.template(family: .mixedTarget)
    _ = try Experiment(text: text, file: "x.yaml")
    for key in ExperimentKeys.schema(of: .mixedTarget).keys
    where !["stages[].stop_when[]", "sweep[]", "figures[]"].contains(where: key.path.hasPrefix) {
      #expect(text.contains("\(key.name):"), "\(key.path)")
    }
    #expect(!text.contains("heads:"))
  }

  /// Runs an experiment; the outcome of its one flow.
  private func run(_ overrides: [String]) throws -> (outcome: ExperimentRun.Outcome, path: String) {
    let folder = FileManager.default.temporaryDirectory.path + "/gradflow-\(UUID().uuidString)"
    let ensemble = try Ensemble(text: Self.small, file: "/folder/x.yaml", overrides: overrides)
    let plan = try EnsemblePlan(ensemble).first
    let run = ExperimentRun(
      plan, program: ProgramDescription(version: "0", source: nil), threads: 2,
      logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    return (try run.run(into: RunDirectory.create(at: folder)) { _ in true }, folder)
  }

  /// The phases come in their order, losses are those of the theory, and all claims hold.
  @Test(arguments: ["reduced", "tabulated", "sampled"])
  func phasesAndClaims(induction: String) throws {
    let sampling = induction == "reduced" ? [] : ["data.sequences=2000"]
    let (outcome, path) = try run(
      ["loss.induction=\(induction)", "sampling.per_decade=100", "stages[0].until=2e4"] + sampling)
    defer { try? FileManager.default.removeItem(atPath: path) }
    let events = outcome.trajectory.events
    let isAllReached = events.allSatisfy(\.isReached)
    #expect(isAllReached)
    let times = ["plateau-entry", "plateau-exit", "emergence", "convergence"].compactMap { name in
      events.first { $0.name == name }?.time
    }
    #expect(times.count == 4 && times == times.sorted())
    #expect((outcome.samplingErrors["emergence"] ?? 0 > 0) == (induction != "reduced"))
    for finding in outcome.findings {
      if finding.claim.rawValue == "M7" {
        #expect(finding.reason != nil)
      } else {
        #expect(finding.verdict == .holds, "\(finding)")
      }
    }
    // p₁ = ∞ is left out of final.yaml, and read back as that.
    let final = try FinalParameters(contentsOf: path + "/final.yaml").parameters
    #expect(final.map(\.name) == ["p", "v1", "v", "wk", "wq"])
    let again = try EnsemblePlan(
      Ensemble(
        text: Self.small.replacingOccurrences(
          of: "sigma: 1.0e-3", with: "file: \(path)/final.yaml"), file: "/folder/x.yaml"))
    #expect(again.first.start == outcome.trajectory.parameters)
  }

  /// Below the threshold the first layer is unlearnt, above it is learnt like log t.
  @Test(arguments: [(0.05, -1.0), (0.1, 1.0)])
  func theFirstLayersThreshold(proportion: Double, sign: Double) throws {
    let (outcome, path) = try run([
      "target.proportion=\(proportion)", "data.length=5000", "initial.sigma=0.01",
      "stages[0].train=[p1]", "stages[0].until=1e10",
      "stages[0].stop_when=[{quantity: p1, below: 5e-3}]", "claims=[M7]",
    ])
    defer { try? FileManager.default.removeItem(atPath: path) }
    #expect(outcome.findings.first?.measured == sign)
    #expect(outcome.findings.first?.verdict == .holds)
    if sign > 0 { #expect(outcome.findings.last?.verdict == .holds, "\(outcome.findings)") }
  }

  /// Where the plateau is most of L_IH(0), the loss hardly moves on the way to it.
  @Test(arguments: [0.1, 0.5, 2])
  func aHighPlateauIsEntered(proportion: Double) throws {
    let (outcome, path) = try run([
      "target.weight=0.84", "target.proportion=\(proportion)", "data.length=1000", "claims=[M4]",
      "initial.sigma=1e-4",
    ])
    defer { try? FileManager.default.removeItem(atPath: path) }
    let entry = outcome.trajectory.event("plateau-entry")
    // 1 % of e^{−2t/N} is left at t = ½N log 100.
    #expect(abs((entry?.time ?? 0) / (499 * log(100)) - 1) < 0.02)
  }

  /// Laws speak of the flows that they are about: tied, several dimensions, the sum target, several stages.
  @Test(arguments: [
    (["model.tied=true"], false), (["model.dimension=2", "target.proportion=4"], true),
    (["target.form=sum"], true), (["initial.values={wk: 2e-3, wq: -1e-3}"], true),
    (
      [
        "stages=[{name: a, train: [v], until: 10}, {name: b, train: [p, v1, v, w], until: 1e5}]",
        "target.weight=0.3",
      ], false
    ),
  ])
  func claimsKnowWhatTheyAreAbout(overrides: [String], isSilent: Bool) throws {
    let (outcome, path) = try run(
      ["claims=[M1, M2, M3, M4, M5, M6]", "sampling.per_decade=150"] + overrides)
    defer { try? FileManager.default.removeItem(atPath: path) }
    let rejected = outcome.findings.filter { $0.verdict == .rejected }
    #expect(rejected.isEmpty, "\(rejected)")
    let quiet = outcome.findings.filter { $0.reason != nil }
    #expect(quiet.isEmpty != isSilent, "\(quiet)")
  }

  /// A file may hold a finite p₁, which a table is not made for.
  @Test func aFilesFirstLayer() throws {
    let folder = FileManager.default.temporaryDirectory.path + "/gradflow-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let values = ["p1", "p", "v1", "v", "wk", "wq"].map { NamedNumber($0, 0.1) }
    try FinalParameters(parameters: values).text.write(
      toFile: folder + "/with.yaml", atomically: true, encoding: .utf8)
    try FinalParameters(parameters: Array(values.dropFirst())).text.write(
      toFile: folder + "/without.yaml", atomically: true, encoding: .utf8)
    func plan(_ file: String, _ overrides: [String]) throws -> ExperimentPlan {
      let text = Self.small.replacingOccurrences(
        of: "sigma: 1.0e-3", with: "file: \(folder)/\(file)")
      return try EnsemblePlan(
        Ensemble(text: text, file: "/folder/x.yaml", overrides: overrides)
      ).first
    }
    let table = ["loss.induction=tabulated", "data.sequences=200"]
    #expect(try plan("without.yaml", table).start[0] == .infinity)
    #expect(try plan("with.yaml", []).start[0] == 0.1)
    #expect(throws: DocumentError.self) { try plan("with.yaml", table) }
    #expect(throws: DocumentError.self) { try plan("without.yaml", ["stages[0].train=[p1]"]) }
  }
}
