public import GradientFlow
import Objectives

#if canImport(Glibc)
  import Glibc
#endif

/// Discrete training beside a flow, and what claims about it need.
public struct TrainingEvidence: Sendable {
  /// The flow, at the times of all records.
  public let comparison: TrainingComparison
  /// Gradient descent as it was asked for; nil if it was not.
  public let descent: TrainingRecord?
  /// Gradient descent at several multiples of the learning rate, the largest first.
  public let descents: [(factor: Double, record: TrainingRecord)]
  /// Figures to be met.
  public let figures: [PublishedFigure]
  /// What the flow was solved with.
  public let options: SolverOptions

  /// Gathers the evidence.
  public init(
    _ comparison: TrainingComparison, descent: TrainingRecord?,
    descents: [(factor: Double, record: TrainingRecord)], figures: [PublishedFigure],
    options: SolverOptions
  ) {
    self.comparison = comparison
    self.descent = descent
    self.descents = descents.sorted { $0.factor > $1.factor }
    self.figures = figures
    self.options = options
  }

  /// What a claim has to say of the training.
  ///
  /// - Parameter claim: one about training; see ``Claim/isAboutTraining``.
  /// - Returns: at least one finding.
  public func findings(of claim: Claim) -> [Finding] {
    switch claim {
    case .figures: figures.map(finding)
    case .descentOrder: [descentOrder()]
    case .descentDrift: descentDrift()
    default: [Finding(claim, "", notApplicable: "it is not about training")]
    }
  }

  /// D1: sup_t ‖θ_GD(t) − θ_flow(t)‖ ~ η.
  private func descentOrder() -> Finding {
    let statement = "order of sup ‖θ_GD − θ_flow‖ in η"
    let known = descents.filter { comparison.largestDistance(of: $0.record) != nil }.suffix(2)
    guard known.count == 2, let before = known.first, let last = known.last,
      let order = comparison.orders(of: Array(known))[1],
      let distance = comparison.largestDistance(of: last.record)
    else {
      return Finding(
        .descentOrder, statement,
        notApplicable: "fewer than two of training.factors came to their end")
    }
    // What the flow's own error may do to the smaller distance.
    let flowError = 100 * options.relativeTolerance * max(1, comparison.pathLength)
    return Finding(
      .descentOrder, statement, derived: 1, measured: order,
      uncertainty: flowError / distance / log(before.factor / last.factor), modelError: 0.05,
      detail:
        "between \(Evidence.text(before.factor)) and \(Evidence.text(last.factor)) times the rate, "
        + "where the distance is \(Evidence.text(distance))"
    ).orTooCoarse()
  }

  /// D2: as ∇L is orthogonal to c, a step of gradient descent on c multiplies C_D by exactly
  /// 1 + η²‖∇_c L‖²/C_D, which the flow conserves.
  private func descentDrift() -> [Finding] {
    let statement = "C_D after the first step over C_D before"
    func none(_ reason: String) -> [Finding] {
      [Finding(.descentDrift, statement, notApplicable: reason)]
    }
    guard let descent else { return none("gradient descent was not run; set training.optimizers") }
    guard comparison.objective.conservationLaws.contains(where: { $0.name == "C_D conserved" })
    else {
      return none("the flow of this model does not conserve C_D")
    }
    let columns = descent.columns
    let coefficients = columns.indices.filter { columns[$0].hasPrefix("c.") }
    guard
      let first = descent.samples.firstIndex(where: {
        $0.step == 0 && comparison.flow.stages[$0.stage].stage.trainedGroups.contains("c")
      }), first + 1 < descent.samples.count, descent.samples[first + 1].step == 1,
      let norm = columns.firstIndex(of: "gradient_norm.c")
    else { return none("no stage trains c") }
    let (before, after) = (descent.samples[first].values, descent.samples[first + 1].values)
    func total(_ values: [Double]) -> Double {
      coefficients.reduce(0) { $0 + values[$1] * values[$1] }
    }
    let steps = descent.stages[descent.samples[first].stage]
    let rate = steps.rate * steps.elapsed(after: 1)
    let growth = rate * rate * before[norm] * before[norm] / total(before)
    let flips = coefficients.filter { before[$0] * after[$0] < 0 }.map { columns[$0] }
    let law = Finding(
      .descentDrift, statement, derived: 1 + growth, measured: total(after) / total(before),
      uncertainty: 1e-12 * (1 + growth), modelError: 0,
      detail: flips.isEmpty
        ? "" : "changes its sign, which the flow forbids: \(flips.joined(separator: ", "))")
    let largest = descent.samples.map { abs(total($0.values) / total(before) - 1) }.max() ?? 0
    // The same bound that the flow's own drift is held to.
    let allowed = 100 * options.relativeTolerance
    let drift = "drift of C_D over all steps, beyond what the flow is allowed"
    return [
      law,
      growth > allowed
        ? Finding(
          .descentDrift, drift, derived: allowed, measured: largest, uncertainty: 0, modelError: 0,
          relation: .atLeast)
        : Finding(
          .descentDrift, drift,
          notApplicable:
            "the first step adds \(Evidence.text(growth)) of it, the tolerances of the flow "
            + "allow \(Evidence.text(allowed))"),
    ]
  }

  private func finding(_ figure: PublishedFigure) -> Finding {
    let statement = figure.statement
    func none(_ reason: String) -> Finding {
      Finding(.figures, statement, notApplicable: reason)
    }
    let stages = comparison.flow.stages
    guard let stage = stages.firstIndex(where: { $0.stage.name == figure.stage }) else {
      return none("there is no such stage")
    }
    let (columns, values): ([String], [Double]?) =
      switch figure.moment {
      case .step(let step):
        (
          descent?.columns ?? [],
          descent?.samples.first { $0.stage == stage && $0.step == step }?.values
        )
      case .time(let time):
        (comparison.flow.columns, comparison.sample(at: time, ofStage: stage)?.values)
      }
    let value = columns.firstIndex(of: figure.quantity).flatMap { values?[$0] }
    guard let value else { return none("nothing was recorded there") }
    return Finding(
      .figures, statement, derived: figure.value, measured: value, uncertainty: 0,
      modelError: figure.tolerance)
  }
}

/// A number that somebody has published or expects of a flow or of gradient descent.
public struct PublishedFigure: Sendable, Hashable {
  /// When.
  public enum Moment: Sendable, Hashable {
    /// After so many steps of gradient descent in the stage.
    case step(Int)
    /// At a time of the flow, on the stage's own clock.
    case time(Double)
  }

  /// A column of the trajectory.
  public let quantity: String
  /// The name of the stage.
  public let stage: String
  /// When.
  public let moment: Moment
  /// The number.
  public let value: Double
  /// How far from it the mean over data sets may be, in the same unit.
  public let tolerance: Double

  /// Describes a figure.
  public init(
    _ quantity: String, stage: String, moment: Moment, value: Double, tolerance: Double
  ) {
    self.quantity = quantity
    self.stage = stage
    self.moment = moment
    self.value = value
    self.tolerance = tolerance
  }

  /// What is compared, in words.
  var statement: String {
    switch moment {
    case .step(let step): "\(quantity) after step \(step) of \(stage)"
    case .time(let time): "\(quantity) of the flow at t=\(Evidence.text(time)) of \(stage)"
    }
  }
}
