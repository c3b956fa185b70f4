public import DeclaredKeys
public import RunRecords

/// A planned sweep in its directory: the experiment with its axes, and a ledger with one line per run.
public struct Sweep: Sendable {
  /// What is run.
  public let plan: EnsemblePlan
  /// Its runs.
  public let ledger: SweepLedger
  /// Where it stands.
  public let directory: RunDirectory
  /// What it was planned by, on what.
  public let manifest: Manifest
  /// Whether runs may be of another experiment than the ledger says.
  let allowsChanges: Bool

  /// Lists the runs of an experiment.
  ///
  /// - Parameter plan: an experiment with axes or replicates.
  /// - Returns: one line for every run.
  /// - Throws: `DocumentError` when a run has a fault.
  public static func ledger(of plan: EnsemblePlan) throws(DocumentError) -> SweepLedger {
    var lines: [SweepLedger.Line] = []
    lines.reserveCapacity(plan.grid.count)
    for index in 0..<plan.grid.count {
      let point = plan.grid[index]
      let experiment = try plan.ensemble.experiment(at: point).experiment
      lines.append(
        SweepLedger.Line(
          number: index + 1, flow: point.flow, replicate: point.replicate, path: point.path,
          settings: zip(plan.grid.axes, point.values).map {
            SweepLedger.Setting(key: $0.key, value: $1)
          },
          seeds: experiment.system.seeds.mapValues { UInt64($0) },
          experimentSHA256: Digest.sha256(experiment.resolved.utf8)))
    }
    return SweepLedger(lines: lines)
  }

  /// Writes a planned sweep.
  ///
  /// - Parameters:
  ///   - ledger: the runs of the plan.
  ///   - plan: what is run.
  ///   - directory: a new run directory.
  ///   - program: what the program says of itself.
  /// - Throws: `RecordError` when a file cannot be written.
  public init(
    _ ledger: SweepLedger, of plan: EnsemblePlan, into directory: RunDirectory,
    program: ProgramDescription
  ) throws(RecordError) {
    self.plan = plan
    self.directory = directory
    self.ledger = ledger
    allowsChanges = false
    let resolved = plan.resolved
    var manifest = program.manifest(
      experiment: plan.first.experiment, resolved: resolved, threads: 1, start: .now())
    manifest.flows = FlowCounts(total: plan.grid.count)
    manifest.status = .planned
    manifest.tables = [FileName.ledger.description]
    self.manifest = manifest
    try directory.begin(resolved, manifest)
    try directory.write(ledger.text, as: .ledger)
  }

  /// Opens a planned sweep.
  ///
  /// - Parameters:
  ///   - path: its directory.
  ///   - memoryLimit: bytes that may be used; nil for no limit.
  ///   - allowChanges: whether an experiment that is not the planned one is taken all the same.
  /// - Throws: `RecordError` when it is no sweep or was changed, `DocumentError` when its experiment has a fault.
  public init(at path: String, memoryLimit: Int?, allowingChanges allowChanges: Bool) throws {
    allowsChanges = allowChanges
    directory = try RunDirectory.open(at: path)
    manifest = try directory.manifest()
    guard directory.has(.ledger) else {
      throw RecordError(
        path: directory.path, reason: .notARun(missing: FileName.ledger.description),
        advice: "Plan the sweep first: gradflow sweep plan EXPERIMENT --out FOLDER.")
    }
    ledger = try SweepLedger(
      text: directory.text(.ledger), path: directory.path(of: .ledger))
    let text = try directory.text(.experiment)
    if !allowChanges, Digest.sha256(text.utf8) != manifest.experimentSHA256 {
      throw RecordError(
        path: directory.path(of: .experiment),
        reason: .malformed("another experiment than the one that was planned"),
        advice: "Plan a new sweep, or allow it with --allow-changed-experiment.")
    }
    plan = try EnsemblePlan(
      Ensemble(text: text, file: directory.path(of: .experiment)), memoryLimit: memoryLimit)
    guard plan.grid.count == ledger.lines.count else {
      throw RecordError(
        path: directory.path(of: .ledger),
        reason: .malformed(
          "\(ledger.lines.count) runs, where the experiment has \(plan.grid.count)"),
        advice: "Plan the sweep again, into a new folder.")
    }
    for (index, line) in ledger.lines.enumerated() {
      let point = plan.grid[index]
      let settings = zip(plan.grid.axes, point.values).map {
        SweepLedger.Setting(key: $0.key, value: $1)
      }
      guard line.path == point.path, line.flow == point.flow, line.replicate == point.replicate,
        line.settings.map(\.key) == settings.map(\.key),
        allowChanges || line.settings == settings
      else {
        throw RecordError(
          path: directory.path(of: .ledger),
          reason: .malformed("line \(index + 1), which is another run than the experiment has"),
          advice: "Plan the sweep again, into a new folder.")
      }
    }
  }

  /// What differs between the program that planned this and another one, in words; nil if nothing does.
  ///
  /// - Parameter program: the other one.
  /// - Returns: for instance `kernels avx2 instead of avx512`.
  public func difference(from program: ProgramDescription) -> String? {
    manifest.difference(
      from: program.manifest(seeds: [:], resolved: "", threads: 1, start: .now()))
  }

  /// How a run of the ledger stands.
  public enum State: Sendable, Equatable {
    /// It has not run, or is running just now.
    case missing
    /// It came to its end.
    case finished
    /// It failed, for the reason in these words.
    case failed(String)
  }

  /// How a run stands.
  ///
  /// - Parameter line: one of the ledger.
  /// - Returns: its state, as its run directory tells; failed where that cannot be read.
  public func state(of line: SweepLedger.Line) -> State {
    do throws(RecordError) {
      guard let inner = try directory.inner(at: line.path) else { return .missing }
      let manifest = try inner.manifest()
      return manifest.status.state == .finished
        ? .finished : .failed(manifest.status.message ?? manifest.status.state.rawValue)
    } catch {
      return .failed("\(error.path): \(error.words); --retry-failed runs it again")
    }
  }
}
