import GradientFlow
import InductionHeads
import MixedTargets

#if canImport(Glibc)
  import Glibc
#endif

/// One flow of a sweep, reduced to what laws across flows need.
public struct SweptFlow: Sendable, Equatable {
  /// The values of the axes by key, as they were written.
  public var axes: [String: String]
  /// t₂, how long the stage that trains w alone lasted.
  public var copyingTime: Double?
  /// Mean total variation from GIH(S*) at the end.
  public var limitDistance: Double?
  /// a where it came to rest; nil if it did not.
  public var finalScale: Double?
  /// L; nil in infinite context.
  public var length: Int?
  /// Of the mixed target: what its laws across flows need.
  public var mixed: MixedSummary?

  /// A flow of the mixed target, reduced to what laws across flows need.
  public struct MixedSummary: Sendable, Equatable {
    /// N and m.
    public var terms, product: Double
    /// Whether its loss is to leading order in 1/N.
    public var isReduced = false
    /// The time of emergence.
    public var emergence: Double?
    /// What the law says it is.
    public var law: Double?
    /// Half the width of its interval.
    public var uncertainty = 0.0
    /// The time of emergence to leading order in 1/N; nil for a flow to leading order.
    public var reducedEmergence: Double?
    /// R, the power of the target.
    public var power: Double?
    /// What quadrature says it is.
    public var powerLaw: Double?
    /// Half the width of its interval.
    public var powerError = 0.0
  }

  /// What laws across flows need of one.
  ///
  /// - Parameters:
  ///   - evidence: the flow.
  ///   - axes: the values of the sweep's axes by key.
  ///   - length: L, if it is finite.
  ///   - claims: the claims to be judged.
  public init(_ evidence: Evidence, axes: [String: String], length: Int?, claims: [Claim]) {
    self.axes = axes
    self.length = length
    let stages = evidence.trajectory.stages
    copyingTime = evidence.stage(training: ["w"]).map { stages[$0].endTime - stages[$0].startTime }
    // The slopes across flows are observed, or derived, for the paper's form.
    let isPaperForm = evidence.model.isPaperForm
    let isAtRest =
      isPaperForm && claims.contains(.finiteOptimum)
      && evidence.findings(of: .finiteOptimum).allSatisfy { $0.reason == nil }
    finalScale =
      isAtRest ? evidence.stage(training: ["a"]).flatMap { stages[$0].end.last } : nil
    limitDistance =
      isPaperForm && claims.contains(.limitModel) ? evidence.limitDistance()?.mean : nil
  }

  /// What laws across flows need of one of the mixed target.
  ///
  /// - Parameters:
  ///   - evidence: the flow.
  ///   - axes: the values of the sweep's axes by key.
  ///   - findings: what the claims had to say of it.
  public init(_ evidence: MixedEvidence, axes: [String: String], findings: [Finding]) {
    self.axes = axes
    length = evidence.objective.target.length
    mixed = evidence.summary(findings)
  }
}

extension Claim {
  /// What a claim says of several flows together.
  ///
  /// - G7 across lengths: a_∞ grows like log L, slope 1.
  /// - G8 across lengths t₂ of the copying stage: the distance from GIH(S*) falls like 1/t₂.
  ///
  /// Flows that differ in another axis are judged apart; replicates count as independent points.
  ///
  /// - Parameter flows: all flows of a sweep.
  /// - Returns: none for other claims, and where the axis is not swept.
  public func findings(across flows: [SweptFlow]) -> [Finding] {
    switch self {
    case .finiteOptimum:
      return groups(of: flows, along: "data.length").flatMap { label, group in
        slope(
          group.map { ($0.length.map { log(Double($0)) }, $0.finalScale) },
          "slope of a_∞ against log L\(label)", derived: 1, modelError: 0.1)
      }
    case .limitModel:
      // The axis that says how long the stage of w lasts, whatever the stage is called.
      let axis = flows.first?.axes.keys.sorted().first { key in
        key.hasSuffix(".until")
          && flows.allSatisfy { Double($0.axes[key] ?? "") == $0.copyingTime }
      }
      return axis.map { axis in
        groups(of: flows, along: axis).flatMap { label, group in
          slope(
            group.map { ($0.copyingTime.map { log($0) }, $0.limitDistance.map { log($0) }) },
            "slope of log distance from GIH(S*) against log t₂\(label)", derived: -1,
            modelError: 0.1)
        }
      } ?? []
    case .emergence:
      return groups(of: flows, along: "data.length").flatMap { label, group in
        emergenceAgainstLength(group.compactMap(\.mixed), label)
      }
        + groups(of: flows, along: "initial.sigma").flatMap { label, group in
          emergenceAgainstSize(group, label)
        }
    case .targetPower:
      return groups(of: flows, along: "data.length").flatMap { label, group in
        powerAgainstLength(group.compactMap(\.mixed), label)
      }
    default: return []
    }
  }

  /// Flows that differ only in one axis, with what they share in words; none without that axis.
  private func groups(
    of flows: [SweptFlow], along axis: String
  ) -> [(label: String, flows: [SweptFlow])] {
    guard flows.contains(where: { $0.axes[axis] != nil }) else { return [] }
    let labels = flows.map { flow in
      flow.axes.filter { $0.key != axis }.sorted { $0.key < $1.key }
        .map { ", \($0.key)=\($0.value)" }.joined()
    }
    var order: [String] = []
    for label in labels where !order.contains(label) { order.append(label) }
    return order.map { label in
      (label, zip(flows, labels).filter { $0.1 == label }.map(\.0))
    }
  }

  func slope(
    _ points: [(Double?, Double?)], _ statement: String, derived: Double, modelError: Double
  ) -> [Finding] {
    let known = points.compactMap { x, y in
      if let x, let y, x.isFinite, y.isFinite { (x, y) } else { nil }
    }
    guard Set(known.map(\.0)).count >= 3 else {
      return [
        Finding(self, statement, notApplicable: "fewer than three values can be used")
      ]
    }
    let fit = LineFit(known.map(\.0), known.map(\.1), isSerial: false)
    guard fit.slopeHalfWidth < 0.25 * abs(derived) else {
      return [
        Finding(
          self, statement,
          notApplicable: "the slope is known to ± \(Float(fit.slopeHalfWidth)) only: more flows, "
            + "longer stages or more data")
      ]
    }
    return [
      Finding(
        self, statement, derived: derived, measured: fit.slope,
        uncertainty: fit.slopeHalfWidth, modelError: modelError)
    ]
  }
}
