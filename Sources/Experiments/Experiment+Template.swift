import DeclaredKeys

extension Experiment {
  /// A commented experiment to start from: a small three-stage run, or a flow of the mixed target.
  ///
  /// What must be given is written, everything else stands as a comment with its default.
  ///
  /// - Parameters:
  ///   - question: the first line; nil for one of the family's own.
  ///   - family: what it trains.
  /// - Returns: the text of an experiment file, which reads without a change.
  public static func template(
    question: String? = nil, family: ModelFamily = .inductionHeads
  ) -> String {
    let (values, usual) =
      switch family {
      case .inductionHeads:
        (inductionHeadExample, "Which lags does the flow select, copy and use?")
      case .mixedTarget: (mixedTargetExample, "When does the comparison of tokens emerge?")
      case .fullTransformer: (fullTransformerExample, "Which lags does a standard network select?")
      }
    let question = question ?? usual
    // A line break in the question would leave the comment.
    let line = question.split(whereSeparator: \.isNewline).joined(separator: " ")
    return ExperimentKeys.schema(of: family).template(values, header: [line])
  }

  /// Chains of two parents, and three heads that see three lags.
  private static var chainExample: KeyValues {
    typealias Keys = ExperimentKeys
    var values = KeyValues()
    values[Keys.vocabulary] = 3
    values[Keys.parents] = [1, 2]
    values[Keys.concentration] = 0.1
    values[Keys.sequences] = 1000
    values[Keys.length] = 100
    values[Keys.heads] = 3
    values[Keys.window] = 3
    return values
  }

  private static var inductionHeadExample: KeyValues {
    typealias Keys = ExperimentKeys
    var values = chainExample
    values[Keys.degree] = 2
    let stages: [(name: String, group: ParameterGroup)] = [
      ("selection", .coefficients), ("copying", .weights), ("classification", .scale),
    ]
    values[Keys.stages] = KeyList(count: stages.count)
    for (index, stage) in stages.enumerated() {
      values[Keys.stageName, index] = stage.name
      values[Keys.train, index] = [stage.group]
      values[Keys.until, index] = 1e5
    }
    return values
  }

  private static var fullTransformerExample: KeyValues {
    typealias Keys = ExperimentKeys
    var values = chainExample
    values[Keys.family] = .fullTransformer
    values[Keys.hidden] = 16
    values[Keys.features] = 16
    values[Keys.floor] = 1e-3
    values[Keys.scale] = 0.1
    values[Keys.stages] = KeyList(count: 1)
    values[Keys.stageName, 0] = "all"
    values[Keys.train, 0] = [.queries, .keys, .weights, .valueMaps, .network, .scale]
    values[Keys.until, 0] = 1e3
    values[Keys.relativeTolerance] = 1e-6
    values[Keys.absoluteTolerance] = 1e-8
    return values
  }

  private static var mixedTargetExample: KeyValues {
    typealias Keys = ExperimentKeys
    var values = KeyValues()
    values[Keys.family] = .mixedTarget
    values[Keys.proportion] = 1
    values[Keys.targetWeight] = 0.5
    values[Keys.length] = 1000
    values[Keys.sigma] = 1e-4
    values[Keys.stages] = KeyList(count: 1)
    values[Keys.stageName, 0] = "layer-2"
    values[Keys.train, 0] = [.rate, .firstValue, .value, .weights]
    values[Keys.until, 0] = 1e6
    return values
  }

  /// The keys of an experiment file as Markdown tables.
  public static var reference: String { ExperimentKeys.schema.reference }
}
