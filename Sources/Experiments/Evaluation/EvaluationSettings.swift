/// The fresh data that a trained model is evaluated on.
public struct EvaluationSettings: Sendable, Hashable {
  /// L of each corpus.
  public var lengths: [Int]
  /// α of each; not used where the chain comes from a file.
  public var concentrations: [Double]
  /// Sequences of each.
  public var sequences: Int
}
