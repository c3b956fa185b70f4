import CVODE
import DeclaredKeys
import FlowAnalysis
public import GradientFlow
import Objectives
import RunRecords

// What a trajectory looks like in the files of a run directory.

extension Table {
  /// The table of `trajectory.csv`: one row per sample.
  init(_ trajectory: Trajectory) {
    self.init(columns: ["stage", "t"] + trajectory.columns)
    for sample in trajectory.samples {
      append(
        [.text(trajectory.stages[sample.stage].stage.name)],
        reals: [sample.time] + sample.values)
    }
  }
}

extension EventRecord {
  init(_ event: Trajectory.LocatedEvent, in trajectory: Trajectory, samplingError: Double?) {
    self.init(
      stage: trajectory.stages[event.stage].stage.name, name: event.name, time: event.time,
      timeError: event.isReached ? event.error : nil,
      samplingError: event.isReached ? samplingError : nil, isReached: event.isReached)
  }
}

extension StepRecord {
  init(_ step: Trajectory.AcceptedStep, in trajectory: Trajectory) {
    self.init(
      stage: trajectory.stages[step.stage].stage.name, time: step.time, step: step.size,
      order: step.order, errorEstimate: step.errorEstimate, evaluations: step.evaluations,
      linearFailures: step.linearFailures)
  }
}

extension StageRecord {
  init(_ stage: Trajectory.StageSummary) {
    let statistics = stage.statistics
    self.init(
      name: stage.stage.name, trainedGroups: stage.stage.trainedGroups,
      ending: stage.ending.description, startTime: stage.startTime, endTime: stage.endTime,
      statistics: [
        "steps": Double(statistics.steps),
        "derivative_evaluations": Double(statistics.derivativeEvaluations),
        "error_test_failures": Double(statistics.errorTestFailures),
        "corrector_iterations": Double(statistics.correctorIterations),
        "corrector_failures": Double(statistics.correctorFailures),
        "event_evaluations": Double(statistics.eventEvaluations),
        "linear_solver_setups": Double(statistics.linearSolverSetups),
        "jacobian_evaluations": Double(statistics.jacobianEvaluations),
        "jacobian_vector_products": Double(statistics.jacobianVectorProducts),
        "linear_iterations": Double(statistics.linearIterations),
        "linear_failures": Double(statistics.linearFailures),
        "non_finite_evaluations": Double(statistics.nonFiniteEvaluations),
        "loss_at_start": stage.lossAtStart, "loss_at_end": stage.lossAtEnd,
        "dissipation": stage.dissipation, "gradient_norm_at_end": stage.gradientNormAtEnd,
      ])
  }
}

extension Trajectory.StageSummary.Ending {
  /// How the stage ended, in words.
  public var description: String {
    switch self {
    case .duration: "end of the stage"
    case .condition(let condition): "\(condition)"
    case .stopped: "stopped"
    case .failed: "failed"
    }
  }
}

extension LawCheck {
  init(_ law: LawResidual) {
    self.init(
      name: law.name, value: law.value, limit: law.limit, isPassed: law.holds,
      explanation: law.explanation)
  }
}

extension ClaimRecord {
  init(_ finding: Finding) {
    let (verdict, note) =
      switch finding.verdict {
      case .holds: ("holds", finding.detail)
      case .rejected: ("rejected", finding.detail)
      case .notApplicable(let reason): ("not applicable", reason)
      }
    let isCompared = finding.reason == nil
    self.init(
      claim: finding.claim.rawValue,
      statement: finding.statement,
      derived: isCompared ? finding.derived : nil, measured: isCompared ? finding.measured : nil,
      lower: isCompared ? finding.lower : nil, upper: isCompared ? finding.upper : nil,
      verdict: verdict, reference: finding.claim.reference,
      modelError: isCompared ? finding.modelError : nil, note: note, flow: finding.flow,
      relation: finding.relation.rawValue)
  }
}

extension Trajectory {
  /// θ at the end, ready to start another experiment from; what is infinite is left out.
  var finalParameters: FinalParameters {
    FinalParameters(
      parameters: zip(layout.names, parameters).filter { $0.1.isFinite }.map { NamedNumber($0, $1) }
    )
  }
}

extension FlowFailure {
  /// The keys of an experiment that bear on this failure, as a sentence; empty if none does.
  public var keyAdvice: String {
    switch reason {
    case .stepLimitReached:
      "The keys are solver.step_limit, solver.relative_tolerance and the stage's until."
    case .lossIsNotFinite(let loss):
      loss.isNaN ? "" : "The key is loss.floor."
    case .isNotANumber: ""
    case .solver:
      "The keys are solver.relative_tolerance, solver.absolute_tolerance and solver.linear_solver."
    }
  }
}
