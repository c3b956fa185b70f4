public import FlowAnalysis

/// One question put to the gradient flow: data, model, loss, start, stages, solver and samples.
///
/// Every default is filled in; what depends on a file's contents stays open.
public struct Experiment: Sendable, Hashable {
  /// The question, from the comment in the file's first line.
  public var question: String?
  /// The sequences.
  public var data: DataSettings
  /// The transformer.
  public var model: ModelSettings
  /// The loss.
  public var loss: LossSettings
  /// Where the flow starts.
  public var initial: InitialSettings
  /// What is trained, in order; never empty.
  public var stages: [StageSettings]
  /// How the flow is integrated.
  public var solver: SolverSettings
  /// The share from which on a selection counts as complete; nil for never.
  public var completeShare: Double?
  /// When the trajectory is sampled.
  public var sampling: SamplingSettings
  /// The claims that the flow is held against.
  public var claims: [Claim]

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
