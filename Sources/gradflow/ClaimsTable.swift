import FlowAnalysis
import Foundation

/// Findings as a table for people.
enum ClaimsTable {
  /// `12 claims hold, 1 rejected, 2 not applicable`.
  static func count(_ findings: [Finding]) -> String {
    let holding = findings.count { $0.verdict == .holds }
    let rejected = findings.count { $0.verdict == .rejected }
    let others = findings.count - holding - rejected
    return "\(holding) statement\(holding == 1 ? " holds" : "s hold")"
      + (rejected > 0 ? ", \(rejected) REJECTED" : "")
      + (others > 0 ? ", \(others) not applicable" : "")
  }

  /// One line per finding, under a header.
  static func lines(of findings: [Finding]) -> [String] {
    let width = min(110, (findings.map { $0.statement.count }.max() ?? 0))
    var lines = [
      "claim".padded(to: 13) + "statement".padded(to: width) + "derived".aligned(to: 13)
        + "measured".aligned(to: 13) + "±".aligned(to: 9) + "ratio".aligned(to: 9)
    ]
    for finding in findings {
      let start = finding.claim.rawValue.padded(to: 13) + finding.statement.padded(to: width)
      switch finding.verdict {
      case .notApplicable(let reason):
        lines.append(start.trimmed + "  not applicable: \(reason)")
      case .holds, .rejected:
        let ratio = finding.measured / finding.derived
        lines.append(
          start + finding.derived.formatted(digits: 6).aligned(to: 13)
            + finding.measured.formatted(digits: 6).aligned(to: 13)
            + finding.uncertainty.formatted(digits: 2).aligned(to: 9)
            + (finding.relation == .equal && finding.derived != 0 && ratio.isFinite
            ? String(format: "%.4f", ratio) : "").aligned(to: 9)
            + (finding.verdict == .holds ? "  holds" : "  REJECTED")
            + (finding.detail.isEmpty ? "" : "  (\(finding.detail))"))
      }
    }
    return lines
  }
}

extension String {
  fileprivate var trimmed: String { trimmingCharacters(in: .whitespaces) }
}
