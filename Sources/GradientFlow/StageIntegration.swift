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

  let startTime: Double
  let dynamics: StageDynamics
  var trajectory: Trajectory

  // What is gathered at accepted steps.
  private var times: [Double] = [0]
  private var squaredNorms: [Double]
  private var lastLoss: Double
  private let lossAtStart: Double
  private var interpolants: [StepInterpolant] = []
  private var pendingSamples: ArraySlice<Double>
  /// When each transition was reached, and the size of the step it lies in.
  private var reached: [String: (time: Double, step: Double)] = [:]

  init(
    position: Int, stage: Stage, startTime: Double, dynamics: StageDynamics,
    trajectory: Trajectory, options: SolverOptions, sampling: SampleSchedule?,
    observer: @escaping (FlowProgress) -> Bool
  ) {
    self.position = position
    self.stage = stage
    self.startTime = startTime
    self.dynamics = dynamics
    self.options = options
    self.sampling = sampling
    self.observer = observer
    self.trajectory = trajectory
    lossAtStart = dynamics.evaluate()
    lastLoss = lossAtStart
    squaredNorms = [dynamics.squaredGradientNorm]
    pendingSamples = (sampling?.times(ofStage: position, within: stage.duration) ?? [])[...]
    self.trajectory.stages.append(
      Trajectory.StageSummary(
        stage: stage, startTime: startTime, endTime: startTime, ending: .failed,
        start: dynamics.parameters, end: dynamics.parameters, lossAtStart: lossAtStart,
        lossAtEnd: lossAtStart, dissipation: 0, largestRise: 0,
        gradientNormAtEnd: dynamics.squaredGradientNorm.squareRoot(), statistics: Statistics()))
  }

  /// Runs the stage; `trajectory` then holds its samples, steps, events and summary.
  mutating func run() throws(FlowFailure) {
    guard lossAtStart.isFinite else { throw failure(.lossIsNotFinite(lossAtStart), at: 0) }
    addSample(at: 0)
    let watched = WatchedEvents(stage: stage, dynamics: dynamics)
    if let condition = watched.metAtStart {
      try finish(at: 0, ending: .condition(condition), watched, Statistics())
      return
    }
    let state = dynamics.trained.map { dynamics.parameters[$0] }
    do {
      var integrator = try Integrator(
        dynamics.equation, events: watched.functions(dynamics), from: 0, state: state,
        options: options.integratorOptions)
      try advance(&integrator, watched)
    } catch let error as FlowFailure {
      throw error
    } catch let error as IntegrationError {
      throw failure(.solver(error), at: error.time)
    } catch {
      preconditionFailure("no other error is thrown here: \(error)")
    }
  }

  private mutating func advance(
    _ integrator: inout Integrator, _ watched: WatchedEvents
  ) throws {
    while true {
      let outcome = try integrator.step(toward: stage.duration)
      switch outcome {
      case .events(let time, let occurrences):
        if time > stage.duration { continue }
        try addSamples(upTo: time, integrator)
        for occurrence in occurrences {
          switch watched.kinds[occurrence.index] {
          case .phase(let event):
            if reached[event.name] == nil {
              reached[event.name] = (time, abs(integrator.stepSize))
            }
          case .stop(let condition):
            integrator.withState { dynamics.load($0) }
            for name in watched.reached(dynamics) where reached[name] == nil {
              reached[name] = (time, abs(integrator.stepSize))
            }
            try record(integrator, loss: dynamics.evaluate())
            try finish(
              at: time, ending: .condition(condition), watched, integrator.statistics)
            return
          }
        }
      case .stepped:
        let end = min(integrator.time, stage.duration)
        try addSamples(upTo: end, integrator)
        try accept(integrator)
        let goesOn = observer(
          FlowProgress(
            stage: position, stageDescription: stage, time: end, loss: lastLoss,
            parameters: dynamics.parameters, steps: integrator.statistics.steps,
            isErrorSolve: sampling == nil))
        if integrator.time >= stage.duration || !goesOn {
          try load(end, integrator)
          try finish(
            at: end, ending: integrator.time >= stage.duration ? .duration : .stopped, watched,
            integrator.statistics)
          return
        }
        if integrator.statistics.steps >= options.stepLimit {
          throw failure(.stepLimitReached(options.stepLimit), at: integrator.time)
        }
      }
    }
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
    if integrator.time > times[times.count - 1] {
      times.append(integrator.time)
      squaredNorms.append(dynamics.squaredGradientNorm)
    }
  }

  /// Records the last step, over which the loss has gone from `lastLoss` to `loss`.
  private mutating func record(_ integrator: borrowing Integrator, loss: Double) throws {
    let statistics = integrator.statistics
    let summary = trajectory.stages.count - 1
    trajectory.stages[summary].largestRise = max(
      trajectory.stages[summary].largestRise, loss - lastLoss)
    trajectory.stages[summary].statistics = statistics
    trajectory.steps.append(
      Trajectory.AcceptedStep(
        stage: position, time: startTime + integrator.time, size: integrator.stepSize,
        order: integrator.order, errorEstimate: integrator.errorEstimate ?? .nan,
        evaluations: statistics.derivativeEvaluations, linearFailures: statistics.linearFailures))
    try addInterpolant(integrator, lossAtEnd: loss)
    lastLoss = loss
  }

  /// Keeps the last step for loss-drop events.
  private mutating func addInterpolant(
    _ integrator: borrowing Integrator, lossAtEnd after: Double
  ) throws {
    guard !lossDropEvents.isEmpty else { return }
    interpolants.append(
      try StepInterpolant(
        integrator, from: max(0, integrator.time - integrator.stepSize), lossAtEnd: after))
    // The loss never rises, so the level can only lie below what it would be if the stage ended
    // now: steps that lie above that are not needed any more. A step past the end says nothing.
    guard integrator.time <= stage.duration else { return }
    let highest = lossDropEvents.map(\.fraction).max() ?? 0
    let level = after + highest * (lossAtStart - after)
    let kept = interpolants.firstIndex { $0.lossAtEnd <= level } ?? interpolants.endIndex
    // Dropping in larger lots keeps the cost of moving the rest small.
    if kept > 64 { interpolants.removeFirst(kept) }
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
    let norm = dynamics.squaredGradientNorm
    if time > 0 {
      // The end lies inside the last step, or at its end.
      let behind = times.lastIndex { $0 < time }.map { $0 + 1 } ?? times.count
      if behind < times.count && times[behind] == time {
        squaredNorms[behind] = norm
      } else {
        times.insert(time, at: behind)
        squaredNorms.insert(norm, at: behind)
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
    trajectory.stages[summary].dissipation = integral(of: squaredNorms, at: times, upTo: time)
    trajectory.parameters = dynamics.parameters
    addSample(at: time)
    addEvents(watched, end: time, lossAtEnd: loss)
  }

  /// One row for each transition that was watched for.
  private mutating func addEvents(_ watched: WatchedEvents, end: Double, lossAtEnd: Double) {
    for case .phase(let event) in watched.kinds {
      let found = reached[event.name]
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
      let step = interpolants.first(where: { $0.lossAtEnd <= level }), step.start < end
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
    while let next = pendingSamples.first, next <= time {
      pendingSamples.removeFirst()
      try load(next, integrator)
      addSample(at: next)
    }
  }

  /// Records the loaded parameters.
  private mutating func addSample(at time: Double) {
    guard let sampling else { return }
    trajectory.samples.append(
      Trajectory.Sample(
        stage: position, time: startTime + time, clock: time,
        values: dynamics.sample(sharpness: sampling.sharpness)))
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
    for (name, found) in reached.sorted(by: { $0.value.time < $1.value.time }) {
      partial.addEvent(name, at: found.time, step: found.step, end: found.time)
    }
    return FlowFailure(
      reason: reason, stage: stage.name, time: startTime + time,
      parameters: dynamics.parameters, partial: partial.trajectory)
  }
}
