import ArgumentParser
import DeclaredKeys
import Experiments
import Foundation
import RunRecords

/// `gradflow sweep`.
struct SweepCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sweep",
    abstract: "Run many flows from a ledger, restartable at any point, into one phase diagram.",
    discussion: """
      plan writes a ledger with one numbered line per run of an experiment with sweep or replicates; run executes \
      what is missing, also from several processes and machines at a time; status counts; collect writes \
      phase-diagram.csv, one row per run.
      """,
    subcommands: [Plan.self, Run.self, Status.self, Collect.self])

  /// `gradflow sweep plan`.
  struct Plan: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Write the ledger of an experiment.")

    @Argument(
      help: "The experiment, a YAML file with sweep or replicates.", completion: .experiment)
    var experiment: String

    @Option(
      help: "The folder of the sweep; must not exist. Default: a fresh numbered one in runs/.")
    var out: String?

    @Option(
      name: .customLong("set"), parsing: .singleValue,
      help: ArgumentHelp("Override a key.", valueName: "path=value"), completion: .key)
    var overrides: [String] = []

    func run() throws {
      let plan = try LaunchOptions.plan(overrides) { overrides throws(DocumentError) in
        try Ensemble(contentsOf: experiment, overrides: overrides)
      }
      if plan.grid.isSingle {
        throw Failure(
          code: Exit.badInput,
          message:
            "\(experiment): a single flow is no sweep. What to do: add the key sweep or replicates, or use gradflow run"
        )
      }
      let ledger = try SweepCommand.reporting { try Sweep.ledger(of: plan) }
      // What is begun here is ended; it takes a moment.
      Interruption.defer()
      let directory = try LaunchOptions.directory(experiment, out: out)
      try SweepCommand.reporting {
        _ = try Sweep(ledger, of: plan, into: directory, program: Gradflow.program)
      }
      print(
        "\(Summary.runs(plan.grid)) planned in \(directory.path); run them with\n"
          + "gradflow sweep run \(directory.path.shellWord)")
    }
  }

  /// `gradflow sweep run`.
  struct Run: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Run what is missing of a sweep.",
      discussion: """
        A run appears in its folder whole or not at all; those that stand are left alone, so the command may be \
        repeated and several may go on at a time. One that failed is tried again only with --retry-failed.
        """)

    @Argument(
      help: ArgumentHelp("The folder of the sweep.", valueName: "sweep"), completion: .directory)
    var path: String

    @Option(help: "Only the run with this number in the ledger.")
    var index: Int?

    @Option(help: ArgumentHelp("Only every n-th run, from the k-th on.", valueName: "k/n"))
    var shard: String?

    @Option(help: "Runs at the same time, one thread each. Default: all cores.")
    var threads: Int?

    @Option(
      help: ArgumentHelp(
        "Stop after so long, more than 0, such as 90s, 30m or 2h; the same command goes on.",
        valueName: "time"))
    var budget: TimeBudget?

    @Flag(help: "Try runs again that failed.")
    var retryFailed = false

    @Flag(help: "Go on with another version or build of the program than the one that planned it.")
    var allowOtherProgram = false

    @Flag(
      help:
        "Go on with an experiment.yaml that is not the planned one; the ledger still has to fit.")
    var allowChangedExperiment = false

    @Flag(help: "Show no progress.")
    var quiet = false

    func validate() throws {
      if let threads, !(1...1024).contains(threads) {
        throw ValidationError("--threads takes a whole number from 1 to 1024, not \(threads).")
      }
      if index != nil, shard != nil {
        throw ValidationError("--index and --shard exclude each other.")
      }
      if let shard, Self.selection(ofShard: shard) == nil {
        throw ValidationError("--shard takes k/n with 1 ≤ k ≤ n, such as 2/10, not \(shard).")
      }
    }

    private static func selection(ofShard text: String) -> SweepRun.Selection? {
      let parts = text.split(separator: "/", omittingEmptySubsequences: false).map { Int($0) }
      guard parts.count == 2, let k = parts[0], let n = parts[1], n >= 1, (1...n).contains(k) else {
        return nil
      }
      return .shard(k, of: n)
    }

    func run() throws {
      let sweep = try SweepCommand.open(
        path, memoryLimit: Machine.current().availableMemory,
        allowingChanges: allowChangedExperiment)
      if !allowOtherProgram, let difference = sweep.difference(from: Gradflow.program) {
        throw Failure(
          code: Exit.badInput,
          message:
            "\(path): the sweep was planned by another program: \(difference). What to do: use that one, "
            + "plan again, or allow it with --allow-other-program")
      }
      let count = sweep.ledger.lines.count
      if let index, !(1...count).contains(index) {
        throw Failure(
          code: Exit.badInput,
          message:
            "--index \(index): the ledger has the runs 1 to \(count). What to do: choose one of them"
        )
      }
      Interruption.watch("the same command goes on from the last checkpoints") { [budget] in
        budget?.isOver == true
      }
      let view = quiet ? nil : RunView(sweep.plan)
      defer { view?.finish() }
      let start = Timestamp.now()
      let selection = index.map { .number($0) } ?? shard.flatMap(Self.selection(ofShard:)) ?? .all
      let outcome = try SweepCommand.reporting {
        try SweepRun(
          sweep, program: Gradflow.program,
          threads: threads ?? ProcessInfo.processInfo.activeProcessorCount,
          logger: LaunchOptions.logger(isVerbose: false),
          allowingOtherProgram: allowOtherProgram
        ).run(selection, retryingFailed: retryFailed) { progress in
          view?.show(progress)
          return Interruption.goesOn()
        }
      }
      view?.finish()
      let parts = [
        (outcome.finished, "finished"), (outcome.failed, "failed"),
        (outcome.stood, "stood already"),
        (outcome.failedBefore, "failed before"), (outcome.elsewhere, "run by other processes"),
        (outcome.left, "left"),
      ].filter { $0.0 > 0 }.map { "\($0.0) \($0.1)" }
      print(
        "\(parts.joined(separator: ", ")); "
          + String(format: "%.1f s", Timestamp.now().seconds(since: start)))
      if outcome.left > 0 {
        throw Failure(
          code: Exit.stopped,
          message: "stopped; the same command goes on where this one ended")
      }
      if outcome.failed + outcome.failedBefore > 0 {
        let count = outcome.failed + outcome.failedBefore
        throw Failure(
          code: Exit.failed,
          message:
            "\(count) \(count == 1 ? "run" : "runs") failed; gradflow sweep status \(path.shellWord) says why"
        )
      }
    }
  }

  /// `gradflow sweep status`.
  struct Status: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Count what has run of a sweep, and say what failed.")

    @Argument(
      help: ArgumentHelp("The folder of the sweep.", valueName: "sweep"), completion: .directory)
    var path: String

    func run() throws {
      let sweep = try SweepCommand.open(path, allowingChanges: true)
      let (missing, failures) = try SweepCommand.reporting {
        var (missing, failures) = (0, [String]())
        for line in sweep.ledger.lines {
          switch sweep.state(of: line) {
          case .missing: missing += 1
          case .failed(let reason): failures.append("\(line.path): \(reason)")
          case .finished: break
          }
        }
        return (missing, failures)
      }
      let count = sweep.ledger.lines.count
      print(
        "\(count - missing - failures.count) of \(count) finished, \(failures.count) failed, \(missing) missing"
      )
      for failure in failures.prefix(20) { print("  \(failure.printable)") }
      if failures.count > 20 { print("  … and \(failures.count - 20) more") }
    }
  }

  /// `gradflow sweep collect`.
  struct Collect: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Write phase-diagram.csv and events.csv from the runs that stand.")

    @Argument(
      help: ArgumentHelp("The folder of the sweep.", valueName: "sweep"), completion: .directory)
    var path: String

    func run() throws {
      let sweep = try SweepCommand.open(path, allowingChanges: true)
      Interruption.defer()
      let (counts, isMixed) = try SweepCommand.reporting { try sweep.collect() }
      print(
        "\(counts.finished) of \(counts.total) runs finished, \(counts.failed) failed; "
          + "collected in \(sweep.directory.path(of: .diagram))")
      if isMixed {
        Terminal.error(
          "some runs are of another experiment than the ledger says: see experiment_sha256 and message"
        )
      }
    }
  }

  /// Opens a sweep, to look at it, or with a memory limit to run it.
  private static func open(
    _ path: String, memoryLimit: Int? = nil, allowingChanges allowChanges: Bool
  ) throws -> Sweep {
    do {
      return try Sweep(at: path, memoryLimit: memoryLimit, allowingChanges: allowChanges)
    } catch let error as RecordError {
      throw Failure(code: Exit.badInput, message: error.description)
    } catch let error as DocumentError {
      throw Failure(code: Exit.badInput, message: error.description)
    }
  }

  /// What `body` gives, with its errors as failures of the program.
  private static func reporting<Value>(_ body: () throws -> Value) throws -> Value {
    do {
      return try body()
    } catch let error as RecordError {
      throw Failure(
        code: error.isRefusal ? Exit.badInput : Exit.failed, message: error.description)
    } catch let error as DocumentError {
      throw Failure(code: Exit.badInput, message: error.description)
    }
  }
}
