public import DeclaredKeys

/// One stage of training.
public struct StageSettings: Sendable, Hashable {
  /// The name, unique among the stages.
  public var name: String
  /// The groups that move; never empty.
  public var groups: [ParameterGroup]
  /// How long the stage lasts on its own clock.
  public var duration: Double
  /// Conditions that end the stage earlier.
  public var stops: [StopSettings]
}

/// A group of parameters that is trained together.
public enum ParameterGroup: String, KeyChoice {
  /// The coefficients c of the subsets.
  case coefficients = "c"
  /// The positional weights w of the heads; of the mixed target W_K and W_Q.
  case weights = "w"
  /// The scalar a of the second layer.
  case scale = "a"
  /// The rate p₁ of the mixed target's first layer.
  case firstRate = "p1"
  /// The rate p of its positional head.
  case rate = "p"
  /// The value v₁ of its positional head.
  case firstValue = "v1"
  /// The value v of its head that compares tokens.
  case value = "v"
  /// W_Q of the heads of a full transformer.
  case queries = "wq"
  /// W_K of its heads.
  case keys = "wk"
  /// W_OV of its heads.
  case valueMaps = "wov"
  /// Gain and bias of its heads' layer normalisation.
  case headNorm = "ln"
  /// W_Q of the heads of its further attention layer.
  case upperQueries = "upper.wq"
  /// W_K of these.
  case upperKeys = "upper.wk"
  /// Their positional weights.
  case upperWeights = "upper.w"
  /// Their W_OV.
  case upperValueMaps = "upper.wov"
  /// Gain and bias of their layer normalisation.
  case upperHeadNorm = "upper.ln"
  /// All of its network.
  case network = "ffn"
  /// The matrix B of its second attention.
  case bilinear = "b"
}

/// A condition that ends a stage.
public struct StopSettings: Sendable, Hashable {
  /// A column of the trajectory, such as `gradient_norm` or `share.1+2`.
  public var quantity: String
  /// The bound that it has to cross.
  public var bound: Bound

  /// A bound and its side.
  public enum Bound: Sendable, Hashable {
    /// The quantity rises above it.
    case above(Double)
    /// The quantity falls below it.
    case below(Double)
  }
}
