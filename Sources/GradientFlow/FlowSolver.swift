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
  ///   - checkpoints: where to go on, and what becomes of further checkpoints; nil to begin and keep none.
  ///   - observer: told after every accepted step; returns whether to go on. A flow that is
  ///     stopped is complete up to there.
  /// - Returns: the trajectory; its last stage says whether it was stopped.
  /// - Throws: ``FlowFailure`` with everything up to the failure.
  public func solve(
    _ problem: FlowProblem, sampling: SampleSchedule?, checkpoints: CheckpointKeeping? = nil,
    observer: @escaping (FlowProgress) -> Bool = { _ in true }
  ) throws(FlowFailure) -> Trajectory {
    let checkpoint = checkpoints?.last
    let keep = checkpoints?.keep ?? { _ in }
    if let checkpoint, checkpoint.isSolved { return checkpoint.trajectory }
    let sharpness = sampling?.sharpness ?? false
    let start = Trajectory(
      objective: problem.objective, start: problem.start, sharpness: sharpness)
    var trajectory: Trajectory
    if let checkpoint, checkpoint.check != nil {
      trajectory = checkpoint.trajectory
    } else {
      trajectory = try integrate(
        problem, options, sampling, from: checkpoint?.trajectory ?? start, checkpoint?.progress,
        keeping: {
          keep(FlowCheckpoint(trajectory: $0, check: nil, progress: $1, isSolved: false))
        }, observer)
    }
    guard trajectory.stages.last?.ending != .stopped else { return trajectory }
    if options.eventErrors, !trajectory.events.isEmpty {
      do {
        var isStopped = false
        let first = trajectory
        let check = try integrate(
          problem, options.tightened, nil, from: checkpoint?.check ?? start,
          checkpoint?.check == nil ? nil : checkpoint?.progress,
          keeping: {
            keep(FlowCheckpoint(trajectory: first, check: $0, progress: $1, isSolved: false))
          }
        ) { progress in
          isStopped = !observer(progress)
          return !isStopped
        }
        if isStopped {
          trajectory.eventErrorsMissing = "The second solve was stopped."
          return trajectory
        }
        trajectory.setErrors(from: check)
      } catch {
        trajectory.eventErrorsMissing = "The second solve failed: \(error)"
      }
    }
    keep(FlowCheckpoint(trajectory: trajectory, check: nil, progress: nil, isSolved: true))
    return trajectory
  }

  /// Integrates the stages that are left.
  private func integrate(
    _ problem: FlowProblem, _ options: SolverOptions, _ sampling: SampleSchedule?,
    from start: Trajectory, _ progress: StageProgress?,
    keeping keep: @escaping (Trajectory, StageProgress?) -> Void,
    _ observer: @escaping (FlowProgress) -> Bool
  ) throws(FlowFailure) -> Trajectory {
    let evaluator = problem.objective.makeEvaluator(threads: options.threads)
    var (trajectory, progress) = (start, progress)
    let begun = trajectory.stages.count - (progress == nil ? 0 : 1)
    for position in begun..<problem.stages.count {
      var integration = StageIntegration(
        problem, position: position, evaluator: evaluator, after: trajectory, from: progress,
        options: options, sampling: sampling, observer: observer, keep: { keep($0, $1) })
      try integration.run()
      (trajectory, progress) = (integration.trajectory, nil)
      if trajectory.stages.last?.ending == .stopped { break }
      keep(trajectory, nil)
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
