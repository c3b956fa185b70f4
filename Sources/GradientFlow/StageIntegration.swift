import CVODE
import Objectives

/// Integrates one stage and writes what happens into a trajectory.
struct StageIntegration {
  let position: Int
  let stage: Stage
  let options: SolverOptions
  /// nil in the second solve, which only locates events.
  let sampling: SampleSchedule?
  let observer: (FlowProgress) -> Bool

  /// Told at every restart boundary inside the stage.
  let keep: (Trajectory, StageProgress) -> Void

  let dynamics: StageDynamics
  var trajectory: Trajectory
  private var progress: StageProgress
  private let sampleTimes: [Double]
  private let isResumed: Bool

  /// - Parameters:
  ///   - problem: the flow.
  ///   - position: the stage's position among the stages.
  ///   - evaluator: of the objective.
  ///   - trajectory: all before the stage or, with `progress`, up to there.
  ///   - progress: where an earlier integration of the stage stands; nil to begin.
  ///   - options: how it is integrated.
  ///   - sampling: when to sample.
  ///   - observer: told after every step; returns whether to go on.
  ///   - keep: told at every restart boundary.
  init(
    _ problem: FlowProblem, position: Int, evaluator: any ObjectiveEvaluator,
    after trajectory: Trajectory, from progress: StageProgress?, options: SolverOptions,
    sampling: SampleSchedule?, observer: @escaping (FlowProgress) -> Bool,
    keep: @escaping (Trajectory, StageProgress) -> Void
  ) {
    self.position = position
    stage = problem.stages[position]
    self.options = options
    self.sampling = sampling
    self.observer = observer
    self.keep = keep
    self.trajectory = trajectory
    sampleTimes = sampling?.times(ofStage: position, within: stage.duration) ?? []
    isResumed = progress != nil
    dynamics = StageDynamics(
      objective: problem.objective, evaluator: evaluator, stage: stage,
      at: progress == nil ? trajectory.parameters : trajectory.stages[position].start)
    if let progress {
      self.progress = progress
      return
    }
    let loss = dynamics.evaluate()
    self.progress = StageProgress(
      squaredNorms: [dynamics.squaredGradientNorm], lastLoss: loss)
    let startTime = trajectory.stages.last?.endTime ?? 0
    self.trajectory.stages.append(
      Trajectory.StageSummary(
        stage: stage, startTime: startTime, endTime: startTime, ending: .failed,
        start: dynamics.parameters, end: dynamics.parameters, lossAtStart: loss,
        lossAtEnd: loss, dissipation: 0, largestRise: 0,
        gradientNormAtEnd: dynamics.squaredGradientNorm.squareRoot(), statistics: Statistics()))
  }

  private var startTime: Double { trajectory.stages[position].startTime }
  private var lossAtStart: Double { trajectory.stages[position].lossAtStart }

  /// Runs the stage; `trajectory` then holds its samples, steps, events and summary.
  mutating func run() throws(FlowFailure) {
    let watched = WatchedEvents(stage: stage, dynamics: dynamics)
    if isResumed {
      let state = dynamics.trained.map { trajectory.parameters[$0] }
      dynamics.load(state.span)
    } else {
      guard lossAtStart.isFinite else { throw failure(.lossIsNotFinite(lossAtStart), at: 0) }
      try addSample(at: 0)
      if let condition = watched.metAtStart {
        try finish(at: 0, ending: .condition(condition), watched, Statistics())
        return
      }
    }
    do {
      while try !advanceToBoundary(watched) { keep(trajectory, progress) }
    } catch let error as FlowFailure {
      throw error
    } catch let error as IntegrationError {
      throw failure(.solver(error), at: error.time)
    } catch {
      preconditionFailure("no other error is thrown here: \(error)")
    }
  }

  /// Steps with a new integrator to the end of the stage, or to the next restart boundary.
  ///
  /// - Returns: whether the stage has ended.
  private mutating func advanceToBoundary(_ watched: WatchedEvents) throws -> Bool {
    var integrator = try Integrator(
      dynamics.equation, events: watched.functions(dynamics), from: progress.clock,
      state: dynamics.trained.map { dynamics.parameters[$0] }, options: options.integratorOptions)
    if try advance(&integrator, watched) { return true }
    progress.clock = integrator.time
    progress.statistics += integrator.statistics
    return false
  }

