import ArgumentParser
import DeclaredKeys
import Experiments
import Foundation
import GradientFlow
import Logging
import RunRecords

/// `gradflow run`.
struct RunCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run", abstract: "Integrate the flow of an experiment and record it.")

  @Argument(help: "The experiment, a YAML file; `gradflow new` writes one.")
  var experiment: String

  @Option(help: "The run directory; must not exist. Default: a fresh numbered folder in runs/.")
  var out: String?

  @Option(
    name: .customLong("set"), parsing: .singleValue,
    help: ArgumentHelp(
      "Override a key: --set solver.relative_tolerance=1e-9, --set stages.copying.until=1e7.",
      valueName: "path=value"))
  var overrides: [String] = []

  @Option(help: "Threads to use; the results do not depend on it. Default: all cores.")
  var threads: Int?

  @Flag(help: "Show no progress.")
  var quiet = false

  @Flag(help: "Write diagnostics to standard error.")
  var verbose = false

  @Flag(help: "Write the tokens as corpus.npz, or kernels and stationary laws as population.npz.")
  var exportCorpus = false

  @Flag(help: "Parse, validate, print sizes and memory, and stop.")
  var check = false

  func validate() throws {
    if let threads, !(1...1024).contains(threads) {
      throw ValidationError("--threads takes a whole number from 1 to 1024, not \(threads).")
    }
  }

  func run() throws {
    let plan = try plan()
    let threads = threads ?? ProcessInfo.processInfo.activeProcessorCount
    if check {
      print(Summary.sizes(of: plan, threads: threads))
      return
    }
    Interruption.watch()
    let directory = try makeDirectory()
    let view = quiet ? nil : RunView(plan)
    let run = EnsembleRun(plan, program: Gradflow.program, threads: threads, logger: logger)
    let isSingle = plan.grid.isSingle
    let outcome: EnsembleOutcome<String>
    do {
      outcome = try run.run(into: directory, exportCorpus: exportCorpus) { _, plan, outcome in
        isSingle ? Summary.text(of: outcome, plan: plan, path: directory.path) : ""
      } observer: { progress in
        view?.show(progress)
        return !Interruption.hasCome
      }
    } catch let error as DocumentError {
      view?.finish()
      throw Failure(code: Exit.badInput, message: error.description)
    } catch let error as RecordError {
      view?.finish()
      throw Failure(
        code: Exit.failed,
        message: error.description + whatIsKept(in: directory))
    }
    view?.finish()
    print(
      isSingle
        ? outcome.flows[0].judgement ?? ""
        : Summary.text(of: outcome, plan: plan, path: directory.path))
    if outcome.isStopped {
      throw Failure(code: Exit.stopped, message: "stopped; all up to there is in \(directory.path)")
    }
    guard let failure = outcome.failures.first, case .failed(let message) = failure.ending else {
      return
    }
    throw Failure(
      code: Exit.failed,
      message: (isSingle ? message : Summary.failures(outcome))
        + "\nAll up to there is in \(directory.path).")
  }

  private var logger: Logger {
    var logger = Logger(label: "gradflow") { StreamLogHandler.standardError(label: $0) }
    logger.logLevel = verbose ? .debug : .warning
    return logger
  }

  private func whatIsKept(in directory: RunDirectory) -> String {
    FileManager.default.fileExists(atPath: directory.path)
      ? "\nWhat could be written is in \(directory.path)." : ""
  }

  private func plan() throws -> EnsemblePlan {
    do {
      return try EnsemblePlan(
        Ensemble(contentsOf: experiment, overrides: overrides),
        memoryLimit: Machine.current().availableMemory)
    } catch {
      throw Failure(code: Exit.badInput, message: error.description)
    }
  }

  private func makeDirectory() throws -> RunDirectory {
    do {
      if let out { return try RunDirectory.create(at: out) }
      let name = URL(fileURLWithPath: experiment).deletingPathExtension().lastPathComponent
      return try RunDirectory.createNumbered(name: FileName(name))
    } catch {
      throw Failure(code: Exit.badInput, message: error.description)
    }
  }
}
