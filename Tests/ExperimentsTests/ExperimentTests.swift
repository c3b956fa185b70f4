import DeclaredKeys
import Experiments
import Testing

struct ExperimentTests {
  @Test func threeStageHasTheSettingsOfTheSampledRun() throws {
    let experiment = try Example.read(Example.threeStage)
    guard case .chains(let chains) = experiment.data.source,
      case .values(let values) = experiment.initial.start
    else {
      Issue.record("no chains or no values")
      return
    }
    #expect(experiment.data.vocabulary == 3)
    #expect(experiment.data.seed == 1)
    #expect(chains.parents == [1, 2])
    #expect(chains.kernels.concentration == 0.1)
    #expect(chains.start == .stationary)
    #expect(chains.sequences == 10_000)
    #expect(chains.length == 100)
    #expect(experiment.model.heads == 3)
    #expect(experiment.model.window == 3)
    #expect(experiment.model.lags == [[1, 2, 3], [1, 2, 3], [1, 2, 3]])
    #expect(experiment.model.ownLags == [1, 2, 3])
    #expect(experiment.model.degree == 2)
    #expect(!experiment.model.hasEmptySet)
    #expect(experiment.model.readout == .fullWindow)
    #expect(experiment.loss.floor == 1e-6)
    #expect(experiment.loss.targets == .sampled)
    #expect(values.coefficient == 1 / 6.0.squareRoot())
    #expect(values.ownWeight == 3)
    #expect(values.otherWeight == 0)
    #expect(values.scale == 0.01)
    #expect(values.exceptions.isEmpty)
    #expect(experiment.initial.noise == 0)
    #expect(experiment.initial.seed == 1)
    #expect(experiment.stages.map(\.name) == ["selection", "copying", "classification"])
    #expect(experiment.stages.map(\.groups) == [[.coefficients], [.weights], [.scale]])
    #expect(experiment.stages.map(\.duration) == [1e5, 1e5, 1e5])
    #expect(experiment.stages.flatMap(\.stops).isEmpty)
    #expect(experiment.solver.relativeTolerance == 1e-8)
    #expect(experiment.solver.absoluteTolerance == 1e-10)
    #expect(experiment.question?.hasSuffix("?") == true)
  }

  @Test func threeStageGivesEveryValueAReason() throws {
    let lines = try Example.threeStage.split(separator: "\n")
    for line in lines where !line.hasPrefix("#") && !line.hasSuffix(":") {
      #expect(line.contains("  # "), "\(line)")
    }
  }

  @Test func defaultsAreFilledIn() throws {
    let experiment = try Example.read(Example.minimal)
    let full = try Example.read(Example.threeStage)
    #expect(experiment.question == "Why?")
    #expect(experiment.model == full.model)
    #expect(experiment.loss == full.loss)
    #expect(experiment.initial == full.initial)
    var solver = full.solver
    #expect(solver.linearSolver == .dense)
    solver.linearSolver = .automatic
    #expect(experiment.solver == solver)
    #expect(experiment.sampling == full.sampling)
  }

  @Test func defaultsFollowTheKeysTheyDependOn() throws {
    let experiment = try Example.read(
      Example.minimal, "data.seed=7", "model.empty_set=true",
      "model.lags=[[3, 2], [3, 1], [1, 2, 3]]")
    #expect(experiment.initial.seed == 7)
    #expect(experiment.model.lags == [[2, 3], [1, 3], [1, 2, 3]])
    #expect(experiment.model.ownLags == [2, 3, 3])
    #expect(experiment.model.subsetCount == 7)
    guard case .values(let values) = experiment.initial.start else {
      Issue.record("no values")
      return
    }
    #expect(values.coefficient == 1 / 7.0.squareRoot())
  }

  @Test(arguments: [
    [], ["data.seed=9223372036854775807", "initial.noise=1e-3"],
    ["initial.values={c.1+2: 0.5, w.1.3: 1e-20, a: -1}"], ["initial.file=../runs/001/final.yaml"],
    ["stages[0].stop_when=[{quantity: share.1+2, above: 0.99}, {quantity: loss, below: 1e-8}]"],
    ["solver.method=adams", "solver.linear_solver=fixed-point", "sampling.sharpness=true"],
    ["model.lags=[[1, 2], [2], [3]]", "model.own_lags=[1, 2, 3]"], ["model.readout=all-positions"],
    ["stages[0].train=[a, w, c]", "loss.targets=expected", "data.start=uniform"],
  ])
  func resolvedReadsBackToTheSame(overrides: [String]) throws {
    let experiment = try Experiment(
      text: Example.minimal, file: "/folder/x.yaml", overrides: overrides)
    let again = try Experiment(text: experiment.resolved, file: "/elsewhere/deep/y.yaml")
    #expect(again == experiment)
    #expect(again.resolved == experiment.resolved)
    #expect(experiment.resolved.hasPrefix("# Why?\n"))
  }

