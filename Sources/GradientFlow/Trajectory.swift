public import CVODE
public import Objectives

/// A solved flow: samples, located events, the solver's history, and how each stage went.
///
/// Time t runs on over the stages; each stage's own clock starts at its first sample.
public struct Trajectory: Sendable {
  /// The parameters and their groups.
  public let layout: ParameterLayout
  /// The names of a sample's values: loss, gradient norms, parameters, observables.
  public let columns: [String]
  /// The samples in order; every stage has one at its start and one at its end.
  public internal(set) var samples: [Sample] = []
  /// The located phase transitions, stage by stage, in the order in which they were watched for.
  public internal(set) var events: [LocatedEvent] = []
  /// Every accepted step.
  public internal(set) var steps: [AcceptedStep] = []
  /// One summary for each stage that was begun.
  public internal(set) var stages: [StageSummary] = []
  /// θ where the flow stands.
  public internal(set) var parameters: [Double]
  /// Why event times have no error bars, if they were asked for and could not be had.
  public internal(set) var eventErrorsMissing: String?

  /// One row of the trajectory.
  public struct Sample: Sendable, Equatable {
    /// The stage's position among the stages.
    public let stage: Int
    /// t, over all stages.
    public let time: Double
    /// The stage's own clock.
    public let clock: Double
    /// One value per column.
    public let values: [Double]
  }

  /// A phase transition, found by root finding on the integrator's own interpolant.
  public struct LocatedEvent: Sendable, Equatable {
    /// The stage's position among the stages.
    public let stage: Int
    /// For instance `selection.1+2`.
    public let name: String
    /// t of the transition, or of the stage's end when it was not reached: then a lower bound.
    public let time: Double
    /// The numerical error of `time`, when it was determined.
    public internal(set) var error: Double?
    /// Whether the transition was reached.
    public let isReached: Bool
    /// What the root finder alone leaves open.
    let resolution: Double
  }

  /// One accepted step of the solver.
  public struct AcceptedStep: Sendable, Equatable {
    /// The stage's position among the stages.
    public let stage: Int
    /// t at the end of the step.
    public let time: Double
    /// The length of the step.
    public let size: Double
    /// The order of the formula.
    public let order: Int
    /// Weighted norm of the local error estimate; 1 is one tolerance.
    public let errorEstimate: Double
    /// Gradients evaluated by the solver since the stage began.
    public let evaluations: Int
    /// Failures of the linear solver since the stage began.
    public let linearFailures: Int
  }

  /// How a stage went.
  public struct StageSummary: Sendable {
    /// How a stage came to its end.
    public enum Ending: Sendable, Equatable {
      /// The stage's duration was reached.
      case duration
      /// A stop condition was met.
      case condition(StopCondition)
      /// The observer asked to stop.
      case stopped
      /// The integration failed.
      case failed
    }

    /// The stage as posed.
    public let stage: Stage
    /// t at its start.
    public let startTime: Double
    /// t at its end.
    public internal(set) var endTime: Double
    /// Its own clock at its end.
    public internal(set) var duration = 0.0
    /// How it ended.
    public internal(set) var ending: Ending
    /// θ at its start.
    public let start: [Double]
    /// θ at its end.
    public internal(set) var end: [Double]
    /// L at its start.
    public let lossAtStart: Double
    /// L at its end.
    public internal(set) var lossAtEnd: Double
    /// ∫‖∇L‖² dt over the trained parameters; equals the drop of L along the exact flow.
    public internal(set) var dissipation: Double
    /// The largest rise of L from one accepted step to the next; 0 along the exact flow.
    public internal(set) var largestRise: Double
    /// ‖∇L‖ over the trained parameters at its end.
    public internal(set) var gradientNormAtEnd: Double
    /// The solver's counts.
    public internal(set) var statistics: Statistics
  }

  init(objective: any Objective, start: [Double], sharpness: Bool) {
    layout = objective.layout
    columns = Self.columns(
      layout: layout, observables: objective.observableNames, sharpness: sharpness)
    parameters = start
  }

  /// The names of a sample's values.
  ///
  /// - Parameters:
  ///   - layout: the parameters.
  ///   - observables: the names of the observables.
  ///   - sharpness: whether λ_max of the Hessian is sampled.
  /// - Returns: loss, gradient norm, parameters, observables, norms per group, sharpness.
  public static func columns(
    layout: ParameterLayout, observables: [String], sharpness: Bool
  ) -> [String] {
    ["loss", "gradient_norm"] + layout.names + observables
      + layout.groups.map { "gradient_norm.\($0.name)" } + (sharpness ? ["sharpness"] : [])
  }

