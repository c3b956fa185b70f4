public import GradientFlow
public import MixedTargets
import Objectives

#if canImport(Glibc)
  import Glibc
#endif

/// A flow of the mixed target and all that the claims about it need.
public struct MixedEvidence: Sendable {
  /// The loss that was minimised.
  public let objective: MixedObjective
  /// The flow.
  public let trajectory: Trajectory
  /// What it was solved with.
  public let options: SolverOptions
  /// What sampling leaves open of an event's time, by the event's name: a standard error.
  public let samplingErrors: [String: Double]
  /// The same flow with the in-context part to leading order; nil if it is that already, or cannot be had.
  public let reduced: Trajectory?
  /// Of a sampled loss: its in-context part as a function of v and k, a table of the same tokens.
  public let table: MixedObjective?
  /// Of a sampled loss: the same of other tokens, for what belongs to N and not to the sample.
  public let otherTable: MixedObjective?

  /// Gathers the evidence of one flow.
  public init(
    _ objective: MixedObjective, _ trajectory: Trajectory, options: SolverOptions,
    samplingErrors: [String: Double] = [:], reduced: Trajectory? = nil,
    table: MixedObjective? = nil, otherTable: MixedObjective? = nil
  ) {
    self.table = table
    self.otherTable = otherTable
    self.objective = objective
    self.trajectory = trajectory
    self.options = options
    self.samplingErrors = samplingErrors
    self.reduced = reduced
  }

  /// What `claim` has to say of this flow.
  ///
  /// - Parameter claim: one about the mixed target.
  /// - Returns: at least one finding.
  public func findings(of claim: Claim) -> [Finding] {
    guard trajectory.stages.allSatisfy({ $0.ending != .failed && $0.ending != .stopped }) else {
      return [Finding(claim, "", notApplicable: "the flow did not come to its end")]
    }
    let found: [Finding] =
      switch claim {
      case .fourGramTail: fourGramTail()
      case .partialLearning: partialLearning()
      case .earlyDrop: earlyDrop()
      case .emergence: emergence()
      case .overshoot: overshoot()
      case .convergenceRate: convergenceRate()
      case .firstLayer: firstLayer()
      case .targetPower: targetPower()
      default: [Finding(claim, "", notApplicable: "it is about the induction-head transformer")]
      }
    return found.map { $0.orTooCoarse() }
  }

  // MARK: - What the flow shows

  private var target: MixedTarget { objective.target }

  /// The first stage that trains all of these groups.
  private func stage(training groups: [String]) -> Int? {
    trajectory.stages.firstIndex { Set($0.stage.trainedGroups).isSuperset(of: groups) }
  }

  /// The samples of a stage as (time on its clock, value of a column), its start included.
  func series(_ column: String, in stage: Int) -> [(t: Double, value: Double)] {
    guard let index = trajectory.columns.firstIndex(of: column) else { return [] }
    let start = trajectory.stages[stage].startTime
    return trajectory.samples.filter { $0.stage == stage }
      .map { ($0.time - start, $0.values[index]) }
  }

  /// An event on its stage's clock, with the interval of its time; nil if it was not reached.
  func event(_ name: String) -> (time: Double, numerical: Double, halfWidth: Double)? {
    guard let event = trajectory.event(name), event.isReached else { return nil }
    // Two standard errors of the sampling, about 95 %.
    let sampling = 2 * (samplingErrors[name] ?? 0)
    let numerical = event.error ?? 1e3 * options.relativeTolerance * event.time
    return (
      event.time - trajectory.stages[event.stage].startTime, numerical, numerical + sampling
    )
  }

  private var tolerance: Double { options.relativeTolerance + options.absoluteTolerance }

  // MARK: - The 4-gram part

