import Experiments
import FlowAnalysis
import Foundation
import MarkovChains
import RunRecords

/// The text that `gradflow evaluate` ends with.
struct EvaluationSummary {
  let question: String?
  let report: EvaluationRun.Report

  var text: String {
    var lines: [String] = []
    if let question { lines += [question, ""] }
    for concentration in concentrations { lines += table(concentration) + [""] }
    lines += [
      "Mean losses over fresh sequences, and how far the model lies above the true kernel; ± standard errors.",
      "",
    ]
    lines += ClaimsTable.lines(of: report.findings)
    if !report.ablations.isEmpty { lines += [""] + ablations }
    if !report.remarks.isEmpty { lines += [""] + report.remarks }
    return lines.joined(separator: "\n")
  }

  private var rows: [[Cell]] { (0..<report.table.rowCount).map { Array(report.table.row($0)) } }

  private func value(_ row: [Cell], _ name: String) -> Cell {
    report.table.columns.firstIndex(of: name).map { row[$0] } ?? .empty
  }

  private var concentrations: [Cell] {
    rows.reduce(into: []) { found, row in
      let cell = value(row, "concentration")
      if !found.contains(cell) { found.append(cell) }
    }
  }

  /// One line per length, one column per predictor.
  private func table(_ concentration: Cell) -> [String] {
    let own = rows.filter { value($0, "concentration") == concentration }
    var names: [String] = []
    for row in own {
      if case .text(let name) = value(row, "predictor"), !names.contains(name) {
        names.append(name)
      }
    }
    let title = if case .real(let alpha) = concentration { "α = \(alpha)" } else { "one kernel" }
    var lines = [
      title.padded(to: 10) + "L".aligned(to: 6)
        + names.map { $0.aligned(to: 18) }.joined() + "above kernel".aligned(to: 20)
    ]
    var lengths: [Cell] = []
    for row in own where !lengths.contains(value(row, "length")) {
      lengths.append(value(row, "length"))
    }
    for length in lengths {
      let same = own.filter { value($0, "length") == length }
      var line = "".padded(to: 10)
      if case .integer(let length) = length { line += "\(length)".aligned(to: 6) }
      for name in names {
        guard let row = same.first(where: { value($0, "predictor") == .text(name) }) else {
          continue
        }
        line += number(value(row, "loss"), value(row, "loss_se")).aligned(to: 18)
      }
      if let model = same.first(where: { value($0, "predictor") == .text("model") }) {
        line += number(value(model, "excess"), value(model, "excess_se")).aligned(to: 20)
      }
      lines.append(line)
    }
    return lines
  }

  private func number(_ mean: Cell, _ error: Cell) -> String {
    guard case .real(let mean) = mean, case .real(let error) = error else { return "–" }
    return String(format: "%.4f ± %.4f", mean, error)
  }

  /// One line per ablation: the training loss, and the losses on fresh data at some lengths of each prior.
  private var ablations: [String] {
    guard let first = report.ablations.first else { return [] }
    let lengths = first.losses.map(\.length)
    let last = lengths.max() ?? 0
    let shown = first.losses.indices.filter {
      [20, 100, last].contains(lengths[$0])
    }
    var lines = [
      "taken away".padded(to: 30) + "training loss".aligned(to: 14)
        + shown.map { index in
          let place = first.losses[index]
          return ((place.concentration.map { "α=\($0) " } ?? "") + "L=\(place.length)").aligned(
            to: 16)
        }.joined()
    ]
    for row in report.ablations {
      lines.append(
        row.ablation.rawValue.padded(to: 30)
          + String(format: "%.5f", row.trainingLoss).aligned(to: 14)
          + shown.map { index in
            // Positions with weights of their own are of one length.
            let place = first.losses[index]
            let found = row.losses.first {
              $0.length == place.length && $0.concentration == place.concentration
            }
            return (found.map { String(format: "%.4f", $0.loss.value) } ?? "–").aligned(to: 16)
          }.joined()
      )
    }
    lines += report.ablations.map { "\($0.ablation.rawValue): \($0.summary)" }
    return lines
  }
}
