import DeclaredKeys

extension Experiment {
  /// A commented experiment to start from: a small three-stage run.
  ///
  /// What must be given is written, everything else stands as a comment with its default.
  ///
  /// - Parameter question: the first line.
  /// - Returns: the text of an experiment file, which reads without a change.
  public static func template(
    question: String = "Which lags does the flow select, copy and use?"
  ) -> String {
    typealias Keys = ExperimentKeys
    var values = KeyValues()
    values[Keys.vocabulary] = 3
    values[Keys.parents] = [1, 2]
    values[Keys.concentration] = 0.1
    values[Keys.sequences] = 1000
    values[Keys.length] = 100
    values[Keys.heads] = 3
    values[Keys.window] = 3
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
    // A line break in the question would leave the comment.
    let line = question.split(whereSeparator: \.isNewline).joined(separator: " ")
    return Keys.schema.template(values, header: [line])
  }

  /// The keys of an experiment file as Markdown tables.
  public static var reference: String { ExperimentKeys.schema.reference }
}
