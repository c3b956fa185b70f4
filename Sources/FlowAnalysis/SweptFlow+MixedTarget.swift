import GradientFlow
import MixedTargets

#if canImport(Glibc)
  import Glibc
#endif

// Laws across flows of the mixed target.

extension MixedEvidence {
  /// What laws across flows need of this one.
  var summary: SweptFlow.MixedSummary {
    let target = objective.target
    let event = event("emergence")
    var summary = SweptFlow.MixedSummary(
      terms: target.terms, size: abs(objective.origin[3]), product: target.product,
      inverseShare: 1 / (target.inductionShare * target.inductionShare),
      emergence: event?.time, law: QuasiStaticFlow(objective)?.emergence,
      uncertainty: event?.halfWidth ?? 0)
    if let reduced = reduced?.event("emergence"), reduced.isReached,
      let stages = self.reduced?.stages
    {
      summary.reducedEmergence = reduced.time - stages[reduced.stage].startTime
    }
    if case .tabulated(let table) = objective.induction {
      summary.power = table.targetPower
      summary.powerError = 2 * table.targetPowerError
    }
    return summary
  }
}

extension Claim {
  /// M4 across lengths: to leading order T is linear in N; at finite N it departs from that like 1/N for
  /// m² < 1/6, and like N^{−(√(1+4/m²)−3)/2} beyond.
  func emergenceAgainstLength(_ flows: [SweptFlow.MixedSummary], _ label: String) -> [Finding] {
    let finite = flows.filter { $0.reducedEmergence != nil }
    guard finite.isEmpty else { return finiteLength(finite, label) }
    let known = flows.filter { $0.emergence != nil && $0.law != nil }
    guard let first = known.first, Set(known.map(\.terms)).count >= 3 else { return [] }
    let fit = LineFit(known.map(\.terms), known.map { $0.emergence ?? 0 }, isSerial: false)
    let derived = (first.law ?? 0) / first.terms
    return [
      Finding(
        self, "slope of T against N\(label)", derived: derived, measured: fit.slope,
        uncertainty: fit.slopeHalfWidth, modelError: 0.01 * derived)
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

  /// M4 across σ: T/N is linear in log(1/σ) with the slope (1 + α*)²/w*².
  func emergenceAgainstSize(_ flows: [SweptFlow.MixedSummary], _ label: String) -> [Finding] {
    let known = flows.filter { $0.emergence != nil && $0.size <= 1e-3 }
    guard let first = known.first, Set(known.map(\.size)).count >= 3 else { return [] }
    let fit = LineFit(
      known.map { -log($0.size) }, known.map { ($0.emergence ?? 0) / $0.terms }, isSerial: false)
    let derived = first.inverseShare / first.product
    return [
      Finding(
        self, "slope of T/N against log(1/σ)\(label)", derived: derived, measured: fit.slope,
        uncertainty: fit.slopeHalfWidth, modelError: 0.01 * derived)
    ]
  }

  /// M8 across lengths: the slope of log R between the shortest and the longest, against quadrature.
  func powerAgainstLength(_ flows: [SweptFlow.MixedSummary], _ label: String) -> [Finding] {
    let known = flows.filter { $0.power != nil }.sorted { $0.terms < $1.terms }
    guard let first = known.first, let last = known.last, last.terms > first.terms else {
      return []
    }
    let power = TargetPower(product: first.product)
    let decades = log(last.terms / first.terms)
    func slope(_ value: (SweptFlow.MixedSummary) -> Double) -> Double {
      log(value(last) / value(first)) / decades
    }
    let uncertainty = [first, last].map { $0.powerError / ($0.power ?? 1) }.reduce(0, +) / decades
    return [
      Finding(
        self, "slope of log R against log N\(label)", derived: slope { power($0.terms) },
        measured: slope { $0.power ?? .nan }, uncertainty: uncertainty,
        modelError: 2 * first.product / first.terms / decades)
    ]
  }
}
