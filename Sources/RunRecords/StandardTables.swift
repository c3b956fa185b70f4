// The tables whose columns are fixed: events.csv, steps.csv and claims.csv.

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
  /// The standard error of the time from the sample that the loss is taken over, if it is known.
  public var samplingError: Double?
  /// Whether it happened.
  public var isReached: Bool

  /// Creates a line.
  public init(
    stage: String, name: String, time: Double, timeError: Double?, samplingError: Double? = nil,
    isReached: Bool
  ) {
    self.stage = stage
    self.name = name
    self.time = time
    self.timeError = timeError
    self.samplingError = samplingError
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

/// One line of `claims.csv`: a statement held against a flow.
public struct ClaimRecord: Equatable, Sendable {
  /// The claim, for example `G2`.
  public var claim: String
  /// What is compared.
  public var statement: String
  /// What theory says; nil where nothing was compared.
  public var derived: Double?
  /// What the flow shows.
  public var measured: Double?
  /// The lower end of its interval.
  public var lower: Double?
  /// The upper end.
  public var upper: Double?
  /// `holds`, `rejected` or `not applicable`.
  public var verdict: String
  /// Where the law comes from.
  public var reference: String
  /// How far the derived value may be off because the law is asymptotic.
  public var modelError: Double?
  /// Why nothing was compared, or what belongs to this flow alone; may be empty.
  public var note: String
  /// Which flow of a sweep it is about; empty for a single one, and for laws across flows.
  public var flow: String
  /// How measured is to stand to derived: `equal`, `at most` or `at least`.
  public var relation: String

  /// Creates a line.
  public init(
    claim: String, statement: String, derived: Double?, measured: Double?, lower: Double?,
    upper: Double?, verdict: String, reference: String, modelError: Double?, note: String,
    flow: String, relation: String
  ) {
    self.claim = claim
    self.statement = statement
    self.derived = derived
    self.measured = measured
    self.lower = lower
    self.upper = upper
    self.verdict = verdict
    self.reference = reference
    self.modelError = modelError
    self.note = note
    self.flow = flow
    self.relation = relation
  }
}

extension Table {
  /// The table of `claims.csv`.
  public init(claims: [ClaimRecord]) {
    self.init(columns: [
      "claim", "statement", "derived", "measured", "lower", "upper", "verdict", "reference",
      "model_error", "note", "flow", "relation",
    ])
    func cell(_ value: Double?) -> Cell { value.map(Cell.real) ?? .empty }
    for claim in claims {
      append([
        .text(claim.claim), .text(claim.statement), cell(claim.derived), cell(claim.measured),
        cell(claim.lower), cell(claim.upper), .text(claim.verdict), .text(claim.reference),
        cell(claim.modelError), claim.note.isEmpty ? .empty : .text(claim.note),
        claim.flow.isEmpty ? .empty : .text(claim.flow), .text(claim.relation),
      ])
    }
  }
}

extension Table {
  /// The table of `events.csv`.
  public init(events: [EventRecord]) {
    self.init(columns: ["stage", "name", "t", "t_error", "status", "sampling_error"])
    for event in events {
      append([
        .text(event.stage), .text(event.name), .real(event.time),
        event.timeError.map(Cell.real) ?? .empty,
        .text(event.isReached ? "reached" : "not reached"),
        event.samplingError.map(Cell.real) ?? .empty,
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
