import ArgumentParser
import Experiments
import RunRecords

/// `gradflow run`.
struct RunCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run", abstract: "Integrate the flow of an experiment and record it.")

  @Argument(help: "The experiment, a YAML file; `gradflow new` writes one.")
  var experiment: String

  @Option(help: "The run directory; must not exist. Default: a fresh numbered folder in runs/.")
  var out: String?

  @OptionGroup var options: LaunchOptions

  @Flag(help: "Write the tokens as corpus.npz, or kernels and stationary laws as population.npz.")
  var exportCorpus = false

  @Flag(help: "Parse, validate, print sizes and memory, and stop.")
  var check = false

  func run() throws {
    let plan = try options.plan(experiment)
    try options.run(plan, of: experiment, out: out, check: check, exportCorpus: exportCorpus)
  }
}
