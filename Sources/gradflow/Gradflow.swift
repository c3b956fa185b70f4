import ArgumentParser
import BuildStamp
import DeclaredKeys
import Experiments
import Foundation
import RunRecords

/// The command line: what belongs to it is parsing, showing, and exit codes.
struct Gradflow: ParsableCommand {
  static let version = "0.1.0"

  static let configuration = CommandConfiguration(
    commandName: "gradflow",
    abstract: "Exact gradient flow of small transformers, held against theorems.",
    discussion: """
      Exit codes: 0 done; 1 failed while running (the run directory keeps all up to there);
      2 bad input or usage (nothing is written); 3 a claim is rejected (verify) or a bound exceeded (approximate); \
      130 stopped by SIGINT, SIGTERM or a budget.
      """,
    version: version,
    subcommands: [
      RunCommand.self, VerifyCommand.self, CompareCommand.self,
      EvaluateCommand.self, InformationCommand.self, ApproximateCommand.self,
      SweepCommand.self, PhasePlaneCommand.self, ReportCommand.self, InspectCommand.self,
      NewCommand.self,
    ])

  /// What a manifest says of this program.
  static var program: ProgramDescription {
    let commit = String(cString: gradflow_commit())
    return ProgramDescription(
      version: version,
      source: commit.isEmpty
        ? nil : SourceState(commit: commit, isDirty: gradflow_is_dirty() != 0))
  }
}

/// The exit codes of the program.
enum Exit {
  static let failed: Int32 = 1
  static let badInput: Int32 = 2
  static let rejected: Int32 = 3
  static let stopped: Int32 = 130
}

/// An error that ends the program with a code of its own.
struct Failure: Error {
  let code: Int32
  let message: String
}

@main
struct Main {
  static func main() {
    Interruption.begin()
    do {
      var command = try Gradflow.parseAsRoot()
      try command.run()
    } catch let failure as Failure {
      if !failure.message.isEmpty { Terminal.error(failure.message) }
      exit(failure.code)
    } catch {
      let code = Gradflow.exitCode(for: error)
      if code.isSuccess {
        print(Gradflow.fullMessage(for: error))
        exit(0)
      }
      Terminal.error(Gradflow.fullMessage(for: error), prefix: "")
      exit(Exit.badInput)
    }
  }
}
