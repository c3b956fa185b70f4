import DeclaredKeys
import FlowAnalysis
public import Logging
import ParallelLoops
public import RunRecords
import Synchronization

/// All runs of a planned experiment into one run directory.
///
/// A single flow is an ordinary run there. Several go on at the same time, each in an ordinary run
/// directory inside; the files of each are those that it leaves when it is run alone, and those at
/// the top follow from them in the order of the grid.
public struct EnsembleRun: Sendable {
  /// What is run.
  public let plan: EnsemblePlan
  /// What the program says of itself.
  public let program: ProgramDescription
  /// Threads to use in all; the results do not depend on it.
  public let threads: Int
  /// Where diagnostics go.
  public let logger: Logger
  private let shared: SharedData

  /// Prepares a run.
  public init(
    _ plan: EnsemblePlan, program: ProgramDescription, threads: Int, logger: Logger
  ) {
    self.plan = plan
    self.program = program
    self.threads = threads
    self.logger = logger
    shared = SharedData()
  }

  /// Runs all flows and records them.
  ///
  /// One that fails does not keep the others from running. Of every outcome only what `judge` makes
  /// of it is kept: outcomes hold their data, and a grid may have many.
  ///
  /// - Parameters:
  ///   - directory: a new run directory.
  ///   - resumption: how runs go on that were interrupted there; nil to begin.
  ///   - exportCorpus: whether every run writes its data as `corpus.npz` or `population.npz`.
  ///   - judge: called once for each run that was computed, as it ends, from several threads.
  ///   - observer: told what goes on, from several threads; returns whether to go on.
  /// - Returns: all runs in the order of the grid; all files are written.
  /// - Throws: `DocumentError` when a single flow cannot start (nothing is left behind then),
  ///   `RecordError` when a file at the top, or of a single flow, cannot be written.
  public func run<Judgement: Sendable>(
    into directory: RunDirectory, resuming resumption: Resumption? = nil,
    exportCorpus: Bool = false,
    judge: @escaping @Sendable (FlowPoint, ExperimentPlan, ExperimentRun.Outcome) -> Judgement,
    observer: @escaping @Sendable (EnsembleProgress) -> Bool
  ) throws -> EnsembleOutcome<Judgement> {
    let start = Timestamp.now()
    let lock = try directory.lock()
    defer { withExtendedLifetime(lock) {} }
    let resolved = plan.resolved
    var manifest = program.manifest(
      experiment: plan.first.experiment, resolved: resolved, threads: threads, start: start)
    let earlier = try resumption?.earlier(in: directory, than: manifest)
    guard earlier?.status.state != .finished else {
      throw RecordError(
        path: directory.path, reason: .unfit("finished by another process just now"),
        advice: "Nothing is left to resume.")
    }
    if plan.grid.isSingle {
      let point = plan.grid[0]
      let outcome = try run(
        point, plan.first, into: directory, threads: threads, resumption, exportCorpus, observer)
      // Stopped runs go on from them, and those of a full disk.
      if outcome.ending.isLast { try CheckpointStore(directory).remove() }
      let result = FlowResult(
        point: point, ending: FlowEnding(outcome.ending),
        end: FlowEnd(outcome.trajectory, of: plan.first), findings: outcome.findings,
        swept: outcome.swept,
        judgement: judge(point, plan.first, outcome))
      return EnsembleOutcome(
        flows: [result], findings: outcome.findings, seconds: Timestamp.now().seconds(since: start))
    }

    manifest.flows = FlowCounts(total: plan.grid.count)
    if resumption != nil {
      if let earlier { manifest.resume(earlier) }
      try directory.removeResults()
    }
    try directory.begin(resolved, manifest)

    let (flows, isFaulty) = runAll(
      into: directory, resumption, exportCorpus, judge: judge, observer: observer)
    let outcome = EnsembleOutcome(
      flows: flows, findings: plan.findings(of: flows),
      seconds: Timestamp.now().seconds(since: start))
    manifest.end = .now()
    manifest.flows = FlowCounts(outcome)
    manifest.status = RunStatus(outcome)
    try record(outcome, into: directory, &manifest)
    // Stopped runs go on from their checkpoints, and those that met a full disk.
    if !outcome.isStopped, !isFaulty { try clearCheckpoints(in: directory) }
    return outcome
  }

  /// Whether a directory holds this run finished, so that nothing is left to be done.
  ///
  /// Checkpoints that a process left which was killed at its very end are removed.
  ///
  /// - Parameters:
  ///   - directory: where it ran.
  ///   - resumption: how it would go on.
  /// - Returns: whether it is finished.
  /// - Throws: `RecordError` when another process has the directory, or it holds something else.
  public func isFinished(
    in directory: RunDirectory, resuming resumption: Resumption
  ) throws(RecordError) -> Bool {
    let lock = try directory.lock()
    defer { withExtendedLifetime(lock) {} }
    let manifest = program.manifest(
      experiment: plan.first.experiment, resolved: plan.resolved, threads: threads, start: .now())
    let earlier = try resumption.earlier(in: directory, than: manifest)
    guard earlier?.status.state == .finished else { return false }
    try clearCheckpoints(in: directory)
    return true
  }