  /// The values of one column over all samples.
  ///
  /// - Parameter name: one of ``columns``.
  /// - Returns: one value per sample, or nil if there is no such column.
  public func values(of name: String) -> [Double]? {
    guard let index = columns.firstIndex(of: name) else { return nil }
    return samples.map { $0.values[index] }
  }

  /// Whether every stage that was begun came to its end: none failed, none was stopped.
  public var isWhole: Bool { stages.allSatisfy { $0.ending != .failed && $0.ending != .stopped } }

  /// The event of that name, in the first stage that watched for it.
  public func event(_ name: String) -> LocatedEvent? {
    events.first { $0.name == name }
  }
}

/// A flow that could not be integrated to its end.
public struct FlowFailure: Error, CustomStringConvertible {
  /// What went wrong.
  public enum Reason: Sendable {
    /// The limit of accepted steps was reached.
    case stepLimitReached(Int)
    /// The loss is not finite at an accepted state, or at the start.
    case lossIsNotFinite(Double)
    /// What a column of the trajectory holds is not a number.
    case isNotANumber(String)
    /// CVODE gave up.
    case solver(IntegrationError)
  }

  /// What went wrong.
  public let reason: Reason
  /// The stage in which it happened.
  public let stage: String
  /// t at which it happened.
  public let time: Double
  /// θ there.
  public let parameters: [Double]
  /// Everything sampled before the failure.
  public let partial: Trajectory

  /// A sentence with the time and what to try.
  public var description: String {
    let place = "in stage \(stage) at t = \(time)"
    switch reason {
    case .stepLimitReached(let limit):
      return "The limit of \(limit) steps was reached \(place). "
        + "Raise the step limit, loosen the tolerances, or shorten the stage."
    case .lossIsNotFinite(let loss) where loss.isNaN:
      return "The loss is not a number \(place): "
        + "the parameters have left the range in which it can be computed."
    case .lossIsNotFinite(let loss):
      return "The loss is \(loss) \(place): "
        + "a token that can come next has lost all its probability; a positive floor helps."
    case .isNotANumber(let column):
      return "\(column) is not a number \(place): "
        + "the parameters have left the range in which it can be computed."
    case .solver(let error):
      return "The integration failed \(place): \(error)"
    }
  }
}

/// What an observer is told after every accepted step.
public struct FlowProgress: Sendable {
  /// The stage's position among the stages.
  public let stage: Int
  /// The stage.
  public let stageDescription: Stage
  /// The stage's own clock.
  public let time: Double
  /// L.
  public let loss: Double
  /// θ.
  public let parameters: [Double]
  /// Accepted steps in this stage.
  public let steps: Int
  /// Whether this is the second solve, which only gives events their error bars.
  public let isErrorSolve: Bool
  /// What goes on beside the flow, such as an optimiser; nil for the flow.
  public let activity: String?

  init(
    stage: Int, stageDescription: Stage, time: Double, loss: Double, parameters: [Double],
    steps: Int, isErrorSolve: Bool
  ) {
    self.stage = stage
    self.stageDescription = stageDescription
    self.time = time
    self.loss = loss
    self.parameters = parameters
    self.steps = steps
    self.isErrorSolve = isErrorSolve
    activity = nil
  }

  /// Progress of something beside a flow that has come to its end.
  public init(activity: String, after trajectory: Trajectory) {
    let last = trajectory.stages[trajectory.stages.count - 1]
    stage = trajectory.stages.count - 1
    stageDescription = last.stage
    time = last.duration
    loss = last.lossAtEnd
    parameters = trajectory.parameters
    steps = 0
    isErrorSolve = false
    self.activity = activity
  }

  /// Progress of discrete training.
  ///
  /// - Parameters:
  ///   - activity: what trains.
  ///   - progress: where it stands.
  ///   - stage: its stage.
  public init(activity: String, _ progress: DiscreteTraining.Progress, stage: Stage) {
    self.stage = progress.stage
    stageDescription = stage
    time = stage.duration * Double(progress.step) / Double(progress.count)
    loss = progress.loss
    parameters = progress.parameters
    steps = progress.step
    isErrorSolve = false
    self.activity = activity
  }
}
