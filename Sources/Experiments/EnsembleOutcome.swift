public import FlowAnalysis
public import GradientFlow

/// What an experiment leaves, run by run.
public struct EnsembleOutcome<Judgement: Sendable>: Sendable {
  /// All runs in the order of the grid.
  public let flows: [FlowResult<Judgement>]
  /// What came of the claims: flow by flow, over replicates, and across flows.
  public let findings: [Finding]
  /// Seconds from start to end.
  public let seconds: Double

  /// Whether the observer stopped it.
  public var isStopped: Bool { flows.contains { $0.ending.isInterrupted } }

  /// The runs that failed, in order.
  public var failures: [FlowResult<Judgement>] {
    flows.filter { if case .failed = $0.ending { true } else { false } }
  }
}

/// How a run of an experiment ended.
public enum FlowEnding: Sendable, Equatable {
  /// All stages came to their end.
  case finished
  /// It was stopped on its way; all up to there is recorded.
  case stopped
  /// It failed, for the reason in these words; what there was is recorded.
  case failed(String)
  /// It had not begun when all were stopped.
  case notStarted

  /// The ending as files and tables call it.
  public var name: String {
    switch self {
    case .finished: "finished"
    case .stopped: "stopped"
    case .failed: "failed"
    case .notStarted: "not started"
    }
  }

  var isInterrupted: Bool { self == .stopped || self == .notStarted }
}

/// One run of an experiment, and what was kept of it.
public struct FlowResult<Judgement: Sendable>: Sendable {
  /// Which run it is: its axis values and its replicate.
  public let point: FlowPoint
  /// How it ended.
  public let ending: FlowEnding
  /// Where it ended; nil if nothing was computed.
  public let end: FlowEnd?
  /// What came of the claims.
  public let findings: [Finding]
  /// What claims across flows need of it; nil without claims.
  let swept: SweptFlow?
  /// What the caller made of its outcome; nil if there is none.
  public let judgement: Judgement?
}

/// Where a flow ended, in a few numbers.
public struct FlowEnd: Sendable, Equatable {
  /// L.
  public let loss: Double
  /// ‖∇L‖ over the parameters that the last stage trained.
  public let gradientNorm: Double
  /// What a person wants to know of θ.
  public let summary: SystemSummary

  init?(_ trajectory: Trajectory, of plan: ExperimentPlan) {
    guard let stage = trajectory.stages.last else { return nil }
    loss = stage.lossAtEnd
    gradientNorm = stage.gradientNormAtEnd
    summary = plan.summary(at: trajectory.parameters)
  }
}

/// What an experiment tells while it runs.
public enum EnsembleProgress: Sendable {
  /// So many runs are to be done, where that is not all of the grid.
  case counted(Int)
  /// A run begins.
  case started(FlowPoint)
  /// A step of a run was accepted.
  case advanced(FlowPoint, FlowProgress)
  /// A run ended.
  case ended(FlowPoint, FlowEnding, FlowEnd?)
}