  /// M1: 4t L_G4 → 1.
  private func fourGramTail() -> [Finding] {
    let statement = "4t·L_G4 at the end"
    guard let index = stage(training: ["p", "v1"]), trajectory.stages[index].start[0] == .infinity
    else {
      return [Finding(.fourGramTail, statement, notApplicable: Self.needsCopying)]
    }
    guard let last = series("loss.g4", in: index).last, last.t >= 1e4 else {
      return [Finding(.fourGramTail, statement, notApplicable: "the stage ends before t = 1e4")]
    }
    let a = target.fourGramShare
    // Learning v₁ and the way to q² = 1/(2a²t) delay the tail (derived).
    let start = min(1, max(1e-300, abs(objective.origin[2])))
    let delay = (1 / a - log(start)) / a
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
  private func partialLearning() -> [Finding] {
    let statement = "T(L_G4 = 1 %) beyond (1/ε − 1)/2a²"
    guard let index = stage(training: ["p", "v1"]), trajectory.stages[index].start[0] == .infinity
    else { return [Finding(.partialLearning, statement, notApplicable: Self.needsCopying)] }
    let length = target.terms + 2
    guard length >= 100 else {
      return [Finding(.partialLearning, statement, notApplicable: "L is below 100")]
    }
    guard let event = event("partial-learning") else {
      return [Finding(.partialLearning, statement, notApplicable: "1 % was not reached")]
    }
    let a = target.fourGramShare
    let start = min(1, max(1e-300, abs(objective.origin[1])))
    let most = 1.3 / a * log(min(length, 1 / start))
    func finding(_ derived: Double, _ relation: Finding.Relation, _ detail: String) -> Finding {
      Finding(
        .partialLearning, statement, derived: derived, measured: event.time - 99 / (2 * a * a),
        uncertainty: event.halfWidth, modelError: 0, relation: relation, detail: detail)
    }
    return [
      finding(0, .atLeast, "T = \(Evidence.text(event.time))"),
      finding(most, .atMost, "1.3/a log min(L, 1/σ)"),
    ]
  }

  // MARK: - The in-context part

  /// The stage that trains v and w, the laws of the quasi-static flow, or why there are none.
  private func induction() -> Result<(stage: Int, laws: QuasiStaticFlow), Evidence.NotApplicable> {
    func none(_ reason: String) -> Result<
      (stage: Int, laws: QuasiStaticFlow), Evidence.NotApplicable
    > {
      .failure(Evidence.NotApplicable(reason: reason))
    }
    guard let index = stage(training: ["v", "w"]) else { return none("no stage trains v and w") }
    guard trajectory.stages[index].start[0] == .infinity else { return none(Self.needsCopying) }
    if target.form == .sum { return none("it is about the vector target") }
    guard target.dimension == 1 else { return none("it is about tokens of one dimension") }
    guard target.length != nil else {
      return none("L is infinite: the in-context part has no loss")
    }
    guard let laws = QuasiStaticFlow(objective) ?? table.flatMap(QuasiStaticFlow.init) else {
      return none("P(k) and Q(k) are not known")
    }
    return .success((index, laws))
  }

  /// M3: L_IH falls to the plateau like e^{−2t/N}.
  private func earlyDrop() -> [Finding] {
    let statement = "L_IH/L_IH(0)"
    let (index, laws): (Int, QuasiStaticFlow)
    switch induction() {
    case .failure(let none):
      return [Finding(.earlyDrop, statement, notApplicable: none.reason)]
    case .success(let found): (index, laws) = found
    }
    let all = series("loss.ih", in: index)
    guard let first = all.first, first.value > objective.plateau else {
      return [
        Finding(.earlyDrop, statement, notApplicable: "L_IH starts below its plateau")
      ]
    }
    let n = 1 / laws.power(0)
    let fraction = objective.plateau / first.value
    let sizes = objective.origin[3...].map(abs)
    let size = (sizes.max() ?? 0) * (1 + target.proportion)
    return [0.5, 1, 5].map { multiple in
      let time = multiple * n
      let statement = "\(statement) at t=\(Evidence.text(multiple))N"
      guard let at = all.last(where: { $0.t <= time * (1 + 1e-9) }), at.t > time / 2 else {
        return Finding(.earlyDrop, statement, notApplicable: "no sample is near")
      }
      let derived = fraction + (1 - fraction) * exp(-2 * at.t / n)
      // w grows by e^{c²mt/N}; k enters the loss to first order, as σ does in v.
      let growth = exp(
        2 * target.inductionShare * target.inductionShare * target.product * multiple)
      return Finding(
        .earlyDrop, statement, derived: derived, measured: at.value / first.value,
        uncertainty: 1e3 * tolerance,
        modelError: derived * (2 * size + 4 * size * size * growth),
        detail: "t = \(Evidence.text(at.t))")
    }
  }

  /// M4: the time of emergence.
  private func emergence() -> [Finding] {
    let statement = "T of emergence"
    let laws: QuasiStaticFlow
    switch induction() {
    case .failure(let none):
      return [Finding(.emergence, statement, notApplicable: none.reason)]
    case .success(let found): laws = found.laws
    }
    guard let event = event("emergence") else {
      return [Finding(.emergence, statement, notApplicable: "half the plateau was not reached")]
    }
    let n = target.terms
    let size = (objective.origin[3...].map(abs).max() ?? 0) * (1 + target.proportion)
    // What v lags behind k costs a part of N.
    let lag = n * (0.11 + 4 * size)
    func finding(_ statement: String, _ laws: QuasiStaticFlow, _ uncertainty: Double) -> Finding {
      Finding(
        .emergence, statement, derived: laws.emergence, measured: event.time,
        uncertainty: uncertainty, modelError: lag,
        detail: "\(Evidence.text(event.time / n)) N, δ = \(Evidence.text(laws.advance))")
    }
    // A law made from the same tokens knows nothing of what they leave open.
    let own = finding(statement, laws, event.numerical)
    guard let other = otherTable.flatMap(QuasiStaticFlow.init) else { return [own] }
    return [own, finding("\(statement), other tokens", other, event.halfWidth)]
  }

  /// M5: v overshoots c, k is monotone.
  private func overshoot() -> [Finding] {
    let statement = "largest v/c − 1"
    let (index, laws): (Int, QuasiStaticFlow)
    switch induction() {
    case .failure(let none):
      return [Finding(.overshoot, statement, notApplicable: none.reason)]
    case .success(let found): (index, laws) = found
    }
    guard event("convergence") != nil else {
      return [Finding(.overshoot, statement, notApplicable: "the flow ends before it converges")]
    }
    let values = series("v", in: index).map(\.value)
    let c = target.inductionShare
    guard let best = values.indices.max(by: { values[$0] < values[$1] }) else { return [] }
    let measured = values[best] / c - 1
    let near = values[max(0, best - 1)...min(values.count - 1, best + 1)]
    let resolution = (values[best] - (near.min() ?? 0)) / c / 4
    let derived = laws.overshoot
    var fall = 0.0
    var highest = -Double.infinity
    for (_, k) in series("k", in: index) {
      fall = max(fall, highest - k)
      highest = max(highest, k)
    }
    return [
      Finding(
        .overshoot, statement, derived: derived, measured: measured,
        uncertainty: resolution + 100 * tolerance,
        // The ratio of the two time scales is 2c²m.
        modelError: derived * c * c * target.product),
      Finding(
        .overshoot, "largest fall of k", derived: 100 * tolerance, measured: fall, uncertainty: 0,
        modelError: 0, relation: .atMost),
    ]
  }

  /// M6: the exponential rate at last.
  private func convergenceRate() -> [Finding] {
    let statement = "rate of log L_IH at last"
    let (index, laws): (Int, QuasiStaticFlow)
    switch induction() {
    case .failure(let none):
      return [Finding(.convergenceRate, statement, notApplicable: none.reason)]
    case .success(let found): (index, laws) = found
    }
    let tail = series("loss.ih", in: index).filter {
      (1e-8...1e-4).contains($0.value / objective.plateau)
    }
    guard tail.count >= 6 else {
      return [
        Finding(
          .convergenceRate, statement,
          notApplicable:
            "\(tail.count) samples lie where L_IH is 1e-4 to 1e-8 of the plateau; sample "
            + "more densely, or run longer")
      ]
    }
    let fit = LineFit(tail.map(\.t), tail.map { log($0.value) })
    let derived = -2 * laws.convergence
    return [
      Finding(
        .convergenceRate, statement, derived: derived, measured: fit.slope,
        uncertainty: fit.slopeHalfWidth, modelError: 0.01 * abs(derived),
        detail: "\(tail.count) samples")
    ]
  }

  // MARK: - The first layer

  /// M7: p₁ rises from σ iff a > 1/16 + 3σ/32, and then like log t.
  private func firstLayer() -> [Finding] {
    let statement = "sign of p₁′ at the start"
    let size = objective.origin[0]
    guard let index = stage(training: ["p1"]), size.isFinite,
      objective.origin.prefix(3).allSatisfy({ $0 == size }), size > 0
    else {
      return [
        Finding(
          .firstLayer, statement, notApplicable: "no stage trains p₁ from where all start at σ")
      ]
    }
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
  private func targetPower() -> [Finding] {
    let statement = "R(N) against quadrature"
    guard case .tabulated(let table) = objective.induction else {
      return [Finding(.targetPower, statement, notApplicable: "R(N) is known of a table only")]
    }
    let power = TargetPower(product: target.product)
    let derived = power(target.terms)
    let exponent = TargetPower.exponent(product: target.product)
    let far = 0x1p25
    return [
      Finding(
        .targetPower, "R at N=\(Evidence.text(target.terms))", derived: derived,
        measured: table.targetPower, uncertainty: 2 * table.targetPowerError,
        // The tokens' part in their successors' weights.
        modelError: 2 * target.product * derived / target.terms),
      Finding(
        .targetPower, "slope of log R from N=2²⁵ to 2²⁶",
        derived: target.product * target.product < 0.5 ? -1 : exponent - 1 / (2 * log(far)),
        measured: power.slope(far), uncertainty: 1e-6, modelError: 0.025,
        detail: "limit \(Evidence.text(exponent))"),
    ]
  }

  private static let needsCopying = "it is about p₁ = ∞, and no stage trains p₁ away from there"
}
