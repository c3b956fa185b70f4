import GradientFlow
import RunRecords

// What the runs of an experiment look like in the files at the top of its run directory.

extension FlowEnding {
  init(_ ending: ExperimentRun.Ending) {
    self =
      switch ending {
      case .finished: .finished
      case .stopped: .stopped
      case .failed(let failure):
        .failed(
          failure.description + (failure.keyAdvice.isEmpty ? "" : " \(failure.keyAdvice)"))
      }
  }
}

extension FlowCounts {
  init<Judgement>(_ outcome: EnsembleOutcome<Judgement>) {
    self.init(total: outcome.flows.count)
    for flow in outcome.flows {
      switch flow.ending {
      case .finished: finished += 1
      case .stopped: stopped += 1
      case .failed: failed += 1
      case .notStarted: break
      }
    }
  }
}

extension RunStatus {
  /// How all runs together stand.
  init<Judgement>(_ outcome: EnsembleOutcome<Judgement>) {
    let failures = outcome.failures
    if outcome.isStopped {
      self = .stopped
    } else if let first = failures.first, case .failed(let message) = first.ending {
      self = .failed(
        "\(failures.count) of \(outcome.flows.count) runs failed; the first is "
          + "\(first.point.path): \(message)")
    } else {
      self = .finished
    }
  }
}

extension Table {
  /// The table of `flows.csv`: one row per run.
  init<Judgement>(_ flows: [FlowResult<Judgement>], of plan: EnsemblePlan) {
    let quantities = plan.first.summary(at: plan.first.start).quantities
    self.init(
      columns: ["flow", "replicate"] + plan.grid.axes.map(\.key)
        + ["path", "status", "loss", "gradient_norm"] + quantities.map(\.name) + ["message"])
    for flow in flows {
      let end = flow.end
      let message: Cell = if case .failed(let text) = flow.ending { .text(text) } else { .empty }
      let cells = end?.summary.quantities.map { quantity in
        quantity.number.map { Cell.real($0) } ?? .text(quantity.text ?? "")
      }
      append(
        [.integer(flow.point.flow), .integer(flow.point.replicate)]
          + flow.point.values.map(Cell.init(axisValue:)) + [
            .text(flow.point.path), .text(flow.ending.name),
            Cell(known: end?.loss), Cell(known: end?.gradientNorm),
          ] + (cells ?? quantities.map { _ in .empty }) + [message])
    }
  }
}

extension Cell {
  /// A number that is one, and nothing elsewhere.
  init(known value: Double?) {
    self = value.flatMap { $0.isNaN ? nil : .real($0) } ?? .empty
  }

  /// A number where the text is one, and text elsewhere.
  init(axisValue text: String) {
    self =
      if let value = Int(text) {
        .integer(value)
      } else if let value = Double(text), value.isFinite {
        .real(value)
      } else {
        .text(text)
      }
  }
}
