import DeclaredKeys

extension ExperimentKeys {
  // MARK: - Evaluation

  static let evaluationLengths = Key.integers(
    "evaluation.lengths", IntegerRange(1...1_000_000), [.notEmpty, .distinct], unit: "tokens",
    default: .value([10, 20, 50, 100, 200, 400, 700, 1000]),
    "The lengths L of the fresh sequences that the trained model is evaluated on, by claim G9 and by "
      + "gradflow evaluate")
  static let evaluationConcentrations = Key.reals(
    "evaluation.concentrations", RealRange(lower: .closed(1e-8), upper: .closed(1e8)),
    [.notEmpty, .distinct],
    default: .value([0.05, 0.1, 0.2]),
    "The concentrations α of their chains; not with data.kernel")
  static let evaluationSequences = Key.integer(
    "evaluation.sequences", IntegerRange(2...10_000_000), unit: "sequences",
    default: .value(40_000),
    "How many sequences of each length and concentration")

  /// In the order in which experiments are written.
  static let ofEvaluation = [
    evaluationLengths.declaration, evaluationConcentrations.declaration,
    evaluationSequences.declaration,
  ]
}
