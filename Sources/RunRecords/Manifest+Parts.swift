// The parts of a manifest.

/// The state of the source that a program was built from.
public struct SourceState: Codable, Equatable, Sendable {
  /// The git commit.
  public var commit: String
  /// Whether files differed from that commit.
  public var isDirty: Bool

  /// Creates a source state.
  public init(commit: String, isDirty: Bool) {
    self.commit = commit
    self.isDirty = isDirty
  }

  enum CodingKeys: String, CodingKey {
    case commit
    case isDirty = "dirty"
  }
}

/// How a run stands.
public struct RunStatus: Codable, Equatable, Sendable {
  /// The states of a run.
  public enum State: String, Codable, Sendable {
    /// Its runs are listed, and none is known to have run.
    case planned
    /// It runs, or it was killed.
    case running
    /// It came to its end.
    case finished
    /// It ended with an error.
    case failed
    /// It was stopped by its user.
    case stopped
  }

  /// The state.
  public var state: State
  /// The reason of a failure or stop.
  public var message: String?

  /// Creates a status.
  public init(state: State, message: String? = nil) {
    self.state = state
    self.message = message
  }

  /// The runs of a sweep are listed.
  public static let planned = RunStatus(state: .planned)
  /// The run runs.
  public static let running = RunStatus(state: .running)
  /// The run came to its end.
  public static let finished = RunStatus(state: .finished)
  /// The run ended with an error.
  public static func failed(_ message: String) -> RunStatus {
    RunStatus(state: .failed, message: message)
  }
  /// The run was stopped by its user, or its time was over.
  public static let stopped = RunStatus(
    state: .stopped, message: "stopped on its way, by a signal or by the end of its time")
}

/// How many runs of an experiment there are, and how they stand.
public struct FlowCounts: Codable, Equatable, Sendable {
  /// All of them, also those that were not started.
  public var total: Int
  /// Those that came to their end.
  public var finished = 0
  /// Those that ended with an error.
  public var failed = 0
  /// Those that were stopped on their way.
  public var stopped = 0

  /// The counts of an experiment of which no run has ended.
  public init(total: Int) { self.total = total }
}

/// A quantity at the end of a run.
public struct EndQuantity: Codable, Equatable, Sendable {
  /// The name.
  public var name: String
  /// A number.
  public var number: Double?
  /// A text, where it is no number.
  public var text: String?

  /// Creates a quantity.
  public init(name: String, number: Double?, text: String?) {
    self.name = name
    self.number = number
    self.text = text
  }
}

/// One stage of a run.
public struct StageRecord: Codable, Equatable, Sendable {
  /// The name.
  public var name: String
  /// The parameter groups that were trained.
  public var trainedGroups: [String]
  /// How the stage ended, in words; nil while it runs.
  public var ending: String?
  /// The time at its start.
  public var startTime: Double
  /// The time at its end, or so far.
  public var endTime: Double
  /// The solver's statistics by name.
  public var statistics: [String: Double]

  /// Creates the record of a stage.
  public init(
    name: String, trainedGroups: [String], ending: String?, startTime: Double, endTime: Double,
    statistics: [String: Double]
  ) {
    self.name = name
    self.trainedGroups = trainedGroups
    self.ending = ending
    self.startTime = startTime
    self.endTime = endTime
    self.statistics = statistics
  }

  enum CodingKeys: String, CodingKey {
    case name
    case trainedGroups = "trained_groups"
    case ending
    case startTime = "t_start"
    case endTime = "t_end"
    case statistics
  }
}

/// A law that the exact flow obeys, and how far the computed one departs from it.
public struct LawCheck: Codable, Equatable, Sendable {
  /// The name.
  public var name: String
  /// The measured departure.
  public var value: Double
  /// The departure that is allowed.
  public var limit: Double
  /// Whether the departure is within the limit.
  public var isPassed: Bool
  /// What was measured, and why it should vanish.
  public var explanation: String

  /// Creates a check.
  public init(name: String, value: Double, limit: Double, isPassed: Bool, explanation: String) {
    self.name = name
    self.value = value
    self.limit = limit
    self.isPassed = isPassed
    self.explanation = explanation
  }

  enum CodingKeys: String, CodingKey {
    case name, value, limit
    case isPassed = "passed"
    case explanation
  }
}
