import DeclaredKeys
import Experiments
import FlowAnalysis
import Foundation
import GradientFlow
import Logging
import RunRecords
import Testing

@Suite struct FullTransformerExperimentTests {
  private static let small = """
    # A network?
    model: {family: full-transformer, heads: 2, window: 2, hidden: 6, features: 4}
    data:
      {source: chains, vocabulary: 2, parents: [1], concentration: 0.3, sequences: 200, length: 30}
    loss: {floor: 1.0e-3}
    initial: {scale: 0.5}
    stages:
      - {name: all, train: [wq, wk, w, wov, ffn, a], until: 300}
    solver: {linear_solver: spgmr, relative_tolerance: 1.0e-6, absolute_tolerance: 1.0e-8}
    claims: [F1]
    """

  private static let polynomial = ["model.comparison=polynomial", "model.degree=2"]

  private func plan(_ overrides: [String] = []) throws -> ExperimentPlan {
    try EnsemblePlan(
      Ensemble(text: Self.small, file: "/folder/x.yaml", overrides: overrides)
    ).first
  }

  @Test func resolvedReadsBack() throws {
    for overrides in [
      [], ["model.head_norm=true", "model.norm_floor=0"], Self.networkless,
      Self.polynomial + ["model.empty_set=true"],
      ["model.upper_heads=1", "model.upper_window=2", "model.own_position=true"],
      ["model.bilinear=true", "model.activation=tanh", "model.network_norm=false"],
      ["model.content=false", "model.value_maps=false", "initial.network=0.5"],
    ] {
      let text = Self.small.replacingOccurrences(
        of: ", hidden: 6, features: 4",
        with: overrides.contains(Self.networkless[0]) ? "" : ", hidden: 6, features: 4")
      let kept =
        overrides.contains(Self.polynomial[0])
        ? text.replacingOccurrences(of: ", hidden: 6, features: 4", with: "") : text
      let groups =
        overrides.contains(Self.networkless[0])
        ? "b" : overrides.contains(Self.polynomial[0]) ? "c" : "ffn"
      let experiment = try Experiment(
        text: kept, file: "/folder/x.yaml",
        overrides: overrides + ["stages[0].train=[w, \(groups), a]"])
      #expect(try Experiment(text: experiment.resolved, file: "/folder/y.yaml") == experiment)
    }
  }

  private static let networkless = ["model.comparison=heads", "model.bilinear=true"]

  /// What is wrong, and the words that must be said of it.
  @Test(arguments: [
    (["model.degree=2"], "model.degree", "comparison: polynomial"),
    (["model.rectifier=training"], "model.rectifier", "comparison: polynomial"),
    (["model.upper_heads=2"], "model.upper_heads", "upper_window"),
    (["model.normalise_heads=true"], "model.normalise_heads", "induction-heads"),
    (["target.weight=1"], "target.weight", "mixed-target"),
    (["stages[0].train=[p1]"], "stages[0].train[0]", "wq"),
    (["claims=[G2]"], "claims[0]", "F1"),
    (["claims=[D2]"], "claims[0]", "D1"),
    (["model.window=12"], "model.window", "pairs of windows"),
    (["initial.values={w.3.1: 1}"], "initial.values.w.3.1", "wq.1.1.1"),
    (["model.activation=relu"], "model.activation", "gelu | tanh | softplus"),
  ])
  func badInput(overrides: [String], key: String, words: String) {
    do {
      _ = try plan(overrides)
      Issue.record("nothing is wrong")
    } catch let error as DocumentError {
      let found = error.problems.map {
        "\($0.key ?? ""): \($0.found); \($0.allowed); \($0.advice ?? "")"
      }
      #expect(found.contains { $0.hasPrefix(key + ":") && $0.contains(words) }, "\(found)")
    } catch {
      Issue.record("\(error)")
    }
  }

  @Test func contentHasNoInfiniteContext() {
    let text = Self.small.replacingOccurrences(
      of: "source: chains, ", with: "source: population, chains: 3, "
    ).replacingOccurrences(of: ", sequences: 200, length: 30", with: "")
    do {
      _ = try EnsemblePlan(Ensemble(text: text, file: "/folder/x.yaml"))
      Issue.record("nothing is wrong")
    } catch {
      #expect(error.problems.map(\.key) == ["data.source"])
    }
  }

  /// Stages train what there is; an axis that changes the model may take some of it away.
  @Test func groupsOfTheModelAreTrained() throws {
    func problems(_ overrides: [String]) -> [String] {
      do {
        _ = try EnsemblePlan(
          Ensemble(text: Self.small, file: "/folder/x.yaml", overrides: overrides))
        return []
      } catch {
        return error.problems.compactMap(\.key)
      }
    }
    #expect(problems(["stages[0].train=[wq, ln]"]) == ["stages[0].train"])
    #expect(problems(["stages[0].train=[b, c]"]) == ["stages[0].train"])
    let axis = "sweep=[{key: model.head_norm, values: [true, false]}]"
    #expect(problems(["stages[0].train=[wq, ln]", axis]) == [])
    #expect(problems(["stages[0].train=[ln]", axis]).count == 1)
    let plan = try EnsemblePlan(
      Ensemble(
        text: Self.small, file: "/folder/x.yaml",
        overrides: ["stages[0].train=[wq, ln]", axis]))
    let trained = try [0, 1].map { try plan.plan(at: plan.grid[$0]).stages[0].trainedGroups }
    #expect(trained == [["wq", "ln"], ["wq"]])
  }

