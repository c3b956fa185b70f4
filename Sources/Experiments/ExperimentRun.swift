import CVODE
public import FlowAnalysis
public import GradientFlow
import InductionHeads
public import Logging
import Objectives
public import RunRecords

/// One run of a planned experiment into a run directory.
public struct ExperimentRun: Sendable {
  /// What is run.
  public let plan: ExperimentPlan
  /// What the program says of itself.
  public let program: ProgramDescription
  /// Threads to use; the results do not depend on it.
  public let threads: Int
  /// Where diagnostics go.
  public let logger: Logger
  /// Data that other runs have prepared, or may take over.
  let shared: SharedData

  /// Prepares a run.
  public init(
    _ plan: ExperimentPlan, program: ProgramDescription, threads: Int, logger: Logger,
    sharing shared: SharedData = SharedData()
  ) {
    self.shared = shared
    self.plan = plan
    self.program = program
    self.threads = threads
    self.logger = logger
  }

  /// How a run ended.
  public enum Ending: Sendable {
    /// All stages came to their end.
    case finished
    /// The observer stopped it.
    case stopped
    /// The integration failed; all up to there is recorded.
    case failed(FlowFailure)

    /// Whether nothing is left to be done.
    var isLast: Bool { if case .stopped = self { false } else { true } }
  }

  /// What a run leaves: the trajectory and what was found of it.
  public struct Outcome: Sendable {
    /// How it ended.
    public let ending: Ending
    /// All that was sampled.
    public let trajectory: Trajectory
    /// The laws that were checked.
    public let laws: [LawResidual]
    /// What came of the claims.
    public let findings: [Finding]
    /// What claims across flows need of this one; nil without claims.
    public let swept: SweptFlow?
    /// Discrete training beside the flow; nil where there was none.
    public let training: TrainingSummary?
    /// What the loss was taken over, in words.
    public let data: String
    /// What sampling leaves open of the times of events, by name: standard errors.
    public let samplingErrors: [String: Double]
    /// Seconds from start to end.
    public let seconds: Double
  }

