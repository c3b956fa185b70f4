import DeclaredKeys
import Experiments
import FlowAnalysis
import Foundation
import GradientFlow
import Logging
import RunRecords
import Testing

@Suite struct TrainingTests {
  private static let small = """
    # Beside the flow?
    data: {vocabulary: 3, parents: [1, 2], concentration: 0.1, sequences: 60, length: 30}
    model: {heads: 2, window: 2, degree: 2}
    initial: {scale: 0.5}
    stages:
      - {name: first, train: [c], until: 20}
      - {name: second, train: [w, a], until: 40, learning_rate: 2}
    training: {optimizers: [gd, momentum, sgd, adam], batch: 60, factors: [4, 2, 1, 0.5]}
    claims: [D1, D2]
    """

  private func read(_ overrides: [String] = []) throws -> Experiment {
    try Experiment(text: Self.small, file: "/folder/x.yaml", overrides: overrides)
  }

  private func problems(_ overrides: [String]) -> [String] {
    do {
      _ = try EnsemblePlan(
        Ensemble(text: Self.small, file: "/folder/x.yaml", overrides: overrides))
      return []
    } catch {
      return error.problems.map {
        "\($0.key ?? ""): \($0.found); \($0.allowed); \($0.advice ?? "")"
      }
    }
  }

  @Test func resolvedReadsBack() throws {
    for overrides in [
      [],
      [
        "figures=[{quantity: a, stage: second, step: 3, value: 1, relative: 0.1},"
          + " {quantity: share.1+2, stage: first, time: 2.5, value: 0.4, absolute: 0.2}]"
      ],
      ["loss.outputs=logits", "model.normalise_heads=true", "model.normalise_kernel=false"],
      ["model.positions=absolute", "evaluation.lengths=[30]", "evaluation.concentrations=[1]"],
    ] {
      let experiment = try read(overrides)
      let again = try Experiment(text: experiment.resolved, file: "/folder/y.yaml")
      #expect(again == experiment)
    }
    #expect(try read().training.rates == [1, 2])
    let figures = "figures=[{quantity: a, stage: first, step: 3, value: 1, relative: 0.1}]"
    #expect(try read([figures]).claims.contains(.figures), "figures are there to be judged")
  }

  @Test(arguments: [
    (["training.optimizers=[sdg]"], "training.optimizers[0]", "sgd"),
    (["training.learning_rate=1e-9"], "training.learning_rate", "at most 1e+09 steps"),
    (["training.momentum=1"], "training.momentum", "[0, 1)"),
    (["training.learning_rate=21"], "training.learning_rate", "at least one step"),
    (["stages[1].learning_rate=50"], "stages[1].learning_rate", "40"),
    (["training.factors=[1]"], "claims[0]", "training.factors"),
    (["training.factors=[1e9, 1]"], "training.factors", "multiples up to 20"),
    (["training.optimizers=[adam]"], "claims[1]", "[gd]"),
    (["claims=[figures]"], "claims[0]", "key figures"),
    (
      ["figures=[{quantity: a, step: 1, value: 1, relative: 0.1}]"], "figures[0]", "first | second"
    ),
    (
      ["figures=[{quantity: a, stage: third, step: 1, value: 1, relative: 0.1}]"],
      "figures[0].stage", "first | second"
    ),
    (
      ["figures=[{quantity: a, stage: first, step: 1, time: 2, value: 1, relative: 0.1}]"],
      "figures[0]", "exactly one of step and time"
    ),
    (
      ["figures=[{quantity: a, stage: first, step: 1, value: 1}]"], "figures[0]",
      "relative and absolute"
    ),
    (
      ["figures=[{quantity: b, stage: first, step: 1, value: 1, relative: 1}]"],
      "figures[0].quantity", "share.1+2"
    ),
    (
      ["figures=[{quantity: a, stage: second, step: 21, value: 1, relative: 1}]"],
      "figures[0].step", "at most 20"
    ),
    (
      ["figures=[{quantity: a, stage: first, time: 21, value: 1, relative: 1}]"],
      "figures[0].time", "at most 20"
    ),
    (["loss.outputs=logits", "loss.floor=1e-3"], "loss.floor", "softmax"),
    (["claims=[G9]", "evaluation.lengths=[2, 5]"], "evaluation.lengths[0]", "at least 3"),
  ])
  func badInput(overrides: [String], key: String, words: String) {
    let found = problems(overrides)
    #expect(found.count == 1 && found.first?.hasPrefix(key + ":") == true, "\(found)")
    #expect(found.first?.contains(words) == true, "\(found)")
  }

