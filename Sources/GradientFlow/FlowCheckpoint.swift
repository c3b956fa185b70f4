import Objectives

/// Where a flow goes on that was interrupted, and who keeps its checkpoints.
public struct CheckpointKeeping {
  /// The checkpoint to go on from, of the same problem, options and samples; nil to begin.
  let last: FlowCheckpoint?
  /// Given a checkpoint at every restart boundary.
  let keep: (FlowCheckpoint) -> Void

  /// Goes on from a checkpoint.
  ///
  /// - Parameters:
  ///   - last: of the same problem, options and samples; nil to begin.
  ///   - keep: given a checkpoint at every restart boundary.
  public init(from last: FlowCheckpoint?, keep: @escaping (FlowCheckpoint) -> Void) {
    self.last = last
    self.keep = keep
  }
}

/// A flow on its way: what is needed to go on as if it had never been interrupted.
///
/// It stands at a restart boundary: at the end of a stage, or after ``SolverOptions/checkpointSteps`` accepted steps.
/// There CVODE starts anew whether the flow was interrupted or not, so what follows has the same bits.
public struct FlowCheckpoint: Sendable {
  /// What has been solved; all of the first solve once the second has begun.
  public let trajectory: Trajectory
  /// What has been solved of the second solve, which gives events their error bars.
  let check: Trajectory?
  /// Where the solve at hand stands inside its last stage; nil between stages.
  let progress: StageProgress?
  /// Whether nothing is left to be solved.
  public let isSolved: Bool

  /// The layout of ``words``; another one cannot be read.
  public static let format = 1

  /// t that has been reached; over all stages of the solve at hand.
  public var time: Double { (check ?? trajectory).stages.last?.endTime ?? 0 }

  /// Whether a flow starts at the loss at which this one started, by default to the last bit.
  ///
  /// Data or kernels that have changed since do not keep all bits of a loss.
  ///
  /// - Parameters:
  ///   - problem: the flow to go on with.
  ///   - tolerance: the relative difference that is allowed.
  ///   - threads: threads that the evaluation may use; the result does not depend on it.
  /// - Returns: whether this checkpoint can be of it; true where no stage was begun.
  public func isOf(
    _ problem: FlowProblem, within tolerance: Double = 0, threads: Int
  ) -> Bool {
    guard let first = trajectory.stages.first else { return true }
    let dynamics = StageDynamics(
      objective: problem.objective, evaluator: problem.objective.makeEvaluator(threads: threads),
      stage: problem.stages[0], at: problem.start)
    return abs(dynamics.evaluate() - first.lossAtStart) <= tolerance * abs(first.lossAtStart)
  }
}
