public import Objectives

/// A loss that can be taken over batches of its data.
public protocol BatchSource: Sendable {
  /// Who is in the batches of one epoch.
  ///
  /// - Parameters:
  ///   - size: sequences, or chains, in a batch; the last one may have fewer.
  ///   - epoch: from 0; each has an order of its own.
  ///   - seed: of the orders.
  /// - Returns: the members of each batch, in the order in which they are taken; at least one batch.
  func batches(of size: Int, epoch: Int, seed: UInt64) -> [[Int]]

  /// The loss over one batch.
  func objective(over members: [Int]) -> any Objective
}

/// Training by a discrete optimiser from the start of a flow, in its stages.
///
/// What an optimiser remembers is forgotten between stages.
public struct DiscreteTraining: Sendable {
  /// How a stage is trained.
  public struct StageSteps: Sendable, Hashable {
    /// η > 0.
    public let rate: Double
    /// Steps, ≥ 0.
    public let count: Int
    /// The share of a whole step that the last one is, in 0…1 without 0.
    public let lastShare: Double
    /// The steps that are recorded, ascending in 0…`count`; the first and the last are in any case.
    public let recorded: [Int]

    /// Describes the steps of a stage.
    public init(rate: Double, count: Int, lastShare: Double = 1, recorded: [Int]) {
      precondition(rate > 0 && count >= 0, "a stage has steps of positive size")
      precondition(lastShare > 0 && lastShare <= 1, "the last step is a share of a whole one")
      self.rate = rate
      self.count = count
      self.lastShare = lastShare
      self.recorded = Set(recorded + [0, count]).filter { (0...count).contains($0) }.sorted()
    }

    /// As many steps as cover a duration; the last one is shortened so that it ends there.
    ///
    /// - Parameters:
    ///   - duration: ≥ 0; of 0 there is no step.
    ///   - timePerStep: > 0; the duration has at most 10¹⁵ of them.
    ///   - rate: η > 0.
    ///   - recorded: the steps to be recorded.
    public init(covering duration: Double, timePerStep: Double, rate: Double, recorded: [Int]) {
      let steps = duration / timePerStep
      precondition(steps >= 0 && steps <= 1e15, "a duration has a number of steps")
      // What is a rounding off a whole number is that number.
      let whole = (steps * (1 + 1e-12)).rounded(.down)
      let rest = steps - whole
      let isWhole = steps == 0 || whole >= 1 && rest <= 1e-9
      self.init(
        rate: rate, count: Int(whole) + (isWhole ? 0 : 1), lastShare: isWhole ? 1 : rest,
        recorded: recorded)
    }

    /// Whole steps that have been made after some steps.
    public func elapsed(after step: Int) -> Double {
      step == count && count > 0 ? Double(count - 1) + lastShare : Double(step)
    }
  }

  /// What is trained.
  public let problem: FlowProblem
  /// By what.
  public let optimizer: Optimizer
  /// How each stage is trained.
  public let stages: [StageSteps]
  /// t at which each stage begins.
  public let startTimes: [Double]
  /// Where mini-batches come from; needed by ``Optimizer/stochastic(batch:seed:)`` alone.
  public let batches: (any BatchSource)?
  /// Threads of one evaluation; the results do not depend on it.
  public let threads: Int

  /// Describes training.
  ///
  /// - Parameters:
  ///   - problem: the loss, the start, and what each stage trains.
  ///   - optimizer: the optimiser.
  ///   - stages: one for each stage of the problem, or fewer, to end earlier.
  ///   - startTimes: t at which each stage begins; nil if each begins where the one before ended.
  ///   - batches: where mini-batches come from.
  ///   - threads: ≥ 1.
  public init(
    _ problem: FlowProblem, by optimizer: Optimizer, stages: [StageSteps],
    startTimes: [Double]? = nil, batches: (any BatchSource)? = nil, threads: Int = 1
  ) {
    precondition(
      !stages.isEmpty && stages.count <= problem.stages.count, "each stage is trained once")
    if case .stochastic = optimizer { precondition(batches != nil, "batches come from somewhere") }
    self.problem = problem
    self.optimizer = optimizer
    self.stages = stages
    var start = 0.0
    self.startTimes =
      startTimes
      ?? stages.map { stage in
        defer {
          start +=
            (optimizer.timePerStep(rate: stage.rate) ?? .nan) * stage.elapsed(after: stage.count)
        }
        return start
      }
    self.batches = batches
    self.threads = threads
  }

