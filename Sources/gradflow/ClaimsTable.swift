import FlowAnalysis
import Foundation

/// Findings as tables for people.
enum ClaimsTable {
  /// `12 statements hold, 1 rejected, 2 not applicable`.
  static func count(_ findings: [Finding]) -> String {
    let holding = findings.count { $0.verdict == .holds }
    let rejected = findings.count { $0.verdict == .rejected }
    let others = findings.count - holding - rejected
    return "\(holding) statement\(holding == 1 ? " holds" : "s hold")"
      + (rejected > 0 ? ", " + "\(rejected) REJECTED".toned(.bad) : "")
      + (others > 0 ? ", \(others) not applicable" : "")
  }

  /// One line per finding, under a header.
  static func lines(of findings: [Finding]) -> [String] {
    let width = min(80, (findings.map { $0.statement.count }.max() ?? 0))
    var lines = [
      "claim".padded(to: 13) + "statement".padded(to: width) + "derived".aligned(to: 14)
        + "± model".aligned(to: 9) + "measured".aligned(to: 13) + "±".aligned(to: 9)
        + "ratio".aligned(to: 9)
    ]
    var flow = ""
    for finding in findings {
      if finding.flow != flow {
        flow = finding.flow
        lines.append(flow.isEmpty ? "across flows" : "[\(flow)]")
      }
      let start = finding.claim.rawValue.padded(to: 13) + finding.statement.padded(to: width)
      switch finding.verdict {
      case .notApplicable(let reason):
        lines.append(start.trimmed + "  " + "not applicable: \(reason)".toned(.faint))
      case .holds, .rejected:
        let sign =
          switch finding.relation {
          case .equal: ""
          case .atMost: "≤ "
          case .atLeast: "≥ "
          }
        lines.append(
          start + (sign + finding.derived.formatted(digits: 6)).aligned(to: 14)
            + finding.modelError.formatted(digits: 2).aligned(to: 9)
            + finding.measured.formatted(digits: 6).aligned(to: 13)
            + finding.uncertainty.formatted(digits: 2).aligned(to: 9)
            + (ratio(finding).map { String(format: "%.4f", $0) } ?? "").aligned(to: 9)
            + "  " + (finding.verdict == .holds ? "holds".toned(.good) : "REJECTED".toned(.bad))
            + (finding.detail.isEmpty ? "" : "  " + "(\(finding.detail))".toned(.faint)))
      }
    }
    return lines
  }

  /// One line per experiment and claim: how many statements, the range of measured/derived, verdict.
  static func overview(_ experiments: [(name: String, findings: [Finding])]) -> [String] {
    let width = max("experiment".count, experiments.map(\.name.count).max() ?? 0) + 2
    var lines = [
      "experiment".padded(to: width) + "claim".padded(to: 13) + "statements".aligned(to: 11)
        + "measured/derived".aligned(to: 18) + "  verdict"
    ]
    for (name, findings) in experiments {
      for claim in Claim.allCases {
        let own = findings.filter { $0.claim == claim }
        if own.isEmpty { continue }
        let ratios = own.compactMap(ratio)
        let range =
          ratios.isEmpty
          ? "" : String(format: "%.4f…%.4f", ratios.min() ?? 0, ratios.max() ?? 0)
        lines.append(
          name.padded(to: width) + claim.rawValue.padded(to: 13) + "\(own.count)".aligned(to: 11)
            + range.aligned(to: 18) + "  " + verdict(own))
      }
    }
    return lines
  }

  private static func verdict(_ findings: [Finding]) -> String {
    let rejected = findings.count { $0.verdict == .rejected }
    if rejected > 0 { return "\(rejected) REJECTED".toned(.bad) }
    return findings.contains { $0.verdict == .holds }
      ? "holds".toned(.good) : "not applicable".toned(.faint)
  }

  private static func ratio(_ finding: Finding) -> Double? {
    // The ratio of what is zero to rounding says nothing.
    guard finding.relation == .equal, abs(finding.derived) > 10 * finding.uncertainty else {
      return nil
    }
    let ratio = finding.measured / finding.derived
    return ratio.isFinite ? ratio : nil
  }
}

extension String {
  fileprivate var trimmed: String { trimmingCharacters(in: .whitespaces) }
}
