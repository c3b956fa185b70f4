import GradientFlow
import MixedTargets
import Objectives

#if canImport(Glibc)
  import Glibc
#endif

// The 4-gram part, the first layer, and the power of the target: M1, M2, M7 and M8.

extension MixedEvidence {
  // MARK: - The 4-gram part

  /// The stage that learns the 4-gram part from σ ≪ 1, or why there is none.
  private func fourGram() -> Result<(stage: Int, size: Double), Evidence.NotApplicable> {
    func none(_ reason: String) -> Result<(stage: Int, size: Double), Evidence.NotApplicable> {
      .failure(Evidence.NotApplicable(reason: reason))
    }
    guard let index = stage(training: ["p", "v1"]), trajectory.stages[index].start[0] == .infinity
    else { return none(Self.needsCopying) }
    if target.form == .sum { return none("it is about the vector target") }
    let start = trajectory.stages[index].start
    let size = max(abs(start[1]), abs(start[2]))
    guard start[1] > 0, size <= 0.05 else { return none("p and v₁ do not start at a small σ") }
    return .success((index, size))
  }

  /// M1: 4t L_G4 → 1.
  func fourGramTail() -> [Finding] {
    let statement = "4t·L_G4 at the end"
    let (index, start): (Int, Double)
    switch fourGram() {
    case .failure(let none):
      return [Finding(.fourGramTail, statement, notApplicable: none.reason)]
    case .success(let found): (index, start) = found
    }
    guard let last = series("loss.g4", in: index).last, last.t >= 1e4 else {
      return [Finding(.fourGramTail, statement, notApplicable: "the stage ends before t = 1e4")]
    }
    let a = target.fourGramShare
    // Learning v₁ and the way to q² = 1/(2a²t) delay the tail (derived).
    let delay = (1 / a - log(start)) / (a * Double(target.dimension))
    // Tokens of a sample are not quite uncorrelated: a relative O(ρq) with q² = 1/(2a²t).
    var departure = 0.0
    if case .sampled(let sample) = objective.induction {
      departure = 12 / Double(sample.count).squareRoot() / (2 * a * a * last.t).squareRoot()
    }
    return [
      Finding(
        .fourGramTail, "\(statement), t=\(Evidence.text(last.t))", derived: 1,
        measured: 4 * last.t * last.value, uncertainty: 1e3 * tolerance,
        modelError: delay / last.t + departure)
    ]
  }

  /// M2: when L_G4 is 1 % of its start.
  func partialLearning() -> [Finding] {
    let statement = "T(L_G4 = 1 %) beyond (1/ε − 1)/2da²"
    let start: Double
    switch fourGram() {
    case .failure(let none):
      return [Finding(.partialLearning, statement, notApplicable: none.reason)]
    case .success(let found): start = found.size
    }
    let length = target.terms + 2
    guard length >= 100 else {
      return [Finding(.partialLearning, statement, notApplicable: "L is below 100")]
    }
    guard let event = event("partial-learning") else {
      return [Finding(.partialLearning, statement, notApplicable: "1 % was not reached")]
    }
    // d components with the same loss are learnt d times as fast.
    let (a, d) = (target.fourGramShare, Double(target.dimension))
    let most = 1.3 / (a * d) * log(min(length, 1 / start))
    func finding(_ derived: Double, _ relation: Finding.Relation, _ detail: String) -> Finding {
      Finding(
        .partialLearning, statement, derived: derived, measured: event.time - 99 / (2 * a * a * d),
        uncertainty: event.halfWidth, modelError: 0, relation: relation, detail: detail)
    }
    return [
      finding(0, .atLeast, "T = \(Evidence.text(event.time))"),
      finding(most, .atMost, "1.3/(da) log min(L, 1/σ)"),
    ]
  }

  // MARK: - The first layer

  /// M7: p₁ rises from σ iff a > 1/16 + 3σ/32, and then like log t.
  func firstLayer() -> [Finding] {
    let statement = "sign of p₁′ at the start"
    guard let index = trajectory.stages.firstIndex(where: { $0.stage.trainedGroups == ["p1"] }),
      case let start = trajectory.stages[index].start, start[0].isFinite, start[0] > 0,
      start.prefix(3).allSatisfy({ $0 == start[0] })
    else {
      return [
        Finding(
          .firstLayer, statement,
          notApplicable: "no stage trains p₁ alone from where all start at σ")
      ]
    }
    let size = start[0]
    guard (target.terms + 2) * size >= 10 else {
      return [
        Finding(.firstLayer, statement, notApplicable: "Lσ is below 10: there is no threshold")
      ]
    }
    let a = target.fourGramShare
    let margin = a - 1 / 16 - 3 * size / 32
    guard abs(margin) > 5 * size * size else {
      return [Finding(.firstLayer, statement, notApplicable: "a is at the threshold")]
    }
    let rates = series("p1", in: index)
    let slope = -gradient(at: trajectory.stages[index].start)[0]
    var findings = [
      Finding(
        .firstLayer, statement, derived: margin > 0 ? 1 : -1, measured: slope > 0 ? 1 : -1,
        uncertainty: 0, modelError: 0,
        detail: "a = \(Evidence.text(a)), threshold \(Evidence.text(1 / 16 + 3 * size / 32))")
    ]
    // The logarithm begins at t ~ 1/aσ²; its last decade is looked at.
    let end = rates.last?.t ?? 0
    let late = rates.filter { $0.t >= end / 10 }
    let rise = "dp₁/d log t at last"
    guard margin > 0, late.count >= 4, end > 1e3 / (a * size * size) else {
      return findings + [
        Finding(
          .firstLayer, rise,
          notApplicable: margin > 0
            ? "the stage ends before 1000/aσ² = \(Evidence.text(1e3 / (a * size * size)))"
            : "p₁ does not rise")
      ]
    }
    let fit = LineFit(late.map { log($0.t) }, late.map(\.value))
    findings.append(
      Finding(
        .firstLayer, rise, derived: 1, measured: fit.slope, uncertainty: fit.slopeHalfWidth,
        modelError: 0.01))
    return findings
  }

  private func gradient(at parameters: [Double]) -> [Double] {
    objective.makeEvaluator(threads: 1).lossAndGradient(at: parameters).gradient
  }

  // MARK: - Beyond the threshold

  /// M8: the power of the target, against quadrature.
  func targetPower() -> [Finding] {
    let statement = "R(N) against quadrature"
    guard case .tabulated(let table) = objective.induction else {
      return [Finding(.targetPower, statement, notApplicable: "R(N) is known of a table only")]
    }
    guard target.product <= TargetPower.largestProduct else {
      return [
        Finding(
          .targetPower, statement,
          notApplicable: "the quadrature is made for w* up to "
            + Evidence.text(TargetPower.largestProduct.squareRoot()))
      ]
    }
    let derived = TargetPower(product: target.product)(target.terms)
    return [
      Finding(
        .targetPower, "R at N=\(Evidence.text(target.terms))", derived: derived,
        measured: table.targetPower,
        uncertainty: table.targetPowerError
          * studentQuantile(degreesOfFreedom: Double(max(1, objective.partCount - 1))),
        // The tokens' part in their successors' weights.
        modelError: 2 * target.product * derived / target.terms)
    ]
  }
}
