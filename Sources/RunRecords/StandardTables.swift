// The tables whose columns are fixed: events.csv and steps.csv.

/// One line of `events.csv`: something that a flow was watched for.
public struct EventRecord: Equatable, Sendable {
  /// The stage in which it was watched for.
  public var stage: String
  /// What it is, for example `selection.1+2`.
  public var name: String
  /// When it happened, or the end of the stage: then a lower bound.
  public var time: Double
  /// The numerical error of the time, if it is known.
  public var timeError: Double?
  /// Whether it happened.
  public var isReached: Bool

  /// Creates a line.
  public init(stage: String, name: String, time: Double, timeError: Double?, isReached: Bool) {
    self.stage = stage
    self.name = name
    self.time = time
    self.timeError = timeError
    self.isReached = isReached
  }
}

/// One line of `steps.csv`: an accepted step of the solver.
public struct StepRecord: Equatable, Sendable {
  /// The stage.
  public var stage: String
  /// The time at the end of the step.
  public var time: Double
  /// The length of the step.
  public var step: Double
  /// The order of the method in it.
  public var order: Int
  /// The estimated local error, in units of the tolerance.
  public var errorEstimate: Double
  /// Right-hand sides evaluated so far.
  public var evaluations: Int
  /// Failures of the linear solver so far.
  public var linearFailures: Int

  /// Creates a line.
  public init(
    stage: String, time: Double, step: Double, order: Int, errorEstimate: Double,
    evaluations: Int, linearFailures: Int
  ) {
    self.stage = stage
    self.time = time
    self.step = step
    self.order = order
    self.errorEstimate = errorEstimate
    self.evaluations = evaluations
    self.linearFailures = linearFailures
  }
}

extension Table {
  /// The table of `events.csv`.
  public init(events: [EventRecord]) {
    self.init(columns: ["stage", "name", "t", "t_error", "status"])
    for event in events {
      append([
        .text(event.stage), .text(event.name), .real(event.time),
        event.timeError.map(Cell.real) ?? .empty,
        .text(event.isReached ? "reached" : "not reached"),
      ])
    }
  }

  /// The table of `steps.csv`.
  public init(steps: [StepRecord]) {
    self.init(columns: [
      "stage", "t", "step", "order", "error_estimate", "evaluations", "linear_failures",
    ])
    for step in steps {
      append([
        .text(step.stage), .real(step.time), .real(step.step), .integer(step.order),
        .real(step.errorEstimate), .integer(step.evaluations), .integer(step.linearFailures),
      ])
    }
  }
}
