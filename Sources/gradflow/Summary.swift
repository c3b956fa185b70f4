import CVODE
import Experiments
import FlowAnalysis
import Foundation
import GradientFlow
import RunRecords

/// The texts that a run ends with.
enum Summary {
  /// The summary of a run: data, stages, located events, laws, where it is.
  static func text(
    of outcome: ExperimentRun.Outcome, plan: ExperimentPlan, path: String
  ) -> String {
    var lines: [String] = []
    if let question = plan.experiment.question { lines += [question, ""] }
    lines.append(dataLine(plan, outcome))
    lines.append("")
    lines += stages(outcome.trajectory)
    lines.append("")
    lines += events(outcome.trajectory, outcome.samplingErrors)
    lines.append("")
    lines += laws(outcome)
    lines.append("")
    if let training = outcome.training { lines += Self.training(training) + [""] }
    if !outcome.findings.isEmpty { lines += ClaimsTable.lines(of: outcome.findings) + [""] }
    lines.append("End: \(plan.summary(at: outcome.trajectory.parameters).sentence)")
    lines.append(
      String(format: "%.1f s", outcome.seconds) + ", recorded in \(path)")
    return lines.joined(separator: "\n")
  }

  /// The sizes of a problem, for `--check`.
  static func sizes(of plan: ExperimentPlan) -> String {
    let rows =
      plan.size.rows.map { ($0.name, $0.text) } + [
        ("linear solver", plan.linearSolver.rawValue),
        ("memory", "about \(plan.size.bytesText)"),
        ("stages", plan.stages.map(\.name).joined(separator: ", ")),
      ]
      + (plan.trainingSteps > 0
        ? [("training", "about \(plan.trainingSteps.formatted(digits: 3)) steps in all")] : [])
    return (["The experiment is valid."] + rows.map { "  " + $0.0.padded(to: 18) + $0.1 })
      .joined(separator: "\n")
  }

