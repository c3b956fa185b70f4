import ArgumentParser
import DeclaredKeys
import Experiments
import FlowAnalysis
import Foundation
import RunRecords

/// `gradflow verify`.
struct VerifyCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify",
    abstract: "Run experiments, hold their claims against the flows, and judge.",
    discussion: """
      Every experiment runs as with `gradflow run`, into a fresh numbered folder in runs/. At the \
      end stand the claims of every experiment and one overview. `derived` is what theory says, \
      `± model` how far it may be off because the law is the first term of an expansion, `measured` \
      what the flow shows, `±` half its interval. A claim is rejected when derived and measured \
      differ by more than both together; exit code 3. Where all claims are figures or D2, stages go no further than \
      the last of them.
      """)

  @Argument(help: "Experiments with claims, YAML files.", completion: .experiment)
  var experiments: [String]

  @OptionGroup var options: LaunchOptions

  @Flag(help: "Run all stages to their ends, also beyond the last figure that is claimed.")
  var whole = false

  func run() throws {
    // Everything is checked before anything runs.
    let plans = try experiments.map { path in
      let plan = try options.plan { overrides throws(DocumentError) in
        let ensemble = try Ensemble(contentsOf: path, overrides: overrides)
        return whole ? ensemble : ensemble.upToLastFigure
      }
      if plan.first.experiment.claims.isEmpty {
        throw Failure(
          code: Exit.badInput,
          message: "\(path): the experiment has no claims to verify; add the key claims, for "
            + "example claims: [G1, G2]")
      }
      return (path, plan)
    }
    var all: [(name: String, findings: [Finding])] = []
    var failure: (any Error)?
    for (index, (path, plan)) in plans.enumerated() {
      let directory = try options.directory(path)
      let outcome = try options.launch(plan, into: directory) { _, _, _ in true }
      let name = URL(fileURLWithPath: path).deletingPathExtension().lastPathComponent
      all.append((name, outcome.findings))
      let count = outcome.flows.count
      print(
        "\(name): \(count) flow\(count == 1 ? "" : "s"), "
          + String(format: "%.1f s", outcome.seconds) + ", \(ClaimsTable.count(outcome.findings)), "
          + "recorded in \(directory.path)")
      do {
        try options.check(outcome, of: plan, in: directory)
      } catch {
        // What was found up to here is still worth its table.
        failure = failure ?? error
        if outcome.isStopped {
          let left = plans[(index + 1)...].map(\.0)
          if !left.isEmpty { print("not run: \(left.joined(separator: ", "))") }
          break
        }
      }
    }
    for (name, findings) in all {
      print("\n\(name)")
      for line in ClaimsTable.lines(of: findings) { print("  " + line) }
    }
    let findings = all.flatMap(\.findings)
    print("")
    for line in ClaimsTable.overview(all) { print(line) }
    print("\n\(ClaimsTable.count(findings))")
    if let failure { throw failure }
    if !findings.contains(where: { $0.reason == nil }) {
      Terminal.error("no claim applies to these flows; nothing was judged")
    }
    let rejected = findings.filter { $0.verdict == .rejected }
    if !rejected.isEmpty {
      throw Failure(
        code: Exit.rejected,
        message: "\(rejected.count) statement\(rejected.count == 1 ? " is" : "s are") rejected, of "
          + Set(rejected.map(\.claim.rawValue)).sorted().joined(separator: ", "))
    }
  }
}
