import Objectives

/// Integrates gradient flows with CVODE.
public struct FlowSolver: Sendable {
  /// Tolerances, methods, limits.
  public var options: SolverOptions

  /// A solver with these options.
  public init(options: SolverOptions = SolverOptions()) {
    self.options = options
  }

  /// Integrates a flow through all its stages.
  ///
  /// With ``SolverOptions/eventErrors`` the flow is solved a second time at a tenth of the
  /// tolerances, and the error of an event's time is
  /// max(3·|t(tolerance) − t(tolerance/10)|, the root finder's resolution, 1e−12·t).
  ///
  /// - Parameters:
  ///   - problem: the flow.
  ///   - sampling: when to take samples; nil for events alone.
  ///   - observer: told after every accepted step; returns whether to go on. A flow that is
  ///     stopped is complete up to there.
  /// - Returns: the trajectory; its last stage says whether it was stopped.
  /// - Throws: ``FlowFailure`` with everything up to the failure.
  public func solve(
    _ problem: FlowProblem, sampling: SampleSchedule?,
    observer: @escaping (FlowProgress) -> Bool = { _ in true }
  ) throws(FlowFailure) -> Trajectory {
    let sharpness = sampling?.sharpness ?? false
    var trajectory = try integrate(problem, options, sampling, sharpness, observer)
    let isWhole = trajectory.stages.last?.ending != .stopped
    guard options.eventErrors, isWhole, !trajectory.events.isEmpty else { return trajectory }
    do {
      var isStopped = false
      let check = try integrate(problem, options.tightened, nil, sharpness) { progress in
        isStopped = !observer(progress)
        return !isStopped
      }
      if isStopped {
        trajectory.eventErrorsMissing = "The second solve was stopped."
      } else {
        trajectory.setErrors(from: check)
      }
    } catch {
      trajectory.eventErrorsMissing = "The second solve failed: \(error)"
    }
    return trajectory
  }

  private func integrate(
    _ problem: FlowProblem, _ options: SolverOptions, _ sampling: SampleSchedule?,
    _ sharpness: Bool, _ observer: @escaping (FlowProgress) -> Bool
  ) throws(FlowFailure) -> Trajectory {
    let objective = problem.objective
    let evaluator = objective.makeEvaluator(threads: options.threads)
    var trajectory = Trajectory(
      objective: objective, start: problem.start, sharpness: sharpness)
    for (position, stage) in problem.stages.enumerated() {
      var integration = StageIntegration(
        position: position, stage: stage,
        startTime: trajectory.stages.last?.endTime ?? 0,
        dynamics: StageDynamics(
          objective: objective, evaluator: evaluator, stage: stage, at: trajectory.parameters),
        trajectory: trajectory, options: options, sampling: sampling, observer: observer)
      try integration.run()
      trajectory = integration.trajectory
      if trajectory.stages.last?.ending == .stopped { break }
    }
    return trajectory
  }
}

extension Trajectory {
  /// Gives events their error bars from the same flow at a tenth of the tolerances.
  mutating func setErrors(from check: Trajectory) {
    for i in events.indices {
      let event = events[i]
      let twin = check.events.first { $0.stage == event.stage && $0.name == event.name }
      guard let twin else {
        eventErrorsMissing = "\(event.name) was watched for in one of the two solves only."
        continue
      }
      // Reached in one solve only: the other one gives a bound, and the bar spans it.
      events[i].error = max(
        3 * abs(event.time - twin.time), event.resolution, 1e-12 * event.time)
    }
  }
}
