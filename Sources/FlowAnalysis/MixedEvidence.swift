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
    guard trajectory.isWhole else {
      return [Finding(claim, "", notApplicable: "the flow did not come to its end")]
    }
    let statement = Self.statement(of: claim)
    do throws(Evidence.NotApplicable) {
      let found =
        switch claim {
        case .fourGramTail: try fourGramTail(statement)
        case .partialLearning: try partialLearning(statement)
        case .earlyDrop: try earlyDrop(statement)
        case .emergence: try emergence(statement)
        case .overshoot: try overshoot(statement)
        case .convergenceRate: try convergenceRate(statement)
        case .firstLayer: try firstLayer(statement)
        case .targetPower: try targetPower(statement)
        default:
          throw Evidence.NotApplicable(reason: "it is about the induction-head transformer")
        }
      return found.map { $0.orTooCoarse() }
    } catch {
      return [Finding(claim, statement, notApplicable: error.reason)]
    }
  }

  /// What a claim compares, in words.
  private static func statement(of claim: Claim) -> String {
    switch claim {
    case .fourGramTail: "4t·L_G4 at the end"
    case .partialLearning: "T(L_G4 = 1 %) beyond (1/ε − 1)/2da²"
    case .earlyDrop: "L_IH/L_IH(0)"
    case .emergence: "T of emergence"
    case .overshoot: "largest v/c − 1"
    case .convergenceRate: "rate of log L_IH at last"
    case .firstLayer: "sign of p₁′ at the start"
    case .targetPower: "R(N) against quadrature"
    default: ""
    }
  }

  // MARK: - What the flow shows

  var target: MixedTarget { objective.target }

  /// The first stage that trains all of these groups.
  func stage(training groups: [String]) -> Int? {
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
    guard let event = trajectory.events.first(where: { $0.name == name && $0.isReached }) else {
      return nil
    }
    let parts = objective.partCount
    let quantile =
      parts > 1 ? studentQuantile(degreesOfFreedom: Double(parts - 1)) : 0
    let sampling = quantile * (samplingErrors[name] ?? (parts > 1 ? .infinity : 0))
    let numerical = (event.error ?? 0) + 100 * options.relativeTolerance * event.time
    return (
      event.time - trajectory.stages[event.stage].startTime, numerical, numerical + sampling
    )
  }

  var tolerance: Double { options.relativeTolerance + options.absoluteTolerance }

  // MARK: - The in-context part

  /// The stage that trains v and w, and the laws of the quasi-static flow.
  ///
  /// - Throws: why the laws say nothing about this flow.
  func induction() throws(Evidence.NotApplicable) -> (stage: Int, laws: QuasiStaticFlow) {
    let index = try copyingStage(training: ["v", "w"])
    guard target.dimension == 1 else {
      throw Evidence.NotApplicable(reason: "it is about tokens of one dimension")
    }
    guard target.length != nil else {
      throw Evidence.NotApplicable(reason: "L is infinite: the in-context part has no loss")
    }
    guard let laws = QuasiStaticFlow(table ?? objective, from: trajectory.stages[index].start)
    else {
      throw Evidence.NotApplicable(
        reason: "P(k) and Q(k) are not known, or k does not start between 0 and m")
    }
    return (index, laws)
  }

  /// The first stage that trains some groups with a first layer that copies, for the vector target.
  func copyingStage(training groups: [String]) throws(Evidence.NotApplicable) -> Int {
    guard let index = stage(training: groups) else {
      throw Evidence.NotApplicable(
        reason: "no stage trains \(groups.joined(separator: " and ")) together")
    }
    guard trajectory.stages[index].start[0] == .infinity else {
      throw Evidence.NotApplicable(reason: "it is about p₁ = ∞")
    }
    guard target.form == .vector else {
      throw Evidence.NotApplicable(reason: "it is about the vector target")
    }
    return index
  }

  /// M3: L_IH falls to the plateau like e^{−2t/N}.
  private func earlyDrop(_ statement: String) throws(Evidence.NotApplicable) -> [Finding] {
    let (index, laws) = try induction()
    let all = series("loss.ih", in: index)
    guard let first = all.first, first.value > objective.plateau else {
      throw Evidence.NotApplicable(reason: "L_IH starts below its plateau")
    }
    let n = 1 / laws.power(0)
    let fraction = objective.plateau / first.value
    let size = size(at: index)
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
  private func emergence(_ statement: String) throws(Evidence.NotApplicable) -> [Finding] {
    let (index, laws) = try induction()
    guard let event = event("emergence") else {
      throw Evidence.NotApplicable(reason: "half the plateau was not reached")
    }
    let n = target.terms
    // The next order of what v lags behind, 2c²m being the ratio of the time scales; σ in the first rise of k.
    let c = target.inductionShare
    let start = trajectory.stages[index].start
    let initial = (start[4...].map(abs).max() ?? 0) * (1 + target.proportion)
    let ratio = 2 * c * c * target.product
    func finding(_ statement: String, _ laws: QuasiStaticFlow, _ uncertainty: Double) -> Finding {
      var detail = "\(Evidence.text(event.time / n)) N"
      if let advance = laws.advance { detail += ", δ = \(Evidence.text(advance))" }
      return Finding(
        .emergence, statement, derived: laws.emergence, measured: event.time,
        uncertainty: uncertainty, modelError: ratio * abs(laws.lag) + 4 * initial * n,
        detail: detail)
    }
    // A law made from the same tokens knows nothing of what they leave open.
    let own = finding(statement, laws, event.numerical)
    guard let otherTable, let other = QuasiStaticFlow(otherTable, from: start) else { return [own] }
    let parts = otherTable.parts(threads: 1).compactMap {
      QuasiStaticFlow($0, from: start)?.emergence
    }
    let error = parts.count > 1 ? Sample(parts).halfWidth : .infinity
    return [
      own,
      finding(
        "\(statement), other tokens", other,
        (event.halfWidth * event.halfWidth + error * error).squareRoot()),
    ]
  }

  /// The largest of |v|, |w| at the start of a stage, beside c.
  private func size(at stage: Int) -> Double {
    (trajectory.stages[stage].start[3...].map(abs).max() ?? 0) * (1 + target.proportion)
  }

  /// M5: v overshoots c, k is monotone.
  private func overshoot(_ statement: String) throws(Evidence.NotApplicable) -> [Finding] {
    let (index, laws) = try induction()
    guard event("convergence") != nil else {
      throw Evidence.NotApplicable(reason: "the flow ends before it converges")
    }
    let values = series("v", in: index).map(\.value)
    let c = target.inductionShare
    guard let best = values.indices.max(by: { values[$0] < values[$1] }) else { return [] }
    let measured = values[best] / c - 1
    let near = values[max(0, best - 1)...min(values.count - 1, best + 1)]
    let resolution = (values[best] - (near.min() ?? 0)) / c
    guard target.weight <= 0.8 else {
      throw Evidence.NotApplicable(reason: "near w* = 2^(−1/4) v cannot follow k: w* is above .8")
    }
    guard resolution < 0.05 * measured else {
      throw Evidence.NotApplicable(
        reason:
          "v changes by \(Int((100 * resolution / measured).rounded())) % of its overshoot between "
          + "samples; sample more densely")
    }
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
  private func convergenceRate(_ statement: String) throws(Evidence.NotApplicable) -> [Finding] {
    let (index, laws) = try induction()
    let tail = series("loss.ih", in: index).filter {
      (1e-8...1e-4).contains($0.value / objective.plateau)
    }
    guard tail.count >= 6 else {
      throw Evidence.NotApplicable(
        reason: "\(tail.count) samples lie where L_IH is 1e-4 to 1e-8 of the plateau; sample "
          + "more densely, or run longer")
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
}
