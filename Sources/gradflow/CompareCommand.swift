import ArgumentParser
import DeclaredKeys
import Experiments
import RunRecords

/// `gradflow compare`.
struct CompareCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "compare",
    abstract: "Train with discrete optimisers beside the exact flow.",
    discussion: """
      Runs the flow, then gradient descent, the heavy ball, mini-batches and Adam from the same start on the same \
      data, as the keys training.… say, and gradient descent once more at several multiples of the learning rate. \
      Beside the files of `gradflow run` stand gd.csv, momentum.csv, sgd.csv and adam.csv, flow.csv (the flow at the \
      times of the same rows), distance.csv and convergence.csv.
      """)

  @Argument(help: "The experiment, a YAML file.", completion: .experiment)
  var experiment: String

  @Option(help: "The run directory; must not exist. Default: a fresh numbered folder in runs/.")
  var out: String?

  @OptionGroup var options: LaunchOptions

  @Flag(help: "Parse, validate, print sizes, memory and steps, and stop.")
  var check = false

  func run() throws {
    let plan = try options.plan { overrides throws(DocumentError) in
      try Ensemble.comparison(contentsOf: experiment, overrides: overrides)
    }
    if check {
      print(Summary.sizes(of: plan, threads: options.threadCount))
      return
    }
    try options.run(plan, into: options.directory(experiment, out: out))
  }
}
