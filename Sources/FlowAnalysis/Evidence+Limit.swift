import GradientFlow
import InductionHeads

#if canImport(Glibc)
  import Glibc
#endif

// The whole flow: G8 and G10.

extension Evidence {
  /// The distance of the final model from GIH(S*) at the same a, and what bounds it.
  ///
  /// Logits differ by at most Δ = |a| ((1 − p_S*) + 2 Σ_{h∈S*} (1 − σ_*^h)), and weights that are
  /// tilted by e^{±Δ} move by tanh(Δ/2) in total variation at most (derived).
  public func limitDistance() -> (mean: Double, largest: Double, bound: Double)? {
    guard let comparison else { return nil }
    let theta = trajectory.parameters
    let scale = theta[theta.count - 1]
    let shares = model.shares(at: theta.span)
    let selected = shares.indices.max { shares[$0] < shares[$1] } ?? 0
    let subset = model.coefficientSubsets[selected]
    let limit = model.limitParameters(of: subset, scale: scale)
    guard let own = comparison.predictions(at: theta),
      let others = comparison.predictions(at: limit)
    else { return nil }
    let distance = own.totalVariation(from: others)
    let unselected = shares.indices.reduce(0.0) { $1 == selected ? $0 : $0 + shares[$1] }
    let elsewhere = subset.reduce(0.0) { $0 + attentionElsewhere(theta, head: $1) }
    return (
      distance.mean, distance.largest, tanh(abs(scale) * (unselected + 2 * elsewhere) / 2)
    )
  }

  /// G8: the largest distance of any prediction from the limit model's is within the bound.
  func limitModel() -> [Finding] {
    guard let (mean, largest, bound) = limitDistance() else {
      return [
        Finding(
          .limitModel, "total variation from GIH(S*)",
          notApplicable: "the kernels that the tokens came from are not known")
      ]
    }
    guard bound < 0.5 else {
      return [
        Finding(
          .limitModel, "largest total variation from GIH(S*) ≤ tanh(Δ/2)",
          notApplicable: "the model is far from GIH(S*): tanh(Δ/2) = \(Self.text(bound))")
      ]
    }
    return [
      Finding(
        .limitModel,
        "largest total variation from GIH(S*) ≤ tanh(Δ/2)",
        derived: bound, measured: largest, uncertainty: 0, modelError: 1e-12, relation: .atMost,
        detail: "mean \(Self.text(mean))")
    ]
  }

  /// G10: trained all at once, S* is selected first, then the loss has fallen, then every head of
  /// S* has concentrated.
  func order() -> [Finding] {
    func none(_ reason: String) -> [Finding] {
      [Finding(.order, "order of the transitions", notApplicable: reason)]
    }
    guard let index = stage(training: ["c", "w", "a"]) else {
      return none("no stage trains c, w and a at once")
    }
    let stage = trajectory.stages[index]
    func time(_ name: String) -> Double? {
      trajectory.events.first { $0.stage == index && $0.name == name && $0.isReached }
        .map { $0.time - stage.startTime }
    }
    guard let (best, _) = bestSubset(stage.start) else { return none(Self.noExpansion) }
    let selection = "selection-complete.\(coefficientName(best))"
    guard let selected = time(selection) else { return none("\(selection) was not reached") }
    guard let classified = time("classification") else {
      return none("classification was not reached")
    }
    let early = Finding(
      .order, "t(loss within 1 %) / t(selection of \(name(best)) complete) ≥ 1", derived: 1,
      measured: classified / selected, uncertainty: 0, modelError: 0, relation: .atLeast)
    // A head that did not get there by the end of the stage concentrates later still, if ever; one
    // that did must be there, since the loss's own end is the stage's.
    let statement = "t(first head of S* at σ=.99) / t(loss within 1 %) ≥ 1"
    let copied = model.coefficientSubsets[best].compactMap { head in
      trajectory.events.first { $0.stage == index && $0.name == "copying-complete.\(head + 1)" }
    }
    guard copied.count == model.coefficientSubsets[best].count,
      let first = copied.filter(\.isReached).map({ $0.time - stage.startTime }).min()
    else {
      return [
        early,
        Finding(.order, statement, notApplicable: "no head of S* rises to σ = 0.99 in the stage"),
      ]
    }
    let missing = copied.count { !$0.isReached }
    return [
      early,
      Finding(
        .order, statement, derived: 1, measured: first / classified, uncertainty: 0,
        modelError: 0, relation: .atLeast,
        detail: missing == 0
          ? "" : "\(missing) of \(copied.count) heads not at .99 by the end"),
    ]
  }
}
