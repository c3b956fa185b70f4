public import GradientFlow
public import InductionHeads

/// A flow and all that the claims about it need.
public struct Evidence: Sendable {
  /// The loss that was minimised.
  public let objective: GIHObjective
  /// The flow.
  public let trajectory: Trajectory
  /// What it was solved with.
  public let options: SolverOptions
  /// The loss to first order in a; nil where windows lack tokens or are too many.
  public package(set) var expansion: SmallScaleExpansion?
  /// α, if the chains are drawn from a Dirichlet prior.
  public let concentration: Double?
  /// The same data with counts of every token, for predictions; nil where the kernels are not known.
  public let comparison: GIHObjective?
  /// The reduced flow of the copying stage, solved; nil if it was not.
  public var reducedCopying: Trajectory?

  /// Gathers the evidence of one flow.
  ///
  /// - Parameters:
  ///   - objective: the loss that was minimised.
  ///   - trajectory: its flow.
  ///   - options: what it was solved with.
  ///   - concentration: α, if the chains are drawn from a Dirichlet prior.
  ///   - comparison: the same data with counts of every token.
  ///   - needsExpansion: whether a claim will ask for the expansion; see ``Claim/needsExpansion``.
  public init(
    _ objective: GIHObjective, _ trajectory: Trajectory, options: SolverOptions,
    concentration: Double?, comparison: GIHObjective?,
    needsExpansion: Bool = true
  ) {
    self.objective = objective
    self.trajectory = trajectory
    self.options = options
    self.concentration = concentration
    self.comparison = comparison
    expansion = needsExpansion ? SmallScaleExpansion(objective) : nil
  }

  /// The transformer.
  var model: GIHTransformer { objective.model }

  /// ε; claims about other losses are not judged.
  var floor: Double { model.loss.floor ?? 0 }

  /// Whether the context is infinite.
  var isPopulation: Bool { if case .population = objective.data { true } else { false } }

  /// What `claim` has to say of this flow.
  ///
  /// - Parameter claim: the claim.
  /// - Returns: at least one finding.
  public func findings(of claim: Claim) -> [Finding] {
    guard trajectory.isWhole else {
      return [Finding(claim, "", notApplicable: "the flow did not come to its end")]
    }
    guard model.isPaperForm || !claim.needsPaperForm else {
      return [
        Finding(
          claim, "",
          notApplicable: "it is derived for heads and a kernel as in the paper, and −log(y + ε)")
      ]
    }
    return unfiltered(claim).map { $0.orTooCoarse() }
  }

  private func unfiltered(_ claim: Claim) -> [Finding] {
    switch claim {
    case .information: information()
    case .conservation: conservation()
    case .selectionRate: selectionRate()
    case .selectionTime: selectionTime()
    case .copying: copying()
    case .bystanders: bystanders()
    case .classifierGrowth: classifierGrowth()
    case .finiteOptimum: finiteOptimum()
    case .limitModel: limitModel()
    case .order: order()
    case .lengths: [Finding(claim, "", notApplicable: "the model was not evaluated")]
    case .learnedLags:
      [Finding(claim, "", notApplicable: "it is judged by the chains")]
    case .figures, .descentOrder, .descentDrift:
      [Finding(claim, "", notApplicable: "it is about training beside the flow")]
    case .fourGramTail, .partialLearning, .earlyDrop, .emergence, .overshoot, .convergenceRate,
      .firstLayer, .targetPower:
      [Finding(claim, "", notApplicable: "it is about the mixed target")]
    }
  }

  // MARK: - Stages and states

  /// The first stage that trains exactly these groups.
  func stage(training groups: [String]) -> Int? {
    trajectory.stages.firstIndex { Set($0.stage.trainedGroups) == Set(groups) }
  }

  /// The samples of a stage.
  func samples(of stage: Int) -> [Trajectory.Sample] {
    trajectory.samples.filter { $0.stage == stage }
  }

  /// The position of a column; the caller knows that it exists.
  func column(_ name: String) -> Int {
    guard let index = trajectory.columns.firstIndex(of: name) else {
      preconditionFailure("the trajectory has no column \(name)")
    }
    return index
  }

  /// 1 − σ of a head on its own lag at θ, summed over the other lags so that nothing cancels.
  func attentionElsewhere(_ parameters: [Double], head: Int) -> Double {
    zip(model.heads[head].lags, model.attention(at: parameters.span)[head]).reduce(0) {
      $1.0 == model.heads[head].ownLag ? $0 : $0 + $1.1
    }
  }

  /// The subset with the largest Ĩ_σ at θ, an index into the model's coefficients, with all Ĩ_σ.
  func bestSubset(_ parameters: [Double]) -> (best: Int, informations: [Double])? {
    guard let expansion else { return nil }
    let values = expansion.informations(
      of: model.coefficientSubsets, in: model, attention: model.attention(at: parameters.span))
    guard let best = values.indices.max(by: { values[$0] < values[$1] }) else { return nil }
    return (best, values)
  }

  /// What a subset is called: `{1,2}`.
  func name(_ subset: Int) -> String {
    GIHTransformer.notation(of: model.coefficientSubsets[subset])
  }

  static let noExpansion =
    "the loss has no first-order expansion: windows lack tokens, or are more than "
    + "\(SmallScaleExpansion.mostWindows)"
}