  /// Samples the data, integrates the flow, and records both.
  ///
  /// - Parameters:
  ///   - directory: a new run directory; discarded again if the run cannot start.
  ///   - exportCorpus: whether to write the tokens as `corpus.npz`.
  ///   - isClaimed: whether the directory is its claimer's, who discards it.
  ///   - resumption: how to go on from a checkpoint in the directory; nil to begin.
  ///   - observer: told after every accepted step; returns whether to go on.
  /// - Returns: the outcome; all files are written. Checkpoints are left to the caller.
  /// - Throws: `DocumentError` when the experiment cannot start, `RecordError` when a file cannot
  ///   be written, or a checkpoint does not fit.
  public func run(
    into directory: RunDirectory, exportCorpus: Bool = false, isClaimed: Bool = false,
    resuming resumption: Resumption? = nil, observer: @escaping (FlowProgress) -> Bool
  ) throws -> Outcome {
    let start = Timestamp.now()
    let resolved = plan.experiment.resolved
    var manifest = program.manifest(
      experiment: plan.experiment, resolved: resolved, threads: threads, start: start)

    let prepared: any PreparedSystem
    let problem: FlowProblem
    let checkpoints = RunCheckpoints(
      in: directory, from: program.origin(of: resolved), logger: logger)
    var checkpoint: FlowCheckpoint?
    do {
      prepared = plan.system.prepared(threads: threads, sharing: shared)
      logger.debug(
        "data ready",
        metadata: [
          "seconds": "\(Timestamp.now().seconds(since: start))",
          "data": "\(prepared.description)", "kernels": "\(kernelInstructionSet)",
        ])
      let first = prepared.objective.makeEvaluator(threads: threads).lossAndGradient(at: plan.start)
      guard first.loss.isFinite, first.gradient.allSatisfy(\.isFinite) else {
        throw plan.system.infiniteStart(first.loss)
      }
      problem = FlowProblem(
        minimizing: prepared.objective, from: plan.start, stages: plan.stages)
      if let resumption {
        checkpoint = try checkpoints.newest(
          resumption, of: problem, sampling: plan.sampling, threads: threads)
        try takeBack(after: checkpoint, in: directory, &manifest)
      }
      try directory.write(resolved, as: .experiment)
      try directory.write(manifest)
      if exportCorpus {
        if let (file, arrays) = prepared.arrays() {
          try directory.write(arrays, as: file)
        } else {
          logger.warning("this loss is taken over no sequences that could be exported")
        }
      }
    } catch {
      // Nothing was computed, so nothing is left behind.
      if !isClaimed, directory.isNew { try? directory.discard() }
      throw error
    }

    let options = plan.solverOptions(threads: threads)
    let trajectory: Trajectory
    var ending: Ending
    var isStopped = false
    do {
      trajectory = try FlowSolver(options: options).solve(
        problem, sampling: plan.sampling,
        checkpoints: CheckpointKeeping(from: checkpoint, keep: checkpoints.keep)
      ) { progress in
        isStopped = !observer(progress)
        return !isStopped
      }
      // A flow that was stopped while it got its error bars lacks something, too.
      let isWhole =
        trajectory.stages.last?.ending != .stopped
        && (trajectory.eventErrorsMissing == nil || !isStopped)
      ending = isWhole ? .finished : .stopped
    } catch {
      trajectory = error.partial
      ending = .failed(error)
    }
    // First of all, should there be no time for more.
    if isStopped { checkpoints.write() }
    for stage in trajectory.stages {
      logger.debug(
        "stage ended",
        metadata: [
          "stage": "\(stage.stage.name)", "by": "\(stage.ending.description)",
          "statistics": "\(stage.statistics)",
        ])
      if stage.statistics.linearFailures > 0 {
        logger.warning(
          "Krylov solves did not converge, so steps may be less accurate than they seem",
          metadata: [
            "stage": "\(stage.stage.name)", "failures": "\(stage.statistics.linearFailures)",
            "iterations": "\(stage.statistics.linearIterations)",
            "advice": "raise solver.krylov_dimension",
          ])
      }
    }
    if let reason = trajectory.eventErrorsMissing {
      logger.warning("event times have no error bars", metadata: ["reason": "\(reason)"])
    }
    let laws = trajectory.lawResiduals(of: prepared.objective, solvedWith: options)

    for law in laws where !law.holds {
      logger.warning(
        "a law of the exact flow is broken; tighten the tolerances",
        metadata: ["law": "\(law.name)", "value": "\(law.value)", "limit": "\(law.limit)"])
    }

    let samplingErrors =
      isStopped
      ? [:]
      : prepared.samplingErrors(of: problem, trajectory, solvedWith: options) {
        isStopped = isStopped || !observer($0)
        return !isStopped
      }
    let claims = plan.experiment.claims.filter { !$0.isAboutTraining && !$0.isAboutEvaluation }
    // A flow that was stopped is judged when it has gone on to its end.
    let judged =
      claims.isEmpty || isStopped
      ? nil
      : prepared.judged(
        claims, problem, trajectory, solvedWith: options, sampling: plan.sampling,
        samplingErrors: samplingErrors)
    var training: TrainingRun.Outcome?
    var evaluation: [Evaluation.Row] = []
    if trajectory.isWhole, !isStopped {
      let goesOn = { (progress: FlowProgress) in
        isStopped = isStopped || !observer(progress)
        return !isStopped
      }
      do {
        training = try train(prepared, problem, beside: trajectory, options, observer: goesOn)
      } catch {
        ending = .failed(error)
      }
      evaluation = self.evaluation(of: trajectory, observer: goesOn)
    }
    if isStopped, case .finished = ending { ending = .stopped }
    if case .stopped = ending { checkpoints.write() }
    let findings =
      (judged?.findings ?? []) + findings(about: training, options) + findings(about: evaluation)

    manifest.end = .now()
    manifest.stages = trajectory.stages.map(StageRecord.init)
    manifest.laws = laws.map(LawCheck.init)
    manifest.quantities = plan.summary(at: trajectory.parameters).quantities.map {
      EndQuantity(name: $0.name, number: $0.number, text: $0.text)
    }
    manifest.status =
      switch ending {
      case .finished: .finished
      case .stopped: .stopped
      case .failed(let failure): .failed(failure.description)
      }
    try record(
      trajectory, findings, samplingErrors, training, evaluation, into: directory, &manifest)
    return Outcome(
      ending: ending, trajectory: trajectory, laws: laws, findings: findings,
      swept: judged?.swept, training: training.map(TrainingSummary.init),
      data: prepared.description, samplingErrors: samplingErrors,
      seconds: Timestamp.now().seconds(since: start))
  }

