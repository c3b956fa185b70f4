import Objectives

/// The evaluator of a ``GIHObjective``: its Hessian comes in one sweep where positions share their weights.
final class GIHEvaluator: PairEvaluator {
  let model: GIHTransformer
  let features: WindowFeatures
  let normalisation: HeadNormalisation?
  /// σ per mask; v per window, before and after they are divided by their norms.
  let attention, copied, values: Buffer

  init(_ objective: GIHObjective, threads: Int) {
    model = objective.model
    features = objective.features
    let map = PositionalMap(
      objective.features, normalises: objective.model.normalisesHeads,
      parameters: objective.model.kernel.coefficientCount..<objective.model.kernel.scaleIndex)
    normalisation = map.normalisation
    (attention, copied, values) = (map.attention, map.copied, map.keys)
    super.init(
      form: objective.model.kernel, map: map, loss: objective.loss,
      sharedRange: objective.sharedRange, threads: threads)
  }

  override func hessian(
    at parameters: Span<Double>, among positions: [Int], into hessian: inout MutableSpan<Double>
  ) {
    // With weights of its own at every position a pair depends on few of the parameters.
    if model.hasOwnPositions {
      super.hessian(at: parameters, among: positions, into: &hessian)
    } else {
      sweepHessian(at: parameters, among: positions, into: &hessian)
    }
  }
}