  /// Trains.
  ///
  /// - Parameters:
  ///   - sharpness: whether λ_max of the Hessian over the trained parameters is recorded.
  ///   - observer: told now and then; returns whether to go on.
  /// - Returns: what was recorded; whole, or up to where it diverged or was stopped.
  public func run(
    sharpness: Bool = false, observer: (Progress) -> Bool = { _ in true }
  ) -> TrainingRecord {
    let objective = problem.objective
    let evaluator = objective.makeEvaluator(threads: threads)
    var record = TrainingRecord(
      optimizer: optimizer, stages: stages,
      columns: Trajectory.columns(
        layout: objective.layout, observables: objective.observableNames, sharpness: sharpness),
      parameters: problem.start)
    for (position, steps) in stages.enumerated() {
      let stage = problem.stages[position]
      let dynamics = StageDynamics(
        objective: objective, evaluator: evaluator, stage: stage, at: record.parameters)
      var batches = batchesOf(position)
      var state = dynamics.trained.map { dynamics.parameters[$0] }
      var optimizerState = OptimizerState(optimizer, rate: steps.rate, count: state.count)
      let timePerStep = optimizer.timePerStep(rate: steps.rate)
      var pending = steps.recorded[...]
      var step = 0
      while true {
        if step == pending.first {
          pending.removeFirst()
          dynamics.load(state.span)
          let clock = timePerStep.map { $0 * steps.elapsed(after: step) }
          let values = dynamics.sample(sharpness: sharpness)
          record.parameters = dynamics.parameters
          guard values[0].isFinite else {
            return record.ended(.diverged(stage: position, step: step))
          }
          record.samples.append(
            TrainingRecord.Sample(
              stage: position, step: step, time: clock.map { startTimes[position] + $0 },
              clock: clock, values: values))
        }
        if step == steps.count { break }
        guard let (loss, gradient) = gradient(dynamics, state, &batches) else {
          dynamics.load(state.span)
          record.parameters = dynamics.parameters
          return record.ended(.diverged(stage: position, step: step))
        }
        step += 1
        optimizerState.step(
          &state, along: gradient, share: step == steps.count ? steps.lastShare : 1)
        dynamics.load(state.span)
        let goesOn = observer(
          Progress(
            stage: position, name: stage.name, step: step, count: steps.count, loss: loss,
            parameters: dynamics.parameters))
        if !goesOn {
          record.parameters = dynamics.parameters
          return record.ended(.stopped(stage: position, step: step))
        }
      }
    }
    return record
  }

  /// What an observer is told.
  public struct Progress: Sendable {
    /// The stage's position among the stages.
    public let stage: Int
    /// Its name.
    public let name: String
    /// Steps made in it.
    public let step: Int
    /// Steps to be made in it.
    public let count: Int
    /// The loss before the last step, of the batch where there are batches.
    public let loss: Double
    /// θ.
    public let parameters: [Double]
  }

  /// L and ∇L of the trained parameters over all data or the next batch; nil where they are no numbers.
  private func gradient(
    _ dynamics: StageDynamics, _ state: [Double], _ batches: inout BatchQueue?
  ) -> (loss: Double, gradient: [Double])? {
    dynamics.load(state.span)
    var gradient = [Double](repeating: 0, count: state.count)
    let loss: Double
    if let members = batches?.next(), let batch = self.batches?.objective(over: members) {
      let parameters = dynamics.parameters
      var span = gradient.mutableSpan
      loss = batch.makeEvaluator(threads: 1).gradient(
        at: parameters.span, among: dynamics.trained, into: &span)
    } else {
      loss = dynamics.evaluate()
      gradient = dynamics.gradient
    }
    return loss.isFinite && gradient.allSatisfy(\.isFinite) ? (loss, gradient) : nil
  }

  private func batchesOf(_ stage: Int) -> BatchQueue? {
    guard case .stochastic(let size, let seed) = optimizer, let batches else { return nil }
    return BatchQueue(source: batches, size: size, seed: seed &+ UInt64(stage) << 32)
  }
}

/// The batches of one epoch after the other.
private struct BatchQueue {
  let source: any BatchSource
  let size: Int
  let seed: UInt64
  private var epoch = 0
  private var waiting: ArraySlice<[Int]> = []

  init(source: any BatchSource, size: Int, seed: UInt64) {
    self.source = source
    self.size = size
    self.seed = seed
  }

  mutating func next() -> [Int] {
    if waiting.isEmpty {
      waiting = source.batches(of: size, epoch: epoch, seed: seed)[...]
      epoch += 1
    }
    return waiting.removeFirst()
  }
}

/// What a discrete optimiser left.
public struct TrainingRecord: Sendable {
  /// How it came to its end.
  public enum Ending: Sendable, Equatable {
    /// All steps were made.
    case finished
    /// The loss or its gradient became infinite or no number after so many steps of a stage.
    case diverged(stage: Int, step: Int)
    /// The observer asked to stop, after so many steps of a stage.
    case stopped(stage: Int, step: Int)
  }

  /// The parameters at one step.
  public struct Sample: Sendable, Equatable {
    /// The stage's position among the stages.
    public let stage: Int
    /// Steps since the stage began.
    public let step: Int
    /// The time of the flow that this corresponds to, over all stages; nil where there is none.
    public let time: Double?
    /// The same on the stage's own clock.
    public let clock: Double?
    /// One value per column.
    public let values: [Double]
  }

  /// The optimiser.
  public let optimizer: Optimizer
  /// How each stage was trained.
  public let stages: [DiscreteTraining.StageSteps]
  /// The names of a sample's values, those of a trajectory.
  public let columns: [String]
  /// θ where it stands.
  public internal(set) var parameters: [Double]
  /// The recorded steps, in order.
  public internal(set) var samples: [Sample] = []
  /// How it ended.
  public internal(set) var ending = Ending.finished

  /// Whether all steps were made, and the loss stayed finite.
  public var isFinished: Bool { ending == .finished }

  /// Steps that were made in all.
  public var stepCount: Int {
    let (stage, step) =
      switch ending {
      case .finished: (stages.count, 0)
      case .diverged(let stage, let step), .stopped(let stage, let step): (stage, step)
      }
    return stages[..<stage].reduce(step) { $0 + $1.count }
  }

  fileprivate func ended(_ ending: Ending) -> TrainingRecord {
    var copy = self
    copy.ending = ending
    return copy
  }
}
