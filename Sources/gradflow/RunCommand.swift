import ArgumentParser
import Experiments
import RunRecords

/// `gradflow run`.
struct RunCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run", abstract: "Integrate the flow of an experiment and record it.")

  @Argument(
    help: "The experiment, a YAML file; `gradflow new` writes one.", completion: .experiment)
  var experiment: String

  @Option(
    help: "The run directory; new, unless --resume. Default: a fresh numbered folder in runs/.")
  var out: String?

  @Flag(
    help:
      "Go on in the folder of --out where an earlier run was interrupted; begin if there is none.")
  var resume = false

  @Flag(help: "Resume a run of another version or build of the program.")
  var allowOtherProgram = false

  @Option(
    help: ArgumentHelp(
      "Stop after so long, more than 0, such as 90s, 30m or 2h; --resume goes on.",
      valueName: "time"))
  var budget: TimeBudget?

  @OptionGroup var options: LaunchOptions

  @Flag(help: "Write the tokens as corpus.npz, or kernels and stationary laws as population.npz.")
  var exportCorpus = false

  @Flag(help: "Parse, validate, print sizes and memory, and stop.")
  var check = false

  func validate() throws {
    if resume, out == nil {
      throw ValidationError("--resume goes on in a folder: name it with --out.")
    }
    if allowOtherProgram, !resume {
      throw ValidationError("--allow-other-program belongs to --resume.")
    }
  }

  func run() throws {
    let plan = try options.plan(experiment)
    if check {
      print(Summary.sizes(of: plan, threads: options.threadCount))
      return
    }
    let resumption = resume ? Resumption(allowingOtherProgram: allowOtherProgram) : nil
    let directory = try options.directory(experiment, out: out, resuming: resume)
    if let resumption, directory.has(.manifest) {
      let isFinished = try LaunchOptions.recording(into: directory) {
        try EnsembleRun(
          plan, program: Gradflow.program, threads: options.threadCount, logger: options.logger
        ).isFinished(in: directory, resuming: resumption)
      }
      if isFinished {
        print("\(directory.path) is finished; nothing is left to resume.")
        return
      }
    }
    try options.run(
      plan, into: directory, resuming: resumption, exportCorpus: exportCorpus, budget: budget)
  }
}
