public import Objectives

/// The gradient flow θ′ = −∇L(θ) from a start, trained in stages.
public struct FlowProblem: Sendable {
  /// L, with its derivatives.
  public var objective: any Objective
  /// θ(0), in the order of the objective's layout.
  public var start: [Double]
  /// The stages, one after the other; each starts where the last one ended.
  public var stages: [Stage]

  /// Poses a flow.
  ///
  /// - Parameters:
  ///   - objective: what is minimised.
  ///   - start: θ(0), one finite value per parameter.
  ///   - stages: at least one.
  public init(minimizing objective: any Objective, from start: [Double], stages: [Stage]) {
    precondition(start.count == objective.layout.count, "the start has the wrong dimension")
    precondition(!stages.isEmpty, "a flow has at least one stage")
    for stage in stages {
      precondition(
        !objective.layout.indices(ofGroups: stage.trainedGroups).isEmpty,
        "stage \(stage.name) trains nothing")
    }
    self.objective = objective
    self.start = start
    self.stages = stages
  }
}

/// A part of training during which some groups of parameters move and all others stand still.
public struct Stage: Sendable, Equatable {
  /// What the stage is called in records.
  public var name: String
  /// The groups that move.
  public var trainedGroups: [String]
  /// The end on the stage's own clock, which starts at 0.
  public var duration: Double
  /// Conditions that end the stage early, whichever comes first.
  public var stopConditions: [StopCondition]

  /// Describes a stage.
  ///
  /// - Parameters:
  ///   - name: unique among the stages of a flow.
  ///   - trainedGroups: names of groups of the objective's layout.
  ///   - duration: > 0.
  ///   - stopConditions: none by default.
  public init(
    name: String, training trainedGroups: [String], until duration: Double,
    stoppingWhen stopConditions: [StopCondition] = []
  ) {
    precondition(duration > 0 && duration.isFinite, "a stage has a positive duration")
    self.name = name
    self.trainedGroups = trainedGroups
    self.duration = duration
    self.stopConditions = stopConditions
  }
}

/// A quantity that ends a stage when it passes a level.
public struct StopCondition: Sendable, Equatable, CustomStringConvertible {
  /// On which side of the level the stage stops.
  public enum Side: String, Sendable {
    /// Stop once the quantity is above the level.
    case above
    /// Stop once the quantity is below the level.
    case below
  }

  /// The name of a column of the trajectory.
  public var quantity: String
  /// On which side to stop.
  public var side: Side
  /// The level.
  public var level: Double

  /// Describes a condition.
  public init(_ quantity: String, _ side: Side, _ level: Double) {
    self.quantity = quantity
    self.side = side
    self.level = level
  }

  /// For instance `gradient_norm below 1e-10`.
  public var description: String { "\(quantity) \(side.rawValue) \(level)" }
}

/// When a trajectory is sampled: at times spaced evenly in the logarithm of the stage's own clock.
///
/// The start and the end of every stage are sampled in any case.
public struct SampleSchedule: Sendable, Equatable {
  /// The first sample after the start of a stage.
  public var first: Double
  /// Samples in each factor of ten.
  public var perDecade: Int
  /// Whether to record λ_max(∇²L) over the trained parameters at each sample.
  public var sharpness: Bool
  /// In the place of times spaced evenly: those of every stage on its own clock, ascending.
  private var listed: [[Double]]?

  /// Describes a schedule.
  ///
  /// - Parameters:
  ///   - first: > 0.
  ///   - perDecade: ≥ 1.
  ///   - sharpness: costs one Hessian and its eigenvalues per sample.
  public init(first: Double, perDecade: Int, sharpness: Bool = false) {
    precondition(first > 0 && perDecade >= 1, "samples need a first time and a density")
    self.first = first
    self.perDecade = perDecade
    self.sharpness = sharpness
  }

  /// Samples at given times.
  ///
  /// - Parameters:
  ///   - times: for each stage the times on its own clock, in any order; those outside of it count for nothing.
  ///   - sharpness: costs one Hessian and its eigenvalues per sample.
  public init(at times: [[Double]], sharpness: Bool = false) {
    self.init(first: 1, perDecade: 1, sharpness: sharpness)
    listed = times.map { Set($0).sorted() }
  }

  /// The sample times of a stage on its own clock, strictly between 0 and `duration`, ascending.
  public func times(ofStage stage: Int, within duration: Double) -> [Double] {
    if let listed {
      return stage < listed.count ? listed[stage].filter { $0 > 0 && $0 < duration } : []
    }
    var times: [Double] = []
    var index = 0
    while true {
      let time = first * power(ofTen: Double(index) / Double(perDecade))
      if time >= duration { return times }
      times.append(time)
      index += 1
    }
  }
}