  @Test func resolvedTokensKeepTheFile() throws {
    let experiment = try Example.read(Example.tokens)
    guard case .tokens(let tokens) = experiment.data.source else {
      Issue.record("no tokens")
      return
    }
    #expect(tokens.file == "/folder/data/tokens.npy")
    #expect(tokens.sequences == nil)
    #expect(tokens.length == nil)
    #expect(try Experiment(text: experiment.resolved, file: "y.yaml") == experiment)
  }

  @Test func aMissingQuestionIsNoFault() throws {
    let text = String(Example.minimal.drop { $0 != "\n" }.dropFirst())
    let experiment = try Example.read(text)
    #expect(experiment.question == nil)
    #expect(try Example.read(experiment.resolved) == experiment)
  }

  @Test func resolvedHoldsEveryDefault() throws {
    let text = try Example.read(Example.minimal).resolved
    // A single flow says nothing of others, and one without a plane nothing of planes.
    for key in ExperimentKeys.schema(of: .inductionHeads).keys
    where !["replicates", "sweep", "draws.", "figures", "plane."].contains(
      where: key.path.hasPrefix)
    {
      let isAbsent = [
        "data.file", "data.kernel", "data.chains", "initial.file", "initial.values",
        "stages[].stop_when", "claims",
        "stages[].stop_when[].quantity", "stages[].stop_when[].above", "stages[].stop_when[].below",
      ].contains(key.path)
      #expect(text.contains(" \(key.name): ") || isAbsent || key.path == "stages", "\(key.path)")
    }
  }

  @Test func theTemplateIsAnExperiment() throws {
    let text = Experiment.template(question: "Is it\nso?")
    let experiment = try Example.read(text)
    #expect(experiment.question == "Is it so?")
    #expect(experiment.stages.count == 3)
    for key in ExperimentKeys.schema(of: .inductionHeads).keys
    where !["stages[].stop_when[]", "sweep[]", "figures[]", "plane.starts[]"].contains(
      where: key.path.hasPrefix)
    {
      #expect(text.contains("\(key.name):"), "\(key.path)")
    }
  }

  @Test func theReferenceListsEveryKey() {
    let reference = Experiment.reference
    for key in ExperimentKeys.schema.keys { #expect(reference.contains("| `\(key.path)` |")) }
    #expect(reference.contains("chains \\| population \\| tokens"))
    #expect(reference.contains("an integer in 2...256"))
  }

  @Test func samplesAndDefaultsInTheTemplateAreValid() throws {
    // What the template shows in a comment may be typed as it stands, beside the minimal keys.
    for key in ExperimentKeys.schema(of: .inductionHeads).keys {
      guard let sample = key.sample ?? key.fallback.sampleText, !key.path.contains("[]"),
        ![
          "data.file", "data.kernel", "data.chains", "stages", "figures", "plane.stage",
          "draws.count",
        ]
        .contains(key.path)
      else { continue }
      // The keys of a plane need its axes.
      let axes = key.path.hasPrefix("plane.") ? ["plane={x: share.2, y: share.1+3}"] : []
      #expect(
        Example.problems(Example.minimal, axes + ["\(key.path)=\(sample)"]) == [], "\(key.path)")
    }
  }

  @Test func finalParametersRoundTrip() throws {
    let parameters = FinalParameters(parameters: [
      NamedNumber("c.1", 0.1), NamedNumber("c.1+2", -1e-300), NamedNumber("w.1.3", 1.0 / 3),
      NamedNumber("a", 5),
    ])
    #expect(try FinalParameters(text: parameters.text, file: "final.yaml") == parameters)
    let error = #expect(throws: DocumentError.self) {
      try FinalParameters(text: "version: 2\nparameters:\n  a: nan\n", file: "final.yaml")
    }
    #expect(error?.problems.map(\.key) == ["version", "parameters.a"])
  }

  @Test func parametersAreKnownByName() throws {
    let model = try Example.read(
      Example.minimal, "model.lags=[[1], [2], [3]]", "model.own_lags=[1, 2, 3]"
    ).model
    for name in ["a", "c.1", "c.3", "c.1+2", "c.2+3", "w.1.1", "w.3.3"] {
      #expect(model.hasParameter(named: name), "\(name)")
    }
    for name in [
      "", "b", "a.1", "c", "c.", "c.0", "c.4", "c.2+1", "c.1+1", "c.1+2+3", "c.01", "c.+1", "c.1+",
      "w.1", "w.1.2", "w.0.1", "w.4.1", "w.1.1.1", "w.-1.1", "w.9223372036854775808.1",
    ] {
      #expect(!model.hasParameter(named: name), "\(name)")
    }
  }
}

extension KeyDefault {
  fileprivate var sampleText: String? {
    if case .value = self { words } else { nil }
  }
}
