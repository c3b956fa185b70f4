public import DeclaredKeys

/// The loss −E log(y + ε).
public struct LossSettings: Sendable, Hashable {
  /// The floor ε inside the logarithm.
  public var floor: Double
  /// What stands for the next token.
  public var targets: Targets
}

/// What the loss takes for the next token.
public enum Targets: String, KeyChoice {
  /// The token drawn.
  case sampled
  /// The kernel's probabilities of every token.
  case expected
}