  /// Steps until the stage has ended, or the integrator has taken all steps it may take.
  ///
  /// - Returns: whether the stage has ended.
  private mutating func advance(
    _ integrator: inout Integrator, _ watched: WatchedEvents
  ) throws -> Bool {
    while true {
      let outcome = try integrator.step(toward: stage.duration)
      switch outcome {
      case .events(let time, let occurrences):
        if time > stage.duration { continue }
        try addSamples(upTo: time, integrator)
        for occurrence in occurrences {
          switch watched.kinds[occurrence.index] {
          case .phase(let event):
            if progress.reached[event.name] == nil {
              progress.reached[event.name] = .init(time: time, step: abs(integrator.stepSize))
            }
          case .stop(let condition):
            integrator.withState { dynamics.load($0) }
            for name in watched.reached(dynamics) where progress.reached[name] == nil {
              progress.reached[name] = .init(time: time, step: abs(integrator.stepSize))
            }
            try record(integrator, loss: dynamics.evaluate())
            try finish(
              at: time, ending: .condition(condition), watched, statistics(integrator))
            return true
          }
        }
      case .stepped:
        let end = min(integrator.time, stage.duration)
        try addSamples(upTo: end, integrator)
        try accept(integrator)
        let statistics = statistics(integrator)
        let goesOn = observer(
          FlowProgress(
            stage: position, stageDescription: stage, time: end, loss: progress.lastLoss,
            parameters: dynamics.parameters, steps: statistics.steps,
            isErrorSolve: sampling == nil))
        if integrator.time >= stage.duration || !goesOn {
          try load(end, integrator)
          try finish(
            at: end, ending: integrator.time >= stage.duration ? .duration : .stopped, watched,
            statistics)
          return true
        }
        if statistics.steps >= options.stepLimit {
          throw failure(.stepLimitReached(options.stepLimit), at: integrator.time)
        }
        if integrator.statistics.steps >= options.checkpointSteps { return false }
      }
    }
  }

  /// The work of the stage so far.
  private func statistics(_ integrator: borrowing Integrator) -> Statistics {
    progress.statistics + integrator.statistics
  }

  /// Looks at the state at the end of a step: its loss, its gradient, the solver's history.
  private mutating func accept(_ integrator: borrowing Integrator) throws {
    try load(integrator.time, integrator)
    let loss = dynamics.evaluate()
    guard loss.isFinite else { throw failure(.lossIsNotFinite(loss), at: integrator.time) }
    try record(integrator, loss: loss)
    let summary = trajectory.stages.count - 1
    trajectory.stages[summary].endTime = startTime + min(integrator.time, stage.duration)
    trajectory.stages[summary].duration = min(integrator.time, stage.duration)
    trajectory.stages[summary].end = dynamics.parameters
    trajectory.stages[summary].lossAtEnd = loss
    trajectory.parameters = dynamics.parameters
    // A step below the resolution of the time adds nothing.
    if integrator.time > progress.times[progress.times.count - 1] {
      progress.times.append(integrator.time)
      progress.squaredNorms.append(dynamics.squaredGradientNorm)
    }
  }

  /// Records the last step, over which the loss has gone from the last one to `loss`.
  private mutating func record(_ integrator: borrowing Integrator, loss: Double) throws {
    let statistics = statistics(integrator)
    let summary = trajectory.stages.count - 1
    trajectory.stages[summary].largestRise = max(
      trajectory.stages[summary].largestRise, loss - progress.lastLoss)
    trajectory.stages[summary].statistics = statistics
    trajectory.steps.append(
      Trajectory.AcceptedStep(
        stage: position, time: startTime + integrator.time, size: integrator.stepSize,
        order: integrator.order, errorEstimate: integrator.errorEstimate ?? .nan,
        evaluations: statistics.derivativeEvaluations, linearFailures: statistics.linearFailures))
    try addInterpolant(integrator, lossAtEnd: loss)
    progress.lastLoss = loss
  }

  /// Keeps the last step for loss-drop events.
  private mutating func addInterpolant(
    _ integrator: borrowing Integrator, lossAtEnd after: Double
  ) throws {
    guard !lossDropEvents.isEmpty else { return }
    progress.interpolants.append(
      try StepInterpolant(
        integrator, from: max(0, integrator.time - integrator.stepSize), lossAtEnd: after))
    // The loss never rises, so the level can only lie below what it would be if the stage ended
    // now: steps that lie above that are not needed any more. A step past the end says nothing.
    guard integrator.time <= stage.duration else { return }
    let highest = lossDropEvents.map(\.fraction).max() ?? 0
    let level = after + highest * (lossAtStart - after)
    let kept =
      progress.interpolants.firstIndex { $0.lossAtEnd <= level } ?? progress.interpolants.endIndex
    // Dropping in larger lots keeps the cost of moving the rest small.
    if kept > 64 { progress.interpolants.removeFirst(kept) }
  }

  private var lossDropEvents: [LossDropEvent] {
    dynamics.objective.lossDropEvents.filter {
      !Set($0.groups).isDisjoint(with: stage.trainedGroups)
    }
  }

