import ArgumentParser
import DeclaredKeys
import Experiments
import Foundation
import Logging
import RunRecords

/// The options of every command that runs experiments.
struct LaunchOptions: ParsableArguments {
  @Option(
    name: .customLong("set"), parsing: .singleValue,
    help: ArgumentHelp(
      "Override a key: --set solver.relative_tolerance=1e-9, --set stages.copying.until=1e7.",
      valueName: "path=value"), completion: .key)
  var overrides: [String] = []

  @Option(help: "Threads to use; the results do not depend on it. Default: all cores.")
  var threads: Int?

  @Flag(help: "Show no progress.")
  var quiet = false

  @Flag(help: "Write diagnostics to standard error.")
  var verbose = false

  func validate() throws {
    if let threads, !(1...1024).contains(threads) {
      throw ValidationError("--threads takes a whole number from 1 to 1024, not \(threads).")
    }
  }

  var threadCount: Int { threads ?? ProcessInfo.processInfo.activeProcessorCount }

  /// The checked plan of an experiment file.
  func plan(_ experiment: String) throws -> EnsemblePlan {
    try plan { overrides throws(DocumentError) in
      try Ensemble(contentsOf: experiment, overrides: overrides)
    }
  }

  /// The checked plan of what `read` makes of the overrides.
  func plan(_ read: ([String]) throws(DocumentError) -> Ensemble) throws -> EnsemblePlan {
    try Self.plan(overrides, read)
  }

  /// The checked plan of what `read` makes of overrides.
  static func plan(
    _ overrides: [String], _ read: ([String]) throws(DocumentError) -> Ensemble
  ) throws -> EnsemblePlan {
    do {
      return try EnsemblePlan(read(overrides), memoryLimit: Machine.current().availableMemory)
    } catch {
      throw Failure(code: Exit.badInput, message: error.description)
    }
  }

  /// A new run directory: the one that is asked for, or a numbered one named after the experiment.
  func directory(
    _ experiment: String, out: String? = nil, resuming isResumed: Bool = false
  ) throws -> RunDirectory {
    try Self.directory(experiment, out: out, resuming: isResumed)
  }

  /// A new run directory: the one that is asked for, which to resume may stand already, or a numbered one named
  /// after the experiment.
  static func directory(
    _ experiment: String, out: String?, resuming isResumed: Bool = false
  ) throws -> RunDirectory {
    do {
      if let out { return try isResumed ? .resume(at: out) : .create(at: out) }
      let name = URL(fileURLWithPath: experiment).deletingPathExtension().lastPathComponent
      return try RunDirectory.createNumbered(name: FileName(name))
    } catch {
      throw Failure(code: Exit.badInput, message: error.description)
    }
  }

  /// What `body` computes into a run directory; an error of a file names what could be written.
  static func recording<Value>(
    into directory: RunDirectory, _ body: () throws -> Value
  ) throws -> Value {
    do {
      return try body()
    } catch let error as RecordError where error.isRefusal {
      throw Failure(code: Exit.badInput, message: error.description)
    } catch let error as RecordError {
      let isKept = FileManager.default.fileExists(atPath: directory.path)
      throw Failure(
        code: Exit.failed,
        message: error.description
          + (isKept ? "\nWhat could be written is in \(directory.path)." : ""))
    }
  }

  /// Runs `body` with the name of the part that it is at on one line, which goes at the end.
  func showingParts<Value>(_ body: (_ show: @escaping (String) -> Void) throws -> Value) rethrows
    -> Value
  {
    let showsProgress = !quiet && Terminal.isInteractive
    defer { if showsProgress { Terminal.note("\r\u{1B}[K") } }
    return try body { if showsProgress { Terminal.note("\r\u{1B}[K" + $0) } }
  }

  /// Runs an experiment with live progress.
  ///
  /// - Parameters:
  ///   - plan: what is run.
  ///   - directory: a run directory, new or to be resumed.
  ///   - resumption: how runs go on that were interrupted there; nil to begin.
  ///   - exportCorpus: whether every run writes its data.
  ///   - budget: when to stop; nil for never.
  ///   - summary: what is kept of every flow.
  /// - Returns: all flows.
  /// - Throws: `Failure` with the exit code.
  func launch<Judgement: Sendable>(
    _ plan: EnsemblePlan, into directory: RunDirectory, resuming resumption: Resumption? = nil,
    exportCorpus: Bool = false, budget: TimeBudget? = nil,
    summary: @escaping @Sendable (FlowPoint, ExperimentPlan, ExperimentRun.Outcome) -> Judgement
  ) throws -> EnsembleOutcome<Judgement> {
    Interruption.watch(
      "what was written is whole. A run goes on from its last checkpoint, or anew, with gradflow run … --resume"
    ) { budget?.isOver == true }
    let view = quiet ? nil : RunView(plan)
    defer { view?.finish() }
    let run = EnsembleRun(
      plan, program: Gradflow.program, threads: threadCount, logger: logger)
    do {
      return try Self.recording(into: directory) {
        try run.run(
          into: directory, resuming: resumption, exportCorpus: exportCorpus, judge: summary
        ) { progress in
          view?.show(progress)
          return Interruption.goesOn()
        }
      }
    } catch let error as DocumentError {
      throw Failure(code: Exit.badInput, message: error.description)
    }
  }

  /// Runs a plan and prints its summary.
  ///
  /// - Throws: `Failure` with the exit code.
  func run(
    _ plan: EnsemblePlan, into directory: RunDirectory, resuming resumption: Resumption? = nil,
    exportCorpus: Bool = false, budget: TimeBudget? = nil
  ) throws {
    let isSingle = plan.grid.isSingle
    let outcome = try launch(
      plan, into: directory, resuming: resumption, exportCorpus: exportCorpus, budget: budget
    ) { _, plan, outcome in
      isSingle ? Summary.text(of: outcome, plan: plan, path: directory.path) : ""
    }
    print(
      isSingle
        ? outcome.flows[0].judgement ?? ""
        : Summary.text(of: outcome, plan: plan, path: directory.path))
    try check(outcome, of: plan, in: directory)
  }

  /// Throws when runs were stopped or failed.
  func check<Judgement>(
    _ outcome: EnsembleOutcome<Judgement>, of plan: EnsemblePlan, in directory: RunDirectory
  ) throws {
    if outcome.isStopped {
      let path = directory.path.shellWord
      let isAtStart = plan.grid.isSingle && !CheckpointStore(directory).isPresent
      throw Failure(
        code: Exit.stopped,
        message: "stopped; all up to there is in \(path). To go on: gradflow run "
          + "\(directory.path(of: .experiment).shellWord) --out \(path) --resume"
          + (isAtStart
            ? "\nThat begins anew, for no checkpoint was reached: allow more time, or lower "
              + "solver.checkpoint_steps." : ""))
    }
    guard let failure = outcome.failures.first, case .failed(let message) = failure.ending else {
      return
    }
    throw Failure(
      code: Exit.failed,
      message: (plan.grid.isSingle ? message : Summary.failures(outcome))
        + "\nAll up to there is in \(directory.path).")
  }

  var logger: Logger { Self.logger(isVerbose: verbose) }

  /// Where diagnostics go: to standard error.
  static func logger(isVerbose: Bool) -> Logger {
    var logger = Logger(label: "gradflow") { StreamLogHandler.standardError(label: $0) }
    logger.logLevel = isVerbose ? .debug : .warning
    return logger
  }
}