  /// What `gradflow inspect` says.
  static func text(of inspection: RunInspection) -> String {
    let manifest = inspection.manifest
    var lines = ["\(inspection.path): \(manifest.status.state.rawValue)"]
    func add(_ name: String, _ value: String) {
      lines.append("  " + name.printable.padded(to: 12) + value.printable)
    }
    if let message = manifest.status.message { add("message", message) }
    add("program", "gradflow \(manifest.programVersion)" + commit(manifest.source))
    add("compiler", manifest.compiler)
    for (name, version) in manifest.libraries.sorted(by: { $0.key < $1.key }) {
      add(name, version)
    }
    add("machine", "\(manifest.machine.cpuModel), \(manifest.machine.operatingSystem)")
    add("threads", "\(manifest.threads)")
    add("started", "\(manifest.start)")
    if let end = manifest.end {
      let seconds = end.seconds(since: manifest.start)
      add(
        "ended",
        "\(end) ("
          + (seconds < 0 ? "the clock was set back meanwhile" : String(format: "%.1f s", seconds))
          + ")")
    }
    add("experiment", "SHA-256 \(manifest.experimentSHA256)")
    add(
      "seeds",
      manifest.seeds.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }
        .joined(separator: ", "))
    if let run = manifest.evaluated { add("evaluated", run) }
    if inspection.manifest.flows == nil {
      if manifest.tables == nil { lines.append("stages") }
      for stage in manifest.stages {
        lines.append(
          "  " + stage.name.printable.padded(to: 18)
            + "t \(stage.startTime) … \(stage.endTime), \((stage.ending ?? "running").printable)")
      }
      if !manifest.laws.isEmpty { lines.append(manifest.tables == nil ? "laws" : "bounds") }
      for law in manifest.laws {
        lines.append(
          "  " + lawLine(law.name.printable.padded(to: 24), law.value, law.limit, law.isPassed))
      }
    }
    lines += inner(inspection)
    lines.append("files")
    for entry in inspection.entries {
      var text = entry.byteCount.map { "\($0) bytes" } ?? "folder"
      if let rows = entry.rowCount, let columns = entry.columnCount {
        text += ", \(rows) rows × \(columns) columns"
      }
      lines.append("  " + entry.name.printable.padded(to: 18) + text)
    }
    lines.append(
      inspection.isComplete
        ? "The run is complete."
        : "The run is not complete:\n  "
          + inspection.problems.joined(separator: "\n  ").printable)
    return lines.joined(separator: "\n")
  }

  private static func commit(_ source: SourceState?) -> String {
    guard let source else { return ", commit unknown" }
    return ", commit \(source.commit.prefix(12))" + (source.isDirty ? " with changes" : "")
  }

  private static func dataLine(
    _ plan: ExperimentPlan, _ outcome: ExperimentRun.Outcome
  ) -> String {
    "\(outcome.data); \(plan.start.count) parameters"
  }

  private static func stages(_ trajectory: Trajectory) -> [String] {
    var lines = [
      "stage".padded(to: 16) + "t".aligned(to: 10) + "steps".aligned(to: 8)
        + "gradients".aligned(to: 11) + "Hessians".aligned(to: 10) + "loss".aligned(to: 12)
        + "  ended by"
    ]
    for stage in trajectory.stages {
      let work = stage.statistics
      lines.append(
        stage.stage.name.padded(to: 16) + stage.endTime.formatted(digits: 6).aligned(to: 10)
          + "\(work.steps)".aligned(to: 8) + "\(work.derivativeEvaluations)".aligned(to: 11)
          + "\(work.jacobianEvaluations)".aligned(to: 10)
          + stage.lossAtEnd.asLoss.aligned(to: 12)
          + "  \(stage.ending.description)")
    }
    return lines
  }

  private static func events(
    _ trajectory: Trajectory, _ samplingErrors: [String: Double]
  ) -> [String] {
    // What sampling leaves open has a column where there is such a thing.
    func sampling(_ text: String) -> String {
      samplingErrors.isEmpty ? "" : text.aligned(to: 12)
    }
    var lines = [
      "event".padded(to: 28) + "t".aligned(to: 16) + "±".aligned(to: 10)
        + sampling("sampling ±") + "  stage"
    ]
    for event in trajectory.events where event.isReached {
      lines.append(
        event.name.padded(to: 28) + event.time.formatted(digits: 10).aligned(to: 16)
          + (event.error?.formatted(digits: 2) ?? "").aligned(to: 10)
          + sampling(samplingErrors[event.name]?.formatted(digits: 2) ?? "")
          + "  \(trajectory.stages[event.stage].stage.name)")
    }
    let reached = Set(trajectory.events.filter(\.isReached).map(\.name))
    var missing = trajectory.events.filter { !$0.isReached && !reached.contains($0.name) }
    // What several stages watched for in vain is said once.
    var named: Set<String> = []
    missing.removeAll { !named.insert($0.name).inserted }
    if !missing.isEmpty {
      lines.append("not reached: " + grouped(missing.map(\.name)))
    }
    if let reason = trajectory.eventErrorsMissing { lines.append("no error bars: \(reason)") }
    return lines
  }

  /// Names that differ only behind the first dot, together: `selection.{1,2}`.
  private static func grouped(_ names: [String]) -> String {
    var kinds: [String] = []
    var members: [String: [String]] = [:]
    for name in names {
      let parts = name.split(separator: ".", maxSplits: 1).map(String.init)
      if !kinds.contains(parts[0]) { kinds.append(parts[0]) }
      if parts.count > 1 { members[parts[0], default: []].append(parts[1]) }
    }
    return kinds.map { kind in
      guard let list = members[kind] else { return kind }
      if list.count == 1 { return "\(kind).\(list[0])" }
      let shown = list.prefix(8).joined(separator: ", ")
      return list.count > 8 ? "\(kind).{\(shown), … \(list.count) in all}" : "\(kind).{\(shown)}"
    }.joined(separator: ", ")
  }

  private static func laws(_ outcome: ExperimentRun.Outcome) -> [String] {
    let width = max(24, (outcome.laws.map(\.name.count).max() ?? 0) + 1)
    return ["law".padded(to: width) + "value".aligned(to: 12) + "limit".aligned(to: 12)]
      + outcome.laws.map { lawLine($0.name.padded(to: width), $0.value, $0.limit, $0.holds) }
  }

  private static func lawLine(
    _ name: String, _ value: Double, _ limit: Double, _ holds: Bool
  ) -> String {
    name + value.formatted(digits: 3).aligned(to: 12)
      + (limit.isFinite ? limit.formatted(digits: 3) : "").aligned(to: 12)
      + (limit.isFinite ? "  " + (holds ? "holds".toned(.good) : "BROKEN".toned(.bad)) : "")
  }
}
