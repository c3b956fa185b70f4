public import FlowAnalysis

/// One question put to the gradient flow: what is trained, stages, solver and samples.
///
/// Every default is filled in; what depends on a file's contents stays open.
public struct Experiment: Sendable, Hashable {
  /// The question, from the comment in the file's first line.
  public var question: String?
  /// What is trained, and on what.
  public var system: SystemSettings
  /// What is trained, in order; never empty.
  public var stages: [StageSettings]
  /// How the flow is integrated.
  public var solver: SolverSettings
  /// When the trajectory is sampled.
  public var sampling: SamplingSettings
  /// Discrete optimisers beside the flow.
  public var training: TrainingSettings
  /// The claims that the flow is held against.
  public var claims: [Claim]
  /// Figures that are to be met.
  public var figures: [FigureSettings]
  /// The plane for `gradflow phase-plane`; nil without one.
  public var plane: PlaneSettings?

  /// The settings of a transformer TF(M, H, d, D); nil of another system.
  public var inductionHeads: InductionHeadSettings? {
    if case .inductionHeads(let settings) = system { settings } else { nil }
  }
}
