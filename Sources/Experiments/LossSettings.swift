public import DeclaredKeys
public import InductionHeads

/// What a prediction y costs.
public struct LossSettings: Sendable, Hashable {
  /// What y is taken for.
  public var outputs: OutputKind
  /// The floor ε inside the logarithm of probabilities.
  public var floor: Double
  /// What stands for the next token.
  public var targets: Targets

  /// The loss of one prediction.
  public var output: OutputLoss {
    outputs == .logits ? .crossEntropyOfLogits : .logProbability(floor: floor)
  }
}

/// What the loss takes a prediction y for.
public enum OutputKind: String, KeyChoice {
  /// Probabilities: −log(y + ε).
  case probabilities
  /// Logits: −log softmax(y).
  case logits
}

/// What the loss takes for the next token.
public enum Targets: String, KeyChoice {
  /// The token drawn.
  case sampled
  /// The kernel's probabilities of every token.
  case expected
}