  @Test func positionsNeedALength() {
    #expect(
      Example.problems(
        Example.minimal,
        ["data.source=population", "data.chains=5", "model.positions=absolute"]
      ).contains { $0.contains("model.positions") })
    #expect(
      Example.problems(Example.tokens, ["model.positions=absolute"]).contains {
        $0.contains("model.positions")
      })
  }

  @Test func everyOptimiserHasAFileBesideTheFlow() throws {
    let (outcome, table) = try Example.run(Self.small)
    #expect(outcome.findings.map(\.claim) == [.descentOrder, .descentDrift, .descentDrift])
    #expect(outcome.findings.allSatisfy { $0.verdict == .holds }, "\(outcome.findings)")
    let trajectory = try table(.trajectory)
    let (flow, descent) = (try table(.flow), try table(.gradientDescent))
    #expect(descent.columns.prefix(3) == ["stage", "step", "t"])
    // The columns of trajectory.csv, and the sharpness.
    #expect(Array(descent.columns.dropFirst(3)) == trajectory.columns.dropFirst(2) + ["sharpness"])
    #expect(flow.rowCount == descent.rowCount)
    for name in [FileName.momentum, .stochastic] {
      #expect(try table(name).reals("t") == descent.reals("t"))
      #expect(try table(name).reals("step") == descent.reals("step"))
    }
    for (a, b) in zip(try #require(flow.reals("t")), try #require(descent.reals("t"))) {
      #expect(abs(a - b) < 1e-9)
    }
    // 20 steps of η = 1, then 20 of η = 2.
    let rows = (0..<descent.rowCount).filter { descent[$0, 0] == .text("second") }
    let steps = try #require(descent.reals("step"))
    #expect(rows.map { steps[$0] }.last == 20)
    #expect(descent.reals("t")?.last == 60)
    // A batch of everything is gradient descent; only the order of the sums differs.
    for (a, b) in zip(
      try #require(try table(.stochastic).reals("loss")), try #require(descent.reals("loss")))
    {
      #expect(abs(a - b) < 1e-13)
    }
    let adam = try table(.adam)
    #expect(adam.column("t")?.allSatisfy { $0 == .empty } == true)
    #expect(try #require(adam.reals("loss")?.last) < (try #require(adam.reals("loss")?.first)))
    let distance = try table(.distance)
    for name in ["gd", "momentum", "sgd", "adam"] {
      #expect(distance.column("optimizer")?.contains(.text(name)) == true)
    }
    #expect(distance.columns.contains("drift.C_D conserved"))
    #expect(distance.columns.contains("difference.share.1+2"))
    let convergence = try table(.convergence)
    #expect(convergence.reals("factor") == [4, 2, 1, 0.5])
    let order = try #require(convergence.reals("order")?.last)
    #expect(abs(order - 1) < 0.05)
    #expect(outcome.training?.methods.map(\.name) == ["gd", "momentum", "sgd", "adam"])
  }

  /// η need not divide a stage, and a stage may end by a condition: the last step is shortened, the clocks agree.
  @Test func stagesEndTogether() throws {
    let (outcome, table) = try Example.run(
      Self.small,
      [
        "claims=[D2]", "training.optimizers=[gd, sgd]", "training.factors=[64, 1]",
        "training.learning_rate=0.7", "stages[1].learning_rate=0.3",
        "stages[0].stop_when=[{quantity: share.1+2, above: 0.4}]", "stages[0].until=1000",
        "stages[1].until=30",
      ])
    let stages = outcome.trajectory.stages
    #expect(stages[0].duration < 1000)
    let (flow, descent) = (try table(.flow), try table(.gradientDescent))
    #expect(flow.rowCount == descent.rowCount)
    for (a, b) in zip(try #require(flow.reals("t")), try #require(descent.reals("t"))) {
      #expect(abs(a - b) <= 1e-12 * b)
    }
    #expect(abs(try #require(descent.reals("t")?.last) - stages[1].endTime) < 1e-9)
    // A step longer than a stage is one shortened step.
    let convergence = try table(.convergence)
    #expect(convergence.reals("factor") == [64, 1])
    #expect(convergence.column("status") == [.text("finished"), .text("finished")])
    #expect(convergence.reals("distance")?.allSatisfy(\.isFinite) == true)
  }

  /// The condition of the first stage holds at its start: the second is trained all the same.
  @Test func aStageMayHaveNoStep() throws {
    let (outcome, table) = try Example.run(
      Self.small,
      [
        "training.optimizers=[gd]", "stages[0].stop_when=[{quantity: loss, above: 0}]",
        "stages[1].train=[c, w, a]",
      ])
    #expect(outcome.trajectory.stages[0].duration == 0)
    let descent = try table(.gradientDescent)
    #expect(descent.column("stage")?.prefix(2) == [.text("first"), .text("second")])
    #expect(descent.reals("t")?.last == 40)
    #expect(outcome.findings.first?.verdict == .holds, "\(outcome.findings)")
  }

  @Test func whatDivergesIsRecordedUpToThere() throws {
    let text = """
      # Too far?
      model: {family: mixed-target}
      target: {proportion: 1, weight: 0.5}
      data: {length: 100}
      initial: {sigma: 1.0e-3}
      stages: [{name: all, train: [p, v1, v, w], until: 1.0e+6}]
      training: {optimizers: [gd, momentum], learning_rate: 1.0e+4}
      """
    let (outcome, table) = try Example.run(text)
    let methods = try #require(outcome.training).methods
    #expect(methods.map(\.status) == ["diverged", "diverged"])
    for method in methods {
      #expect(method.steps < 100 && method.loss.isNaN && method.distance == nil)
    }
    let descent = try table(.gradientDescent)
    #expect(descent.rowCount >= 2 && descent.reals("loss")?.allSatisfy(\.isFinite) == true)
  }

  /// Laws that are derived for the paper's form say so of another; those of any flow do not.
  @Test func lawsOfThePapersFormAreSilentOnOthers() throws {
    for form in [
      "loss.outputs=logits", "model.normalise_heads=true", "model.normalise_kernel=false",
      "model.positions=absolute",
    ] {
      let (outcome, _) = try Example.run(
        Self.small,
        [
          "claims=[G1, G2, G3]", "training.optimizers=[]", "training.factors=[]", form,
        ])
      for finding in outcome.findings {
        let reason = finding.reason ?? ""
        #expect(reason.contains("as in the paper") == (finding.claim != .conservation), "\(form)")
      }
    }
  }

  @Test func chainsInInfiniteContextHaveBatchesToo() throws {
    let text = """
      # Chains?
      data: {source: population, vocabulary: 2, parents: [1], concentration: 1, chains: 8}
      model: {heads: 2, window: 2, degree: 2}
      initial: {scale: 0.5}
      stages: [{name: all, train: [c, w, a], until: 20}]
      training: {optimizers: [gd, sgd], batch: 8}
      """
    let (_, table) = try Example.run(text)
    let losses = try [FileName.gradientDescent, .stochastic].map {
      try #require(try table($0).reals("loss"))
    }
    for (a, b) in zip(losses[0], losses[1]) { #expect(abs(a - b) < 1e-13) }
  }

  @Test func smallBatchesAreNoisyAndRepeat() throws {
    func losses(_ overrides: [String]) throws -> [Double] {
      let (_, table) = try Example.run(
        Self.small,
        ["claims=[D2]", "training.optimizers=[gd, sgd]", "training.factors=[]"] + overrides)
      return try #require(try table(.stochastic).reals("loss"))
    }
    let small = try losses(["training.batch=10"])
    #expect(try losses(["training.batch=10"]) == small)
    let whole = try losses(["training.batch=60"])
    #expect(zip(small, whole).contains { abs($0 - $1) > 1e-6 })
    // 6 batches of 10 make an epoch.
    #expect(abs(try #require(small.last) / (try #require(whole.last)) - 1) < 0.1)
  }

  @Test func runsAreShortenedToTheirLastFigure() throws {
    let figures =
      "figures=[{quantity: share.1+2, stage: first, step: 3, value: 0.3, absolute: 1},"
      + " {quantity: share.1, stage: first, step: 5, value: 0.3, absolute: 1}]"
    func ensemble(_ overrides: [String]) throws -> Ensemble {
      try Ensemble(text: Self.small, file: "/folder/x.yaml", overrides: overrides)
    }
    let whole = try ensemble(["claims=[figures, D2]", figures])
    let short = try whole.upToLastFigure.experiment(at: whole.grid[0]).experiment
    #expect(short.stages.map(\.name) == ["first"])
    #expect(short.stages[0].duration == 5 && short.training.rates == [1])
    #expect(try whole.experiment(at: whole.grid[0]).experiment.stages.count == 2)
    // Claims about whole flows need them whole.
    let other = try ensemble(["claims=[figures, G1]", figures])
    #expect(try other.upToLastFigure.experiment(at: other.grid[0]).experiment.stages.count == 2)
  }

  @Test func comparisonsTakeAllOptimisers() throws {
    let folder = FileManager.default.temporaryDirectory.path + "/gradflow-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try Example.minimal.write(toFile: folder + "/x.yaml", atomically: true, encoding: .utf8)
    func training(_ overrides: String...) throws -> TrainingSettings {
      let ensemble = try Ensemble.comparison(
        contentsOf: folder + "/x.yaml", overrides: overrides)
      return try ensemble.experiment(at: ensemble.grid[0]).experiment.training
    }
    #expect(try training().optimizers == OptimizerName.allCases)
    #expect(try training().factors == [4, 2, 1, 0.5, 0.25])
    #expect(try training("training.optimizers=[gd]").optimizers == [.descent])
    #expect(try training("training.factors=[2, 1]").factors == [2, 1])
  }
}
