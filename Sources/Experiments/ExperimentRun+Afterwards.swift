import FlowAnalysis
import GradientFlow
import Logging
import Objectives

// What an experiment asks for once its flow stands: discrete training beside it, and fresh data.

extension ExperimentRun {
  /// Trains by the optimisers that were asked for; nil if there is nothing to do.
  func train(
    _ prepared: any PreparedSystem, _ problem: FlowProblem, beside trajectory: Trajectory,
    _ options: SolverOptions, observer: @escaping (FlowProgress) -> Bool
  ) throws(FlowFailure) -> TrainingRun.Outcome? {
    let experiment = plan.experiment
    let training = TrainingPlan(experiment, beside: trajectory)
    if training.isEmpty { return nil }
    let outcome = try TrainingRun(
      plan: training, problem: problem, trained: prepared.trainedObjective, options: options,
      sharpness: plan.linearSolver == .dense || experiment.sampling.sharpness,
      batches: experiment.training.optimizers.contains(.stochastic) ? prepared.batches() : nil
    ).run(observer: observer)
    for (method, record) in outcome.methods {
      guard case .diverged(let stage, let step) = record.ending else { continue }
      logger.warning(
        "an optimiser diverged",
        metadata: [
          "optimizer": "\(method.name.rawValue)", "step": "\(step)",
          "stage": "\(trajectory.stages[stage].stage.name)",
        ])
    }
    return outcome
  }

  /// What came of the claims about training.
  func findings(about training: TrainingRun.Outcome?, _ options: SolverOptions) -> [Finding] {
    let claims = plan.experiment.claims.filter(\.isAboutTraining)
    guard let training, !training.isStopped else {
      return claims.map { Finding($0, "", notApplicable: "the training did not come to its end") }
    }
    let evidence = training.evidence(plan.experiment.figures, options)
    return claims.flatMap { evidence.findings(of: $0) }
  }

  /// How the trained model does on fresh data, if a claim is about that; else, and if it was stopped, none.
  func evaluation(
    of trajectory: Trajectory, observer: (FlowProgress) -> Bool
  ) -> [Evaluation.Row] {
    guard plan.experiment.claims.contains(where: \.isAboutEvaluation),
      // What may be wrong with it was found when the run was planned.
      let evaluation = try? plan.system.evaluation(of: trajectory.parameters, threads: threads)
    else { return [] }
    return evaluation.rows {
      !observer(FlowProgress(activity: "fresh data", after: trajectory))
    }
  }

  /// What came of the claims about fresh data.
  func findings(about evaluation: [Evaluation.Row]) -> [Finding] {
    let claims = plan.experiment.claims.filter(\.isAboutEvaluation)
    return evaluation.isEmpty
      ? claims.map { Finding($0, "", notApplicable: "the trained model was not evaluated") }
      : claims.flatMap { $0.findings(on: Evaluation.modelLosses(evaluation)) }
  }
}
