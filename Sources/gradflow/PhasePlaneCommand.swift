import ArgumentParser
import DeclaredKeys
import Experiments
import Foundation
import RunRecords

/// `gradflow phase-plane`.
struct PhasePlaneCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "phase-plane",
    abstract: "Record the vector field, nullclines, fixed points and paths of the flow in a plane.",
    discussion: """
      The plane is that of the keys plane.… of the experiment; the options here stand above them. A coordinate is a \
      parameter such as a or w.1.2, the share share.1+2 of a set of heads, the lead gap.1 of head 1's own lag over its \
      others, or the product k of the mixed target. The other parameters are held at the experiment's start, or with \
      plane.others: slaved relaxed at every point.
      """)

  @Argument(
    help: "The experiment, a YAML file such as experiments/plane-mixed.yaml.",
    completion: .experiment)
  var experiment: String

  @Option(help: ArgumentHelp("The coordinate on the first axis: plane.x.", valueName: "name"))
  var x: String?

  @Option(
    parsing: .unconditional, help: ArgumentHelp("Where the first axis begins.", valueName: "value"))
  var xFrom: String?

  @Option(
    parsing: .unconditional, help: ArgumentHelp("Where the first axis ends.", valueName: "value"))
  var xTo: String?

  @Option(help: ArgumentHelp("The coordinate on the second axis: plane.y.", valueName: "name"))
  var y: String?

  @Option(
    parsing: .unconditional, help: ArgumentHelp("Where the second axis begins.", valueName: "value")
  )
  var yFrom: String?

  @Option(
    parsing: .unconditional, help: ArgumentHelp("Where the second axis ends.", valueName: "value"))
  var yTo: String?

  @Option(help: ArgumentHelp("Nodes along each axis: plane.grid.", valueName: "count"))
  var grid: String?

  @Option(help: "The run directory; must not exist. Default: a fresh numbered folder in runs/.")
  var out: String?

  @OptionGroup var options: LaunchOptions

  func run() throws {
    let plan: PhasePlanePlan
    do {
      plan = try PhasePlanePlan(
        contentsOf: experiment, overrides: options.overrides + overrides,
        memoryLimit: Machine.current().availableMemory)
    } catch {
      throw Failure(code: Exit.badInput, message: error.description)
    }
    let directory = try options.directory(experiment, out: out)
    Interruption.watch()
    let report = try LaunchOptions.recording(into: directory) {
      try options.showingParts { show in
        try PhasePlaneRun(plan, program: Gradflow.program, threads: options.threadCount)
          .run(into: directory, isStopped: { !Interruption.goesOn() }) { show("\($0.rawValue) …") }
      }
    }
    if report.isStopped {
      throw Failure(
        code: Exit.stopped, message: "stopped; no table is written in \(directory.path)")
    }
    print(PhasePlaneSummary(plan: plan, report: report).text)
    print("\n" + String(format: "%.1f s", report.seconds) + ", recorded in \(directory.path)")
  }

  /// The options as settings of keys.
  private var overrides: [String] {
    [
      ("x", x), ("x_from", xFrom), ("x_to", xTo), ("y", y), ("y_from", yFrom), ("y_to", yTo),
      ("grid", grid),
    ].compactMap { key, value in value.map { "plane.\(key)=\($0)" } }
  }
}
