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
    if check {
      print(Summary.sizes(of: plan, threads: options.threadCount))
      return
    }
    let directory = try options.directory(experiment, out: out)
    let isSingle = plan.grid.isSingle
    let outcome = try options.launch(plan, into: directory, exportCorpus: exportCorpus) {
      _, plan, outcome in
      isSingle ? Summary.text(of: outcome, plan: plan, path: directory.path) : ""
    }
    print(
      isSingle
        ? outcome.flows[0].judgement ?? ""
        : Summary.text(of: outcome, plan: plan, path: directory.path))
    try options.check(outcome, of: plan, in: directory)
  }
}
