import ArgumentParser
import DeclaredKeys
import Experiments
import Foundation
import RunRecords

/// `gradflow approximate`.
struct ApproximateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "approximate",
    abstract: "Construct transformers for IH₂, IH_n and GIH₂, and measure errors beside bounds.",
    discussion: """
      The file says which rates, heads, sizes of weights and ranks are tried. Weights are \
      constructed, not trained; errors are the largest over long random and adversarial sequences. \
      The run directory holds one table for each part. Exit code 3 if a measured error exceeds its \
      bound.
      """)

  @Argument(
    help: "What to approximate, a YAML file such as experiments/approximation-bounds.yaml.",
    completion: .experiment)
  var file: String

  @Option(help: "The run directory; must not exist. Default: a fresh numbered folder in runs/.")
  var out: String?

  @OptionGroup var options: LaunchOptions

  func run() throws {
    let experiment: ApproximationExperiment
    do {
      experiment = try ApproximationExperiment(contentsOf: file, overrides: options.overrides)
    } catch {
      throw Failure(code: Exit.badInput, message: error.description)
    }
    let directory = try options.directory(file, out: out)
    Interruption.watch()
    let report = try measure(experiment, into: directory)
    if report.isStopped {
      throw Failure(
        code: Exit.stopped, message: "stopped; no table is written in \(directory.path)")
    }
    print(ApproximationSummary(experiment: experiment, report: report).text)
    print("\n" + String(format: "%.1f s", report.seconds) + ", recorded in \(directory.path)")
    let broken = report.checks.filter { !$0.isPassed }
    if !broken.isEmpty {
      throw Failure(
        code: Exit.rejected,
        message: "measured errors exceed their bounds: "
          + broken.map(\.name).joined(separator: ", "))
    }
  }

  private func measure(
    _ experiment: ApproximationExperiment, into directory: RunDirectory
  ) throws -> ApproximationReport {
    do {
      return try LaunchOptions.recording(into: directory) {
        try options.showingParts { show in
          try ApproximationRun(experiment, program: Gradflow.program, threads: options.threadCount)
            .run(into: directory, isStopped: { !Interruption.goesOn() }) {
              show(ApproximationSummary.name(of: $0))
            }
        }
      }
    } catch let error as ApproximationFailure {
      throw Failure(
        code: Exit.failed, message: error.description + "\nThe run is in \(directory.path).")
    }
  }
}
