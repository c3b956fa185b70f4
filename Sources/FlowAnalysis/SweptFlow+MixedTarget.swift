import GradientFlow
import MixedTargets

#if canImport(Glibc)
  import Glibc
#endif

// Laws across flows of the mixed target.

extension MixedEvidence {
  /// What laws across flows need of this one: where a law does not speak of the flow, nothing.
  func summary(_ findings: [Finding]) -> SweptFlow.MixedSummary {
    func first(_ claim: Claim) -> Finding? {
      findings.first { $0.claim == claim && $0.reason == nil }
    }
    let target = objective.target
    var summary = SweptFlow.MixedSummary(terms: target.terms, product: target.product)
    summary.isReduced = if case .reduced = objective.induction { true } else { false }
    if let finding = first(.emergence) {
      summary.emergence = finding.measured
      summary.law = finding.derived
      summary.uncertainty = event("emergence")?.halfWidth ?? 0
    }
    if let reduced = reduced?.events.first(where: { $0.name == "emergence" && $0.isReached }),
      let stages = self.reduced?.stages
    {
      summary.reducedEmergence = reduced.time - stages[reduced.stage].startTime
    }
    if let finding = first(.targetPower) {
      summary.power = finding.measured
      summary.powerLaw = finding.derived
      summary.powerError = finding.uncertainty
    }
    return summary
  }
}

extension Claim {
  /// M4 across lengths: to leading order T is linear in N; at finite N it departs from that like 1/N for
  /// m² < 1/6, and like N^{−(√(1+4/m²)−3)/2} beyond.
  func emergenceAgainstLength(_ flows: [SweptFlow.MixedSummary], _ label: String) -> [Finding] {
    guard flows.allSatisfy(\.isReduced) else {
      return finiteLength(flows.filter { $0.reducedEmergence != nil }, label)
    }
    return lawSlope(flows.map { ($0.terms, 1, $0) }, "slope of T against N\(label)")
  }

  /// A slope of T/scale over x against the same of the law's T.
  private func lawSlope(
    _ flows: [(x: Double, scale: Double, flow: SweptFlow.MixedSummary)], _ statement: String
  ) -> [Finding] {
    let known = flows.compactMap { x, scale, flow -> (x: Double, time: Double, law: Double)? in
      guard let time = flow.emergence, let law = flow.law else { return nil }
      return (x, time / scale, law / scale)
    }
    guard Set(known.map(\.x)).count >= 3 else {
      return [Finding(self, statement, notApplicable: "fewer than three flows can be used")]
    }
    let measured = LineFit(known.map(\.x), known.map(\.time), isSerial: false)
    let derived = LineFit(known.map(\.x), known.map(\.law), isSerial: false).slope
    guard measured.slopeHalfWidth < 0.25 * abs(derived) else {
      return [
        Finding(
          self, statement,
          notApplicable: "the slope is known to ± \(Float(measured.slopeHalfWidth)) only")
      ]
    }
    return [
      Finding(
        self, statement, derived: derived, measured: measured.slope,
        uncertainty: measured.slopeHalfWidth, modelError: 0.01 * abs(derived))
    ]
  }

  private func finiteLength(_ flows: [SweptFlow.MixedSummary], _ label: String) -> [Finding] {
    let statement = "slope of log |T/T₀ − 1| against log N\(label)"
    let points = flows.compactMap { flow -> (x: Double, y: Double, error: Double)? in
      guard let time = flow.emergence, let reduced = flow.reducedEmergence else { return nil }
      let departure = abs(time / reduced - 1)
      return (log(flow.terms), log(departure), flow.uncertainty / reduced / departure)
    }
    guard Set(points.map(\.x)).count >= 3, let m = flows.first?.product else {
      return [Finding(self, statement, notApplicable: "fewer than three lengths can be used")]
    }
    if let coarse = points.map(\.error).max(), coarse > 0.3 {
      return [
        Finding(
          self, statement,
          notApplicable:
            "sampling leaves a departure open by \(Int((100 * min(coarse, 99)).rounded())) %: "
            + "more sequences, or shorter ones")
      ]
    }
    let fit = LineFit(points.map(\.x), points.map(\.y), isSerial: false)
    // What the errors of the points do to a slope over their range.
    let range = (points.map(\.x).max() ?? 1) - (points.map(\.x).min() ?? 0)
    let errors = points.map(\.error).reduce(0) { $0 + $1 * $1 }.squareRoot() / range
    let exponent = -min(1, ((1 + 4 / (m * m)).squareRoot() - 3) / 2)
    return [
      Finding(
        self, statement, derived: exponent, measured: fit.slope,
        uncertainty: fit.slopeHalfWidth + errors, modelError: 0.1)
    ]
  }

  /// M4 across σ: T/N is linear in log(1/σ), with the slope (1 + α*)²/w*² to leading order.
  func emergenceAgainstSize(_ flows: [SweptFlow], _ label: String) -> [Finding] {
    let small = flows.compactMap {
      flow -> (x: Double, scale: Double, flow: SweptFlow.MixedSummary)? in
      guard let mixed = flow.mixed, let size = flow.axes["initial.sigma"].flatMap(Double.init),
        size <= 1e-3
      else { return nil }
      return (-log(size), mixed.terms, mixed)
    }
    return lawSlope(small, "slope of T/N against log(1/σ)\(label)")
  }

  /// M8 across lengths: the slope of log R between the shortest and the longest, against quadrature.
  func powerAgainstLength(_ flows: [SweptFlow.MixedSummary], _ label: String) -> [Finding] {
    let known = flows.filter { $0.power != nil }.sorted { $0.terms < $1.terms }
    guard let first = known.first, let last = known.last, last.terms > first.terms else {
      return []
    }
    let decades = log(last.terms / first.terms)
    func slope(_ value: (SweptFlow.MixedSummary) -> Double) -> Double {
      log(value(last) / value(first)) / decades
    }
    let uncertainty = [first, last].map { $0.powerError / ($0.power ?? 1) }.reduce(0, +) / decades
    let finite = Finding(
      self, "slope of log R against log N\(label)", derived: slope { $0.powerLaw ?? .nan },
      measured: slope { $0.power ?? .nan }, uncertainty: uncertainty,
      modelError: 2 * first.product / first.terms / decades)
    // Near m² = ½ the logarithms of the limit are slow, far beyond it the next power is.
    let statement = "slope of log R from N=2²⁵ to 2²⁶\(label)"
    guard (0.9...2.25).contains(first.product) else {
      return [
        finite,
        Finding(self, statement, notApplicable: "m is not between .9 and 2.25: the limit is slow"),
      ]
    }
    let exponent = TargetPower.exponent(product: first.product)
    let far = 0x1p25
    return [
      finite,
      Finding(
        self, statement, derived: exponent - 1 / (2 * log(far)),
        measured: TargetPower(product: first.product).slope(far),
        uncertainty: 1e-6, modelError: 0.025, detail: "limit \(Evidence.text(exponent))"),
    ]
  }
}
