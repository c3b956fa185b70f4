import Experiments
import Foundation
import GradientFlow

/// What a plane shows, for people.
struct PhasePlaneSummary {
  let plan: PhasePlanePlan
  let report: PhasePlaneReport

  var text: String {
    var lines: [String] = []
    if let question = plan.plan.experiment.question { lines += [question, ""] }
    return (lines + [plane] + remarks + [""] + fixedPoints).joined(separator: "\n")
  }

  private var plane: String {
    let settings = plan.settings
    func axis(_ axis: PlaneSettings.Axis) -> String {
      "\(axis.name) in \(number(axis.from))…\(number(axis.to))"
    }
    return "\(axis(settings.x)), \(axis(settings.y)), \(settings.grid) × \(settings.grid) nodes; "
      + "stage \(settings.stage), other parameters \(settings.others.rawValue)"
  }

  private func counted(_ count: Int, _ noun: String) -> String {
    "\(count) \(noun)\(count == 1 ? "" : "s")"
  }

  private var remarks: [String] {
    let vertices = report.nullclines.reduce(0) { $0 + $1.vertices.count }
    var lines = [
      "\(counted(report.nullclines.count, "nullcline")) of \(counted(vertices, "point")), "
        + counted(report.paths.count, "path")
    ]
    let nodes = report.grid.points.count
    if report.missingNodes > 0 {
      lines.append(
        "\(report.missingNodes) of \(nodes) nodes have no flow: nothing has these coordinates, the loss is not "
          + "finite"
          + (plan.settings.others == .slaved ? ", or the slaved parameters find no rest" : ""))
    }
    if report.missingStarts > 0 {
      lines.append("\(report.missingStarts) paths have no start, for the same reason")
    }
    for (index, path) in report.paths.enumerated() {
      if let failure = path.failure { lines.append("path \(index + 1): \(failure)") }
    }
    return lines
  }

  private var fixedPoints: [String] {
    if report.fixedPoints.isEmpty { return ["no fixed point in these ranges"] }
    let settings = plan.settings
    return [
      settings.x.name.aligned(to: 20) + settings.y.name.aligned(to: 20) + "  "
        + "kind".padded(to: 12) + "‖∇L‖".aligned(to: 11) + "  eigenvalues of the Hessian"
    ]
      + report.fixedPoints.map { point in
        coordinate(point.x) + coordinate(point.y) + "  " + point.kind.rawValue.padded(to: 12)
          + number(point.gradientNorm).aligned(to: 11) + "  "
          + point.eigenvalues.map(number).joined(separator: "  ")
      }
  }

  private func coordinate(_ value: Double) -> String {
    String(format: "%.12g", value).aligned(to: 20)
  }

  private func number(_ value: Double) -> String { value.formatted(digits: 4) }
}
