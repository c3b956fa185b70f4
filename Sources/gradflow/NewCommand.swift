import ArgumentParser
import Experiments
import Foundation
import RunRecords

/// `gradflow new`.
struct NewCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "new", abstract: "Write a commented experiment to start from.")

  @Argument(help: "The name; writes NAME.yaml, or NAME as it is when it ends in .yaml.")
  var name: String

  @Flag(help: "One of the mixed target instead of a transformer on Markov chains.")
  var mixedTarget = false

  @Flag(help: "One of a full transformer, with content, value maps and a network.")
  var fullTransformer = false

  func validate() throws {
    if mixedTarget, fullTransformer {
      throw ValidationError("Choose one of --mixed-target and --full-transformer.")
    }
    if name.isEmpty || name.hasSuffix("/") {
      throw ValidationError(
        "The name of the experiment is missing, as in: gradflow new my-question")
    }
  }

  func run() throws {
    let path = name.hasSuffix(".yaml") || name.hasSuffix(".yml") ? name : name + ".yaml"
    guard !FileManager.default.fileExists(atPath: path) else {
      throw Failure(
        code: Exit.badInput, message: "\(path): the file exists. What to do: choose another name.")
    }
    let template = Experiment.template(
      question: "Which question does \(URL(fileURLWithPath: path).lastPathComponent) answer?",
      family: mixedTarget
        ? .mixedTarget : fullTransformer ? .fullTransformer : .inductionHeads)
    do {
      try AtomicFile.write(template, to: path)
    } catch {
      throw Failure(code: Exit.badInput, message: error.description)
    }
    print("Wrote \(path). Edit it, then: gradflow run \(path.shellWord)")
  }
}
