import ArgumentParser
import DeclaredKeys
import Experiments
import FlowAnalysis
import Foundation
import RunRecords

/// `gradflow evaluate`.
struct EvaluateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "evaluate",
    abstract: "Evaluate a run's trained model on other lengths and priors.",
    discussion: """
      Draws fresh chains and sequences and compares the mean loss of the trained model with those of GIH(S*), of the \
      true kernel, of the Bayes predictor that knows prior and parents and counts in the context, and of the uniform \
      law. The keys evaluation.… say on what, for example --set 'evaluation.lengths=[10, 1000]'. With --ablations the \
      experiment is run again with one part taken away at a time. The run itself stays as it is; what is found goes \
      into a run directory of its own. Exit code 3 if the loss rises with the length (claim G9).
      """)

  @Argument(
    help: ArgumentHelp(
      "The run directory of a single run, such as runs/0001-three-stage.", valueName: "run"),
    completion: .directory)
  var trained: String

  @Option(
    help: "The run directory to write; must not exist. Default: a fresh numbered folder in runs/.")
  var out: String?

  @Flag(help: "Also retrain with one part of the model or of the training taken away at a time.")
  var ablations = false

  @OptionGroup var options: LaunchOptions

  func run() throws {
    if let foreign = options.overrides.first(where: { !$0.hasPrefix("evaluation.") }) {
      throw Failure(
        code: Exit.badInput,
        message:
          "--set \(foreign): the model and its data are those of the run; only keys evaluation.… can be set. What to do: set others in the experiment, and run it"
      )
    }
    let evaluation: EvaluationRun
    do {
      evaluation = try EvaluationRun(
        of: trained, overrides: options.overrides, program: Gradflow.program,
        threads: options.threadCount, logger: options.logger)
    } catch let error as DocumentError {
      throw Failure(code: Exit.badInput, message: error.description)
    } catch let error as RecordError {
      throw Failure(code: Exit.badInput, message: error.description)
    }
    let directory = try options.directory("evaluate-\(name)", out: out)
    Interruption.watch()
    let report = try launch(evaluation, into: directory)
    if report.isStopped {
      throw Failure(
        code: Exit.stopped, message: "stopped; what was done is in \(directory.path)")
    }
    print(EvaluationSummary(question: evaluation.question, report: report).text)
    print("\n" + String(format: "%.1f s", report.seconds) + ", recorded in \(directory.path)")
    let rejected = report.findings.filter { $0.verdict == .rejected }
    if !rejected.isEmpty {
      throw Failure(
        code: Exit.rejected,
        message: "G9 is rejected: " + rejected.map(\.statement).joined(separator: "; "))
    }
  }

  /// The experiment's name, from that of the nearest folder which has one: `runs/0001-name/replicates/001`.
  private var name: String {
    URL(fileURLWithPath: trained).pathComponents.reversed().lazy
      .filter { $0 != "replicates" && $0 != "flows" }
      .map { String($0.drop { $0.isNumber || $0 == "-" }) }.first { !$0.isEmpty } ?? "run"
  }

  private func launch(
    _ evaluation: EvaluationRun, into directory: RunDirectory
  ) throws -> EvaluationRun.Report {
    return try LaunchOptions.recording(into: directory) {
      try options.showingParts { show in
        try evaluation.run(into: directory, hasAblations: ablations) { text in
          show(text)
          return Interruption.goesOn()
        }
      }
    }
  }
}