  /// Removes the checkpoints of all runs.
  private func clearCheckpoints(in directory: RunDirectory) throws(RecordError) {
    guard !plan.grid.isSingle else { return try CheckpointStore(directory).remove() }
    for index in 0..<plan.grid.count { try directory.settle(inner: plan.grid[index].path) }
  }

  /// Runs the flows of a grid on all threads; also tells whether files of some could not be written.
  private func runAll<Judgement: Sendable>(
    into directory: RunDirectory, _ resumption: Resumption?, _ exportCorpus: Bool,
    judge: @escaping @Sendable (FlowPoint, ExperimentPlan, ExperimentRun.Outcome) -> Judgement,
    observer: @escaping @Sendable (EnsembleProgress) -> Bool
  ) -> (flows: [FlowResult<Judgement>], isFaulty: Bool) {
    let grid = plan.grid
    let workers = plan.concurrency(threads: threads)
    let gate = MemoryGate(limit: plan.memoryLimit)
    let stop = StopFlag()
    let tell = stop.watching(observer)
    let results = Mutex<[FlowResult<Judgement>?]>(Array(repeating: nil, count: grid.count))
    let isFaulty = Mutex(false)

    let order = grid.sharing(Array(0..<grid.count))
    forEachLane(grid.count, threads: workers) { lane in
      let index = order[lane]
      let point = grid[index]
      var (ending, end, judgement) = (FlowEnding.notStarted, FlowEnd?.none, Judgement?.none)
      var (findings, swept) = ([Finding](), SweptFlow?.none)
      do {
        if !stop.isSet {
          let plan = try self.plan.plan(at: point)
          try gate.enter(bytes: plan.size.bytes) {
            guard tell(.started(point)) else { return }
            let outcome = try runInner(
              point, plan, in: directory, threads: max(1, threads / workers), resumption,
              exportCorpus, tell)
            (ending, end) = (FlowEnding(outcome.ending), FlowEnd(outcome.trajectory, of: plan))
            (findings, swept) = (outcome.findings, outcome.swept)
            judgement = judge(point, plan, outcome)
          }
        }
      } catch let error as DocumentError {
        ending = .failed(error.description)
      } catch {
        ending = .failed("\(error)")
        isFaulty.withLock { $0 = true }
      }
      let result = FlowResult(
        point: point, ending: ending, end: end, findings: findings, swept: swept,
        judgement: judgement)
      results.withLock { $0[index] = result }
      if ending != .notStarted { _ = tell(.ended(point, ending, end)) }
    }
    return (results.withLock { $0.compactMap(\.self) }, isFaulty.withLock { $0 })
  }

  /// One run of several into a directory of its own.
  private func runInner(
    _ point: FlowPoint, _ plan: ExperimentPlan, in directory: RunDirectory, threads: Int,
    _ resumption: Resumption?, _ exportCorpus: Bool,
    _ observer: @escaping @Sendable (EnsembleProgress) -> Bool
  ) throws -> ExperimentRun.Outcome {
    let inner = try directory.createInner(
      at: point.folder.map(\.path), resuming: resumption != nil)
    let lock = try inner.lock()
    defer { withExtendedLifetime(lock) {} }
    do {
      return try run(point, plan, into: inner, threads: threads, resumption, exportCorpus, observer)
    } catch let error as DocumentError {
      throw self.plan.ensemble.explained(error, at: point)
    }
  }

  /// One run into its directory.
  private func run(
    _ point: FlowPoint, _ plan: ExperimentPlan, into directory: RunDirectory, threads: Int,
    _ resumption: Resumption?, _ exportCorpus: Bool,
    _ observer: @escaping @Sendable (EnsembleProgress) -> Bool
  ) throws -> ExperimentRun.Outcome {
    var logger = logger
    if !point.path.isEmpty { logger[metadataKey: "run"] = "\(point.path)" }
    return try ExperimentRun(
      plan, program: program, threads: threads, logger: logger, sharing: shared
    ).run(into: directory, exportCorpus: exportCorpus, resuming: resumption) {
      observer(.advanced(point, $0))
    }
  }

  /// Writes the files at the top; one that cannot be written does not keep the others from it.
  private func record<Judgement>(
    _ outcome: EnsembleOutcome<Judgement>, into directory: RunDirectory, _ manifest: inout Manifest
  ) throws(RecordError) {
    var fault: RecordError?
    func attempt(_ write: () throws(RecordError) -> Void) {
      do { try write() } catch { fault = fault ?? error }
    }
    attempt { () throws(RecordError) in
      try directory.write(Table(outcome.flows, of: plan), as: .flows)
    }
    if !outcome.findings.isEmpty {
      attempt { () throws(RecordError) in
        try directory.write(Table(claims: outcome.findings.map(ClaimRecord.init)), as: .claims)
      }
    }
    attempt { () throws(RecordError) in
      try directory.collectEvents(
        of: outcome.flows.filter { $0.ending != .notStarted }.map {
          ([.integer($0.point.flow), .integer($0.point.replicate)], $0.point.path)
        })
    }
    if let fault { manifest.status = .failed(fault.description) }
    // The manifest comes last: once it says finished, everything is there.
    attempt { () throws(RecordError) in try directory.write(manifest) }
    if let fault { throw fault }
  }
}