  /// Where nothing is learned, nothing is claimed to be.
  @Test func constantScoresSelectNothing() throws {
    let (outcome, _) = try Example.run(
      Self.small, ["initial.value_map=0", "stages[0].until=1", "solver.event_errors=false"])
    #expect(
      outcome.findings.map(\.verdict)
        == [.notApplicable("the scores are the same whatever the windows hold")])
  }

  /// Which single lag is best, twenty chains do not tell.
  @Test func theBestSetMustBeKnown() throws {
    let text = Self.small.replacingOccurrences(of: ", hidden: 6, features: 4", with: "")
      .replacingOccurrences(of: "ffn, a", with: "c, a")
    let (outcome, _) = try Example.run(
      text,
      Self.polynomial + [
        "model.degree=1", "data.parents=[1, 2]", "data.sequences=20", "stages[0].until=1",
        "solver.event_errors=false",
      ])
    guard case .notApplicable(let reason) = outcome.findings[0].verdict else {
      Issue.record("\(outcome.findings)")
      return
    }
    #expect(reason.contains("within three standard errors"))
  }

  @Test func aPolynomialOverAnUpperLayerHasItsHeads() {
    let upper = Self.polynomial + ["model.upper_heads=3", "model.upper_window=1"]
    let text = Self.small.replacingOccurrences(of: ", hidden: 6, features: 4", with: "")
      .replacingOccurrences(of: "ffn, a", with: "upper.w, c, a")
    func problems(_ overrides: [String]) -> [String] {
      do {
        _ = try EnsemblePlan(Ensemble(text: text, file: "/folder/x.yaml", overrides: overrides))
        return []
      } catch {
        return error.problems.compactMap(\.key)
      }
    }
    #expect(problems(upper + ["model.degree=3"]) == [])
    #expect(problems(upper + ["model.degree=3", "model.upper_heads=2"]) == ["model.degree"])
  }

  /// Dense where a Hessian is cheap, products where it is not, unless the experiment says which.
  @Test(arguments: [("auto", 4, LinearSolver.dense), ("auto", 8, .spgmr), ("dense", 8, .dense)])
  func theLinearSolverGoesBySize(solver: String, width: Int, expected: LinearSolver) throws {
    let plan = try EnsemblePlan(
      Ensemble(
        text: Self.small, file: "/folder/x.yaml",
        overrides: ["solver.linear_solver=\(solver)", "model.hidden=\(width)"])
    ).first
    #expect(plan.linearSolver == expected)
  }

  @Test func theTemplateIsAnExperiment() throws {
    let text = Experiment.template(family: .fullTransformer)
    _ = try EnsemblePlan(Ensemble(text: text, file: "x.yaml"))
    #expect(text.contains("bilinear:") && !text.contains("normalise_heads:"))
  }

  /// Laws hold, no Krylov solve fails, the one parent is found, and a dense solver comes to the same end.
  @Test func networksFindTheParent() throws {
    let (outcome, table) = try Example.run(Self.small)
    let laws = outcome.laws.filter { !$0.holds }
    #expect(laws.isEmpty, "\(laws)")
    #expect(outcome.laws.contains { $0.name.contains("1ᵀW₂") })
    #expect(try table(.steps).reals("linear_failures")?.allSatisfy { $0 == 0 } == true)
    #expect(outcome.findings.map(\.verdict) == [.holds], "\(outcome.findings)")
    let (dense, _) = try Example.run(Self.small, ["solver.linear_solver=dense"])
    for (a, b) in zip(outcome.trajectory.parameters, dense.trajectory.parameters) {
      #expect(abs(a - b) < 1e-4)
    }
  }

  /// The flow is that of the smooth model, the descent that of the rectified one.
  @Test func theRectifierIsForTrainingAlone() throws {
    let text = Self.small.replacingOccurrences(of: ", hidden: 6, features: 4", with: "")
      .replacingOccurrences(of: "ffn, a", with: "ln, c, a")
      .replacingOccurrences(of: "claims: [F1]", with: "")
    let common =
      Self.polynomial + [
        "model.head_norm=true", "training.optimizers=[gd]", "training.learning_rate=0.05",
        "stages[0].until=5",
      ]
    let smooth = try Example.run(text, common)
    let rectified = try Example.run(text, common + ["model.rectifier=training"])
    #expect(smooth.outcome.trajectory.parameters == rectified.outcome.trajectory.parameters)
    let losses = try [smooth, rectified].map {
      try #require(try $0.table(.gradientDescent).reals("loss"))
    }
    #expect(losses[0].count == losses[1].count && losses[0] != losses[1])
  }
}
