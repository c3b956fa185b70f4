import ArgumentParser
import DeclaredKeys
import Experiments
import Foundation
import MarkovChains
import RunRecords

/// `gradflow information`.
struct InformationCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "information",
    abstract: "Measure what sets of lags tell about the next token, and how fast the chains mix.",
    discussion: """
      For every set S of lags: the modified and the standard χ² information with standard errors, \
      S* with its lead Δ; for chains also entropy rate, spectral gap and relaxation time. The \
      chains are those of the experiment: drawn from its prior, or the one of data.kernel. Of a \
      token file the informations are estimated from the pooled windows.
      """)

  @Argument(
    help: "The experiment, a YAML file; `gradflow new` writes one.", completion: .experiment)
  var experiment: String

  @Option(
    name: .customLong("set"), parsing: .singleValue,
    help: ArgumentHelp(
      "Override a key: --set data.concentration=0.2, --set data.seed=7.",
      valueName: "path=value"), completion: .key)
  var overrides: [String] = []

  @Option(
    help: ArgumentHelp(
      "The size of the largest set. Default: the window up to 6, model.degree beyond.",
      valueName: "size"))
  var largest: Int?

  @Option(help: "The window M, at least the largest parent lag. Default: model.window.")
  var window: Int?

  @Option(
    help: "How many chains to draw from a prior. Default: data.chains of a population, else 4000.")
  var chains: Int?

  @Option(help: "Threads to use; the results do not depend on it. Default: all cores.")
  var threads: Int?

  @Option(help: ArgumentHelp("Write the sets as CSV; must not exist.", valueName: "file"))
  var csv: String?

  @Option(help: ArgumentHelp("Write one row per chain as CSV; must not exist.", valueName: "file"))
  var chainsCsv: String?

  func validate() throws {
    if let threads, !(1...1024).contains(threads) {
      throw ValidationError("--threads takes a whole number from 1 to 1024, not \(threads).")
    }
    if let csv, csv == chainsCsv {
      throw ValidationError("--csv and --chains-csv name the same file, \(csv).")
    }
  }

  func run() throws {
    let threads = threads ?? ProcessInfo.processInfo.activeProcessorCount
    let plans = try plans(threads)
    if plans.count > 1, let file = csv ?? chainsCsv {
      throw Failure(
        code: Exit.badInput,
        message:
          "\(file): the sweep asks for \(plans.count) surveys, and a file holds one. What to do: choose one "
          + "with --set, for example --set 'sweep=[]' or --set on the swept key after it.")
    }
    Interruption.watch()
    for (label, plan) in plans {
      if plans.count > 1 { print("[\(label)]") }
      try survey(plan, threads)
      if plans.count > 1 { print("") }
    }
  }

  private func survey(_ plan: InformationPlan, _ threads: Int) throws {
    if case .tokens = plan.source, chainsCsv != nil {
      throw Failure(
        code: Exit.badInput,
        message: "--chains-csv: a token file has no chains. Leave the option out.")
    }
    // Both files are opened before the work, so that a folder that is not there costs no time.
    var chainFile: TableFile?
    var setFile: TableFile?
    do throws(RecordError) {
      if let chainsCsv {
        chainFile = try TableFile(
          creating: chainsCsv, columns: InformationReport.chainColumns(plan.lagSets))
      }
      if let csv { setFile = try TableFile(creating: csv, columns: plan.columns) }
    } catch {
      throw Failure(code: Exit.badInput, message: error.description)
    }
    let clock = ContinuousClock()
    let start = clock.now
    do {
      let report = try plan.report(threads: threads) { index, facts in
        try chainFile?.append(InformationReport.chainRow(index, facts))
        return Interruption.goesOn()
      }
      guard let report, !Interruption.hasCome else {
        throw Failure(code: Exit.stopped, message: "stopped; nothing is written")
      }
      try setFile?.append(report.table)
      if let setFile = setFile.take() { try setFile.commit() }
      if let chainFile = chainFile.take() { try chainFile.commit() }
      print(InformationSummary(plan: plan, report: report).text)
      let seconds = (clock.now - start) / .seconds(1)
      let files = [csv, chainsCsv].compactMap(\.self)
      print(
        String(format: "%.1f s", seconds)
          + (files.isEmpty ? "" : ", written to \(files.joined(separator: " and "))"))
    } catch let error as RecordError {
      throw Failure(code: Exit.failed, message: error.description)
    }
  }

  /// One plan for each flow of the experiment whose data differ, with the values of its axes.
  private func plans(_ threads: Int) throws -> [(label: String, plan: InformationPlan)] {
    do {
      let ensemble = try Ensemble(contentsOf: experiment, overrides: overrides)
      let options = InformationOptions(window: window, largest: largest, chains: chains)
      return try ensemble.pointsWithDistinctData().map { point in
        (
          ensemble.grid.label(of: point),
          try InformationPlan(
            ensemble.experiment(at: point), options: options, threads: threads,
            memoryLimit: Machine.current().availableMemory)
        )
      }
    } catch let error as DocumentError {
      throw Failure(code: Exit.badInput, message: error.description)
    }
  }
}
