public import GradientFlow
public import Objectives

/// How far a computed flow departs from a law that the exact flow obeys.
public struct LawResidual: Sendable, Equatable {
  /// What the law is called in records, for instance `C_D conserved`.
  public let name: String
  /// The measured departure.
  public let value: Double
  /// The departure that the tolerances allow; infinite where the value is only reported.
  public let limit: Double
  /// What was measured, and why it should vanish.
  public let explanation: String

  /// Whether the departure is within its limit.
  public var holds: Bool { value <= limit }

  /// Describes a departure.
  public init(name: String, value: Double, limit: Double, explanation: String) {
    self.name = name
    self.value = value
    self.limit = limit
    self.explanation = explanation
  }
}

extension Trajectory {
  /// The laws that hold along every gradient flow, measured on this one.
  ///
  /// Conserved quantities may drift by 100 tolerances, the balance of loss and dissipation
  /// by 1000: what a correct integration stays far below (derived; see *Numerical methods*).
  ///
  /// - Parameters:
  ///   - objective: the objective whose flow this is.
  ///   - options: what it was solved with; a tolerance is the sum of the relative and the absolute one.
  /// - Returns: one residual per law.
  public func lawResiduals(
    of objective: any Objective, solvedWith options: SolverOptions
  ) -> [LawResidual] {
    let tolerance = options.relativeTolerance + options.absoluteTolerance
    return objective.conservationLaws.compactMap { departure(from: $0, tolerance: tolerance) }
      + [
        balance(tolerance: tolerance), rise(tolerance: tolerance), untouched(objective),
        finalGradient,
      ]
  }

  /// The largest departure from a law over all samples; nil if no stage trains what it is about.
  private func departure(from law: ConservationLaw, tolerance: Double) -> LawResidual? {
    let first = 2  // loss and gradient norm stand before the parameters
    let concerned = stages.indices.filter { index in
      law.groups.allSatisfy { stages[index].stage.trainedGroups.contains($0) }
    }
    if concerned.isEmpty { return nil }
    let start = samples.first.map { Array($0.values[first..<first + layout.count]) } ?? []
    var largest = 0.0
    for sample in samples where concerned.contains(sample.stage) {
      let state = Array(sample.values[first..<first + layout.count])
      // What is conserved in every stage is so from the first one on.
      let origin = law.groups.isEmpty ? start : stages[sample.stage].start
      largest = max(largest, law.departure(state.span, origin.span))
    }
    return LawResidual(
      name: law.name, value: largest, limit: 100 * tolerance, explanation: law.explanation)
  }

  private func balance(tolerance: Double) -> LawResidual {
    var worst = (value: 0.0, limit: 1000 * tolerance)
    for (index, stage) in stages.enumerated() where stage.ending != .failed {
      let drop = stage.lossAtStart - stage.lossAtEnd
      // Where the loss hardly moves, its own rounding is all there is to compare.
      let scale = max(abs(drop), 1e-9 * abs(stage.lossAtStart))
      if scale == 0 { continue }
      let value = abs(drop - stage.dissipation) / scale
      // An error of one tolerance in θ changes the loss by ‖∇L‖ ‖θ‖ tolerances, which may be more
      // than the stage's drop.
      let trained = layout.indices(ofGroups: stage.stage.trainedGroups)
      let size = trained.reduce(0) { $0 + stage.start[$1] * stage.start[$1] }.squareRoot()
      let slope = samples.first { $0.stage == index }?.values[1] ?? 0
      let limit = 1000 * tolerance * max(1, slope * max(1, size) / scale)
      if value * worst.limit > worst.value * limit { worst = (value, limit) }
    }
    return LawResidual(
      name: "dissipation balance", value: worst.value, limit: worst.limit,
      explanation: "drop of the loss against ∫‖∇L‖² dt, relative, worst stage")
  }

  private func rise(tolerance: Double) -> LawResidual {
    let rises = stages.map { $0.largestRise / max(abs($0.lossAtStart), .leastNormalMagnitude) }
    return LawResidual(
      name: "loss never rises", value: rises.max() ?? 0, limit: tolerance,
      explanation: "largest rise of the loss between accepted steps, relative to its start")
  }

  private func untouched(_ objective: any Objective) -> LawResidual {
    let changed = stages.reduce(0) { count, stage in
      let trained = Set(layout.indices(ofGroups: stage.stage.trainedGroups))
      return count
        + stage.start.indices.filter {
          !trained.contains($0) && stage.start[$0].bitPattern != stage.end[$0].bitPattern
        }.count
    }
    return LawResidual(
      name: "untrained parameters", value: Double(changed), limit: 0,
      explanation: "untrained parameters whose bits changed within a stage")
  }

  private var finalGradient: LawResidual {
    LawResidual(
      name: "final gradient norm", value: stages.last?.gradientNormAtEnd ?? .nan, limit: .infinity,
      explanation: "‖∇L‖ over the parameters trained last, where the flow ended")
  }
}