  /// Closes the stage at the loaded parameters.
  private mutating func finish(
    at time: Double, ending: Trajectory.StageSummary.Ending, _ watched: WatchedEvents,
    _ statistics: Statistics
  ) throws(FlowFailure) {
    let loss = dynamics.evaluate()
    guard loss.isFinite else { throw failure(.lossIsNotFinite(loss), at: time) }
    // First, for a stage whose last row cannot be has not come to its end.
    try addSample(at: time)
    let norm = dynamics.squaredGradientNorm
    if time > 0 {
      // The end lies inside the last step, or at its end.
      let behind = progress.times.lastIndex { $0 < time }.map { $0 + 1 } ?? progress.times.count
      if behind < progress.times.count && progress.times[behind] == time {
        progress.squaredNorms[behind] = norm
      } else {
        progress.times.insert(time, at: behind)
        progress.squaredNorms.insert(norm, at: behind)
      }
    }
    let summary = trajectory.stages.count - 1
    trajectory.stages[summary].endTime = startTime + time
    trajectory.stages[summary].duration = time
    trajectory.stages[summary].ending = ending
    trajectory.stages[summary].end = dynamics.parameters
    trajectory.stages[summary].lossAtEnd = loss
    trajectory.stages[summary].gradientNormAtEnd = norm.squareRoot()
    trajectory.stages[summary].statistics = statistics
    trajectory.stages[summary].dissipation = integral(
      of: progress.squaredNorms, at: progress.times, upTo: time)
    trajectory.parameters = dynamics.parameters
    addEvents(watched, end: time, lossAtEnd: loss)
  }

  /// One row for each transition that was watched for.
  private mutating func addEvents(_ watched: WatchedEvents, end: Double, lossAtEnd: Double) {
    for case .phase(let event) in watched.kinds {
      let found = progress.reached[event.name]
      addEvent(event.name, at: found?.time, step: found?.step ?? 0, end: end)
    }
    // How far the loss falls is not known of a stage that was cut off.
    let isWhole = trajectory.stages[trajectory.stages.count - 1].ending != .stopped
    for event in lossDropEvents {
      let time = isWhole ? time(of: event, end: end, lossAtEnd: lossAtEnd) : nil
      addEvent(event.name, at: time, step: 0, end: end)
    }
  }

  private mutating func addEvent(_ name: String, at time: Double?, step: Double, end: Double) {
    // CVODE's root finder stops at 100 units of rounding of the time and the step around it.
    let size = time ?? end
    let resolution = 100 * Double.ulpOfOne * (size + step)
    trajectory.events.append(
      Trajectory.LocatedEvent(
        stage: position, name: name, time: startTime + size, isReached: time != nil,
        resolution: resolution))
  }

  /// When the loss has but a fraction of its drop before it, on the stage's own clock.
  private func time(of event: LossDropEvent, end: Double, lossAtEnd: Double) -> Double? {
    let level = lossAtEnd + event.fraction * (lossAtStart - lossAtEnd)
    guard lossAtStart > lossAtEnd,
      let step = progress.interpolants.first(where: { $0.lossAtEnd <= level }), step.start < end
    else { return nil }
    let kept = dynamics.trained.map { dynamics.parameters[$0] }
    let time = locateZero(
      of: { t in
        dynamics.load(step.state(at: t).span)
        return dynamics.evaluator.loss(at: dynamics.parameters) - level
      }, between: step.start, and: min(step.end, end), tolerance: 1e-13 * step.end)
    dynamics.load(kept.span)
    return time
  }

  private mutating func addSamples(upTo time: Double, _ integrator: borrowing Integrator) throws {
    while progress.samplesTaken < sampleTimes.count, sampleTimes[progress.samplesTaken] <= time {
      let next = sampleTimes[progress.samplesTaken]
      progress.samplesTaken += 1
      try load(next, integrator)
      try addSample(at: next)
    }
  }

  /// Records the loaded parameters, if all that there is to record are numbers.
  private mutating func addSample(at time: Double) throws(FlowFailure) {
    guard let sampling else { return }
    let values = dynamics.sample(sharpness: sampling.sharpness)
    guard values[0].isFinite else { throw failure(.lossIsNotFinite(values[0]), at: time) }
    if let column = values.firstIndex(where: \.isNaN) {
      throw failure(.isNotANumber(trajectory.columns[column]), at: time)
    }
    trajectory.samples.append(
      Trajectory.Sample(stage: position, time: startTime + time, clock: time, values: values))
  }

  /// Loads the state at a time in the last step.
  private func load(_ time: Double, _ integrator: borrowing Integrator) throws(IntegrationError) {
    var state = [Double](repeating: 0, count: integrator.dimension)
    var span = state.mutableSpan
    try integrator.interpolate(at: time, into: &span)
    dynamics.load(state.span)
  }

  private func failure(_ reason: FlowFailure.Reason, at time: Double) -> FlowFailure {
    // Transitions that were located before the failure are kept.
    var partial = self
    for (name, found) in progress.reached.sorted(by: {
      ($0.value.time, $0.key) < ($1.value.time, $1.key)
    }) {
      partial.addEvent(name, at: found.time, step: found.step, end: found.time)
    }
    return FlowFailure(
      reason: reason, stage: stage.name, time: startTime + time,
      parameters: dynamics.parameters, partial: partial.trajectory)
  }
}
