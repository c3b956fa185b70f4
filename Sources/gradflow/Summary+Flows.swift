import Experiments
import Foundation
import GradientFlow
import RunRecords

extension Summary {
  /// So many runs a table shows at most.
  private static let mostRows = 200

  /// The summary of an experiment with several runs: one line for each.
  static func text<Judgement>(
    of outcome: EnsembleOutcome<Judgement>, plan: EnsemblePlan, path: String
  ) -> String {
    var lines: [String] = []
    if let question = plan.first.experiment.question { lines += [question, ""] }
    lines += table(outcome.flows, plan) + [""]
    if !outcome.findings.isEmpty { lines += ClaimsTable.lines(of: outcome.findings) + [""] }
    let counts = ["finished", "stopped", "failed", "not started"].compactMap { name in
      let count = outcome.flows.count { $0.ending.name == name }
      return count > 0 ? "\(count) \(name)" : nil
    }
    lines.append(
      "\(runs(plan.grid)): \(counts.joined(separator: ", ")); "
        + String(format: "%.1f s", outcome.seconds) + ", recorded in \(path)")
    return lines.joined(separator: "\n")
  }

  /// What to say of the runs that failed.
  static func failures<Judgement>(_ outcome: EnsembleOutcome<Judgement>) -> String {
    let failures = outcome.failures
    var lines = ["\(failures.count) of \(outcome.flows.count) runs failed:"]
    for flow in failures.prefix(10) {
      if case .failed(let message) = flow.ending { lines.append("\(flow.point.path): \(message)") }
    }
    if failures.count > 10 { lines.append("… and \(failures.count - 10) more in flows.csv") }
    return lines.joined(separator: "\n")
  }

  /// The sizes of an experiment, for `--check`.
  static func sizes(of plan: EnsemblePlan, threads: Int) -> String {
    let grid = plan.grid
    guard !grid.isSingle else { return sizes(of: plan.first) }
    let most = plan.largest
    let atOnce = plan.concurrency(threads: threads)
    var rows = [("runs", runs(grid))]
    rows += grid.axes.enumerated().map { index, axis in
      let shown = axis.values.prefix(12).map { String($0.prefix(30)) }.joined(separator: ", ")
      return (
        index == 0 ? "axes" : "",
        "\(axis.key): \(shown)" + (axis.values.count > 12 ? ", … (\(axis.values.count))" : "")
      )
    }
    rows += [
      (
        "largest run",
        "\(most.extent), \(most.rows.first { $0.name == "parameters" }?.text ?? "?") parameters"
      ),
      ("memory", "about \(most.bytesText) for the largest run, \(atOnce) at a time"),
      ("stages", plan.first.stages.map(\.name).joined(separator: ", ")),
    ]
    if grid.flowCount > EnsemblePlan.mostPlanned {
      rows.append(("checked", "every value of every axis, not every combination"))
    }
    return (["The experiment is valid."] + rows.map { "  " + $0.0.padded(to: 18) + $0.1 })
      .joined(separator: "\n")
  }

  /// What `gradflow inspect` says of the runs inside.
  static func inner(_ inspection: RunInspection) -> [String] {
    guard let flows = inspection.manifest.flows else { return [] }
    var lines = ["runs: \(flows.total) in all"]
    for run in inspection.inner.prefix(mostRows) {
      lines.append(
        "  " + run.path.padded(to: 36) + (run.state?.rawValue ?? "unreadable")
          + (run.problems.isEmpty ? "" : ", not complete"))
    }
    if inspection.inner.count > mostRows {
      lines.append("  … and \(inspection.inner.count - mostRows) more")
    }
    return lines
  }

  /// `6 flows with 3 replicates each, 18 runs`.
  static func runs(_ grid: FlowGrid) -> String {
    let flows = "\(grid.flowCount) flow" + (grid.flowCount == 1 ? "" : "s")
    if grid.replicates == 1 { return flows }
    return grid.axes.isEmpty
      ? "\(grid.replicates) replicates"
      : "\(flows) with \(grid.replicates) replicates each, \(grid.count) runs"
  }

  private static func table<Judgement>(
    _ flows: [FlowResult<Judgement>], _ plan: EnsemblePlan
  ) -> [String] {
    let grid = plan.grid
    let names = plan.first.summary(at: plan.first.start).quantities.map(\.name)
    let hasReplicates = grid.replicates > 1
    var header = ["flow"] + grid.axes.map(\.key)
    if hasReplicates { header.append("replicate") }
    var rows = [header + names.map { $0 == "leading_share" ? "share" : $0 } + ["loss", "status"]]
    for flow in flows.prefix(mostRows) {
      var row = ["\(flow.point.flow)"] + flow.point.values.map { String($0.prefix(30)) }
      if hasReplicates { row.append("\(flow.point.replicate)") }
      if let end = flow.end {
        row += end.summary.quantities.map { $0.number?.formatted(digits: 6) ?? $0.text ?? "" }
        row.append(end.loss.asLoss)
      } else {
        row += names.map { _ in "" } + [""]
      }
      rows.append(row + [flow.ending.name])
    }
    let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
    var lines = rows.map { row in
      let cells = zip(row, widths).map { $0.aligned(to: $1) }
      // The status stands at the left, so that nothing follows the shorter ones.
      return (cells.dropLast() + row.suffix(1)).joined(separator: "  ")
    }
    if flows.count > mostRows {
      lines.append("… and \(flows.count - mostRows) more in flows.csv")
    }
    return lines
  }
}
