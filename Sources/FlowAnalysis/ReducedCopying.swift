public import InductionHeads
public import Objectives

/// The gap ODE of the copying stage as a gradient flow, every head by itself.
///
///     ẇ_i = 2a σ_i ((Fσ)_i − σᵀFσ),   the flow of L = −a Σ_h σ^hᵀ F_h σ^h.
///
/// F_h = Σ_{S∋h} p_S F_{S,h} sums the symmetric matching matrices of the subsets with the shares that
/// they have when the stage starts; the other heads of S are taken to match at their own lags. It
/// holds to first order in a, and for one-hot attention of the other heads (derived).
public struct ReducedCopying: Objective {
  /// One matrix F_h per head, shape (lags, lags).
  public let matrices: [[[Double]]]
  /// a.
  public let scale: Double
  /// The group `w` with the names it has in the full model.
  public let layout: ParameterLayout
  private let model: GIHTransformer

  /// The reduced flow of a model at given shares.
  ///
  /// - Parameters:
  ///   - model: the transformer.
  ///   - expansion: the data's first-order expansion.
  ///   - shares: p_S of the subsets with a coefficient, in the order of the group `c`.
  ///   - scale: a.
  public init(
    _ model: GIHTransformer, _ expansion: SmallScaleExpansion, shares: [Double], scale: Double
  ) {
    self.model = model
    self.scale = scale
    matrices = model.heads.indices.map { head in
      var sum = model.heads[head].lags.map { _ in model.heads[head].lags.map { _ in 0.0 } }
      for (subset, share) in zip(model.coefficientSubsets, shares)
      where subset.contains(head) && share > 0 {
        let part = expansion.matching(
          head: head, others: subset.filter { $0 != head }, in: model)
        for i in sum.indices { for j in sum.indices { sum[i][j] += share * part[i][j] } }
      }
      return sum
    }
    layout = ParameterLayout([
      (
        "w", model.heads.enumerated().flatMap { h, head in head.lags.map { "w.\(h + 1).\($0)" } }
      )
    ])
  }

  /// None.
  public var observableNames: [String] { [] }
  /// None.
  public var conservationLaws: [ConservationLaw] { [] }
  /// None.
  public var phaseEvents: [PhaseEvent] { [] }
  /// None.
  public var lossDropEvents: [LossDropEvent] { [] }
  /// Nothing to compute.
  public func observe(_ parameters: Span<Double>, into values: inout MutableSpan<Double>) {}

  /// An evaluator; it uses one thread.
  public func makeEvaluator(threads: Int) -> any ObjectiveEvaluator { Evaluator(self) }

  private final class Evaluator: ObjectiveEvaluator {
    let flow: ReducedCopying

    init(_ flow: ReducedCopying) { self.flow = flow }

    /// For each head: where its weights start, σ, Fσ, σᵀFσ.
    private func heads(
      _ parameters: Span<Double>
    ) -> [(start: Int, sigma: [Double], image: [Double], form: Double)] {
      var start = 0
      return zip(flow.matrices, flow.model.attention(weights: parameters)).map { matrix, sigma in
        let image = matrix.map { row in zip(row, sigma).reduce(0) { $0 + $1.0 * $1.1 } }
        let form = zip(sigma, image).reduce(0) { $0 + $1.0 * $1.1 }
        defer { start += matrix.count }
        return (start, sigma, image, form)
      }
    }

    func loss(at parameters: Span<Double>) -> Double {
      -flow.scale * heads(parameters).reduce(0) { $0 + $1.form }
    }

    func gradient(at parameters: Span<Double>, into gradient: inout MutableSpan<Double>) -> Double {
      var loss = 0.0
      for head in heads(parameters) {
        loss -= flow.scale * head.form
        for i in head.sigma.indices {
          gradient[head.start + i] =
            -2 * flow.scale * head.sigma[i] * (head.image[i] - head.form)
        }
      }
      return loss
    }

    // With s_i = σ_i ((Fσ)_i − f), ∂f/∂w_i = 2 s_i and
    // ∂s_i/∂w_k = δ_ik s_i − σ_k s_i − 2 σ_i s_k + σ_i σ_k (F_ik − (Fσ)_i).
    func hessian(at parameters: Span<Double>, into hessian: inout MutableSpan<Double>) {
      let n = parameters.count
      for i in 0..<n * n { hessian[i] = 0 }
      for (head, matrix) in zip(heads(parameters), flow.matrices) {
        let s = head.sigma.indices.map { head.sigma[$0] * (head.image[$0] - head.form) }
        for i in matrix.indices {
          for k in matrix.indices {
            let slope =
              (i == k ? s[i] : 0) - head.sigma[k] * s[i] - 2 * head.sigma[i] * s[k]
              + head.sigma[i] * head.sigma[k] * (matrix[i][k] - head.image[i])
            hessian[(head.start + i) * n + head.start + k] = -2 * flow.scale * slope
          }
        }
      }
    }

    func hessianVectorProduct(
      at parameters: Span<Double>, direction: Span<Double>,
      into product: inout MutableSpan<Double>
    ) {
      let n = parameters.count
      var matrix = [Double](repeating: 0, count: n * n)
      var span = matrix.mutableSpan
      hessian(at: parameters, into: &span)
      for i in 0..<n {
        product[i] = (0..<n).reduce(0.0) { $0 + span[i * n + $1] * direction[$1] }
      }
    }
  }
}
