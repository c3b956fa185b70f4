import ArgumentParser
import RunRecords

/// `gradflow inspect`.
struct InspectCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "inspect",
    abstract: "Say what a run directory holds, where it came from, and whether it is complete.")

  @Argument(
    help: ArgumentHelp("The run directory.", valueName: "run"), completion: .directory)
  var path: String

  func run() throws {
    let inspection: RunInspection
    do {
      inspection = try RunDirectory.open(at: path).inspection()
    } catch {
      throw Failure(code: Exit.badInput, message: error.description)
    }
    print(Summary.text(of: inspection))
    if !inspection.isComplete { throw Failure(code: Exit.failed, message: "") }
  }
}