  /// Takes back what an interrupted run recorded after the checkpoint that this one goes on from.
  private func takeBack(
    after checkpoint: FlowCheckpoint?, in directory: RunDirectory, _ manifest: inout Manifest
  ) throws(RecordError) {
    let hasRows = directory.has(.trajectory)
    if let checkpoint {
      if let earlier = try? directory.manifest() {
        manifest.resume(earlier)
      }
      logger.info("resumed", metadata: ["t": "\(checkpoint.time)"])
    }
    try directory.removeResults()
    guard hasRows, let trajectory = checkpoint?.trajectory else { return }
    try write(trajectory, [:], into: directory) { body throws(RecordError) in try body() }
  }

  /// Writes the tables of a trajectory.
  private func write(
    _ trajectory: Trajectory, _ samplingErrors: [String: Double], into directory: RunDirectory,
    _ attempt: (() throws(RecordError) -> Void) throws(RecordError) -> Void
  ) throws(RecordError) {
    try attempt { () throws(RecordError) in
      try directory.write(
        Table(
          events: trajectory.events.map {
            EventRecord($0, in: trajectory, samplingError: samplingErrors[$0.name])
          }), as: .events)
    }
    try attempt { () throws(RecordError) in
      try directory.write(
        Table(steps: trajectory.steps.map { StepRecord($0, in: trajectory) }), as: .steps)
    }
    try attempt { () throws(RecordError) in
      try directory.write(Table(trajectory), as: .trajectory)
    }
  }

  /// Writes all files of a run that ended.
  ///
  /// A file that cannot be written does not keep the others from being written.
  private func record(
    _ trajectory: Trajectory, _ findings: [Finding], _ samplingErrors: [String: Double],
    _ training: TrainingRun.Outcome?, _ evaluation: [Evaluation.Row], into directory: RunDirectory,
    _ manifest: inout Manifest
  ) throws(RecordError) {
    var fault: RecordError?
    func attempt(_ write: () throws(RecordError) -> Void) {
      do { try write() } catch { fault = fault ?? error }
    }
    if trajectory.parameters.allSatisfy({ $0.isFinite || $0 == .infinity }) {
      attempt { () throws(RecordError) in
        try directory.write(trajectory.finalParameters.text, as: .final)
      }
    }
    try write(trajectory, samplingErrors, into: directory) { attempt($0) }
    if !evaluation.isEmpty, let settings = plan.experiment.inductionHeads?.evaluation {
      attempt { () throws(RecordError) in
        try directory.write(
          Evaluation.table(evaluation, sequences: settings.sequences), as: .evaluation)
      }
    }
    for (file, table) in training?.tables ?? [] {
      attempt { () throws(RecordError) in try directory.write(table, as: file) }
    }
    if !findings.isEmpty {
      attempt { () throws(RecordError) in
        try directory.write(Table(claims: findings.map(ClaimRecord.init)), as: .claims)
      }
    }
    if let fault { manifest.status = .failed(fault.description) }
    // The manifest comes last: once it says finished, everything is there.
    attempt { () throws(RecordError) in try directory.write(manifest) }
    if let fault { throw fault }
  }
}
