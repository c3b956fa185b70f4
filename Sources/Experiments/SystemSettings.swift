public import DeclaredKeys
public import MixedTargets

/// What is trained, and on what.
public enum SystemSettings: Sendable, Hashable {
  /// The transformer TF(M, H, d, D), or a full one, on Markov chains or tokens.
  case inductionHeads(InductionHeadSettings)
  /// The six-parameter transformer on the mixed target.
  case mixedTarget(MixedTargetSettings)

  /// The seeds of what is drawn, by what they are for.
  var seeds: [String: Int] {
    switch self {
    case .inductionHeads(let settings):
      ["data": settings.data.seed, "initial": settings.initial.seed]
    case .mixedTarget(let settings): ["data": settings.seed]
    }
  }

  /// The same with all seeds moved on.
  func movingSeeds(by offset: Int) -> SystemSettings {
    switch self {
    case .inductionHeads(var settings):
      settings.data.seed += offset
      settings.initial.seed += offset
      return .inductionHeads(settings)
    case .mixedTarget(var settings):
      settings.seed += offset
      return .mixedTarget(settings)
    }
  }

  /// Whether another seed makes another run.
  var isRandom: Bool {
    switch self {
    case .inductionHeads(let settings): settings.isRandom
    case .mixedTarget(let settings): settings.sequences != nil
    }
  }
}

/// A transformer TF(M, H, d, D): its data, its loss and where it starts.
public struct InductionHeadSettings: Sendable, Hashable {
  /// The sequences.
  public var data: DataSettings
  /// The transformer.
  public var model: ModelSettings
  /// The loss.
  public var loss: LossSettings
  /// Where the flow starts.
  public var initial: InitialSettings
  /// The share from which on a selection counts as complete; nil for never.
  public var completeShare: Double?
  /// The fresh data that the trained model is evaluated on.
  public var evaluation: EvaluationSettings

  /// Whether another seed makes another run.
  var isRandom: Bool {
    if initial.noise > 0 { return true }
    return switch data.source {
    case .chains: true
    case .population(let population): population.kernels.concentration != nil
    case .tokens: false
    }
  }
}

/// The mixed target: what is learnt, what learns it, and where it starts.
public struct MixedTargetSettings: Sendable, Hashable {
  /// What is learnt.
  public var target: MixedTarget
  /// What learns it.
  public var transformer: MixedTransformer
  /// Where the in-context part of the loss comes from.
  public var induction: InductionLoss
  /// S, the size of the sample or table; nil where nothing is sampled.
  public var sequences: Int?
  /// The seed of the tokens.
  public var seed: Int
  /// Where the flow starts.
  public var start: MixedStart
}

/// Where a flow of the mixed target starts.
public enum MixedStart: Sendable, Hashable {
  /// The parameters of another run's `final.yaml`; the path is absolute.
  case file(String)
  /// All at σ but p₁, which may be infinite, and single parameters by name.
  case values(size: Double, firstRate: Double, exceptions: [String: Double])
}

/// Where the in-context part of the mixed target's loss comes from.
public enum InductionLoss: String, KeyChoice {
  /// Leading order in 1/N.
  case reduced
  /// Means at finite N over a large sample, taken once.
  case tabulated
  /// The transformer itself on a fixed sample.
  case sampled
}

/// What an experiment trains.
public enum ModelFamily: String, KeyChoice {
  /// The transformer TF(M, H, d, D).
  case inductionHeads = "induction-heads"
  /// The six-parameter transformer on the mixed target.
  case mixedTarget = "mixed-target"
  /// A transformer with content, value maps, layer normalisation and a network.
  case fullTransformer = "full-transformer"
}

extension MixedTarget.Form: KeyChoice {}
