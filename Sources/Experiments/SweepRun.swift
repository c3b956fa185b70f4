import DeclaredKeys
import GradientFlow
public import Logging
import ParallelLoops
public import RunRecords
import Synchronization

/// Runs what is missing of a sweep: each run on one thread, aside, and put into its place when it is whole.
///
/// It may be called again and again, and from several processes at a time: a run that stands is left alone, and
/// one that another process has is passed over.
public struct SweepRun: Sendable {
  /// What is run.
  public let sweep: Sweep
  /// What the program says of itself.
  public let program: ProgramDescription
  /// How many runs go on at the same time, ≥ 1.
  public let threads: Int
  /// Where diagnostics go.
  public let logger: Logger
  /// Whether another program may have planned it, to which defaults may read otherwise.
  private let allowsOtherProgram: Bool

  /// Prepares the runs of a sweep.
  public init(
    _ sweep: Sweep, program: ProgramDescription, threads: Int, logger: Logger,
    allowingOtherProgram allowsOtherProgram: Bool = false
  ) {
    self.allowsOtherProgram = allowsOtherProgram
    self.sweep = sweep
    self.program = program
    self.threads = threads
    self.logger = logger
  }

  /// Which runs of the ledger are meant.
  public enum Selection: Sendable, Equatable {
    /// All of them.
    case all
    /// The one with this number, from 1.
    case number(Int)
    /// Every n-th, from the k-th on; 1 ≤ k ≤ n.
    case shard(Int, of: Int)

    func contains(_ line: SweepLedger.Line) -> Bool {
      switch self {
      case .all: true
      case .number(let number): line.number == number
      case .shard(let k, let n): (line.number - 1) % n == k - 1
      }
    }
  }

  /// What was done.
  public struct Outcome: Sendable, Equatable {
    /// Runs that came to their end now.
    public var finished = 0
    /// Runs that failed now.
    public var failed = 0
    /// Runs of the selection that stood already.
    public var stood = 0
    /// Runs of the selection that failed earlier and were not tried again.
    public var failedBefore = 0
    /// Runs that another process had.
    public var elsewhere = 0
    /// Runs that were not begun, or not finished, because all were stopped.
    public var left = 0
  }

  /// Runs what is missing.
  ///
  /// - Parameters:
  ///   - selection: which runs.
  ///   - retriesFailed: whether those that failed earlier are tried again.
  ///   - observer: told what goes on, from several threads; returns whether to go on.
  /// - Returns: the counts.
  /// - Throws: `RecordError` when files cannot be read or written; runs that stand are whole.
  public func run(
    _ selection: Selection, retryingFailed retriesFailed: Bool,
    observer: @escaping @Sendable (EnsembleProgress) -> Bool
  ) throws(RecordError) -> Outcome {
    var outcome = Outcome()
    var missing: [SweepLedger.Line] = []
    for line in sweep.ledger.lines where selection.contains(line) {
      switch sweep.state(of: line) {
      case .finished:
        outcome.stood += 1
        try sweep.directory.settle(inner: line.path)
      case .missing: missing.append(line)
      case .failed where retriesFailed: missing.append(line)
      case .failed: outcome.failedBefore += 1
      }
    }
    let shared = SharedData()
    let gate = MemoryGate(limit: sweep.plan.memoryLimit)
    let counts = Mutex(outcome)
    let fault = Mutex<RecordError?>(nil)
    let stop = StopFlag()
    let tell = stop.watching(observer)
    let lines = sweep.plan.grid.sharing(missing.map { $0.number - 1 }).map {
      sweep.ledger.lines[$0]
    }
    _ = tell(.counted(lines.count))
    forEachLane(lines.count, threads: sweep.plan.concurrency(threads: threads)) { index in
      guard !stop.isSet else {
        counts.withLock { $0.left += 1 }
        return
      }
      do throws(RecordError) {
        let ending = try run(lines[index], retriesFailed, gate, shared, tell)
        counts.withLock { counts in
          switch ending {
          case .finished: counts.finished += 1
          case .failed: counts.failed += 1
          case .stopped: counts.left += 1
          case .notStarted:
            counts.elsewhere += 1
            _ = tell(.counted(lines.count - counts.elsewhere))
          }
        }
      } catch {
        fault.withLock { $0 = $0 ?? error }
        stop.set()
      }
    }
    if let error = fault.withLock({ $0 }) { throw error }
    return counts.withLock { $0 }
  }

  /// One run; `notStarted` if another process has it.
  private func run(
    _ line: SweepLedger.Line, _ retriesFailed: Bool, _ gate: MemoryGate, _ shared: SharedData,
    _ tell: @escaping @Sendable (EnsembleProgress) -> Bool
  ) throws(RecordError) -> FlowEnding {
    let claimed = try sweep.directory.claimInner(at: line.path) { run throws(RecordError) in
      guard retriesFailed else { return false }
      // What cannot be read is nothing to keep.
      return (try? run.manifest())?.status.state != .finished
    }
    guard let claim = claimed else { return .notStarted }
    let point = sweep.plan.grid[line.number - 1]
    var (ending, end) = (FlowEnding.stopped, FlowEnd?.none)
    do {
      let plan = try sweep.plan.plan(at: point)
      let digest = Digest.sha256(plan.experiment.resolved.utf8)
      guard digest == line.experimentSHA256 || sweep.allowsChanges || allowsOtherProgram else {
        throw RecordError(
          path: sweep.directory.path(of: .ledger),
          reason: .malformed("run \(line.number) with another experiment than it has now"),
          advice: "Plan the sweep again, into a new folder.")
      }
      try gate.enter(bytes: plan.size.bytes) {
        guard tell(.started(point)) else { return }
        var logger = logger
        logger[metadataKey: "run"] = "\(point.path)"
        let outcome: ExperimentRun.Outcome
        do {
          outcome = try ExperimentRun(
            plan, program: program, threads: 1, logger: logger, sharing: shared
          ).run(into: claim.directory, isClaimed: true, resuming: .lenient) {
            tell(.advanced(point, $0))
          }
        } catch let error as DocumentError {
          throw sweep.plan.ensemble.explained(error, at: point)
        }
        (ending, end) = (FlowEnding(outcome.ending), FlowEnd(outcome.trajectory, of: plan))
      }
    } catch let error as RecordError {
      try? claim.abandon()
      throw error
    } catch let error as DocumentError {
      ending = .failed(error.description)
      try recordFailure(error.description, of: line, in: claim)
    } catch {
      preconditionFailure("no other error is thrown here: \(error)")
    }
    if ending.isInterrupted {
      try claim.abandon()
    } else {
      try claim.publish()
      try sweep.directory.settle(inner: line.path)
    }
    _ = tell(.ended(point, ending, end))
    return ending
  }

  /// Leaves a run that could not even start: what it would have been, and why it is not.
  private func recordFailure(
    _ message: String, of line: SweepLedger.Line, in claim: ClaimedRun
  ) throws(RecordError) {
    var manifest = program.manifest(seeds: [:], resolved: "", threads: 1, start: .now())
    manifest.experimentSHA256 = line.experimentSHA256
    manifest.end = .now()
    manifest.status = .failed(message)
    try claim.directory.write(manifest)
  }
}
