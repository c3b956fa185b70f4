import GradientFlow
import MixedTargets
import Objectives

#if canImport(Glibc)
  import Glibc
#endif

// The 4-gram part, the first layer, and the power of the target: M1, M2, M7 and M8.

extension MixedEvidence {
  // MARK: - The 4-gram part

  /// The stage that learns the 4-gram part, and σ.
  private func fourGram() throws(Evidence.NotApplicable) -> (stage: Int, size: Double) {
    let index = try copyingStage(training: ["p", "v1"])
    let start = trajectory.stages[index].start
    let size = max(abs(start[1]), abs(start[2]))
    guard start[1] > 0, size <= 0.05 else {
      throw Evidence.NotApplicable(reason: "p and v₁ do not start at a small σ")
    }
    return (index, size)
  }

  /// M1: 4t L_G4 → 1.
  func fourGramTail(_ statement: String) throws(Evidence.NotApplicable) -> [Finding] {
    let (index, start) = try fourGram()
    guard let last = series("loss.g4", in: index).last, last.t >= 1e4 else {
      throw Evidence.NotApplicable(reason: "the stage ends before t = 1e4")
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
  func partialLearning(_ statement: String) throws(Evidence.NotApplicable) -> [Finding] {
    let start = try fourGram().size
    let length = target.terms + 2
    guard length >= 100 else {
      throw Evidence.NotApplicable(reason: "L is below 100")
    }
    guard let event = event("partial-learning") else {
      throw Evidence.NotApplicable(reason: "1 % was not reached")
    }
    // d components with the same loss are learnt d times as fast.
    let (a, d) = (target.fourGramShare, Double(target.dimension))
    let most = 1.3 / (a * d) * log(min(length, 1 / start))
    guard (99 / (2 * a * a * d)).isFinite else {
      throw Evidence.NotApplicable(reason: "α* is too small")
    }
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
  func firstLayer(_ statement: String) throws(Evidence.NotApplicable) -> [Finding] {
    guard let index = trajectory.stages.firstIndex(where: { $0.stage.trainedGroups == ["p1"] }),
      case let start = trajectory.stages[index].start, start[0].isFinite, start[0] > 0,
      start.prefix(3).allSatisfy({ $0 == start[0] })
    else {
      throw Evidence.NotApplicable(reason: "no stage trains p₁ alone from where all start at σ")
    }
    let size = start[0]
    guard (target.terms + 2) * size >= 10 else {
      throw Evidence.NotApplicable(reason: "Lσ is below 10: there is no threshold")
    }
    let a = target.fourGramShare
    let margin = a - 1 / 16 - 3 * size / 32
    guard abs(margin) > 5 * size * size else {
      throw Evidence.NotApplicable(reason: "a is at the threshold")
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
  func targetPower(_ statement: String) throws(Evidence.NotApplicable) -> [Finding] {
    guard case .tabulated(let table) = objective.induction else {
      throw Evidence.NotApplicable(reason: "R(N) is known of a table only")
    }
    guard target.product <= TargetPower.largestProduct else {
      throw Evidence.NotApplicable(
        reason: "the quadrature is made for w* up to "
          + Evidence.text(TargetPower.largestProduct.squareRoot()))
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
