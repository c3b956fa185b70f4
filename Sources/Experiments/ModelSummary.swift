public import InductionHeads

/// What a person wants to know of a GIH transformer's parameters.
public struct ModelSummary: Sendable, Equatable {
  /// The subset with the largest share, for instance `{1,2}`.
  public let leader: String
  /// Its share.
  public let leadingShare: Double
  /// Each head's attention on its own lag.
  public let ownAttention: [Double]
  /// The scalar a.
  public let scale: Double

  /// Summarises a model at θ.
  public init(_ model: GIHTransformer, _ parameters: [Double]) {
    let shares = model.shares(at: parameters.span)
    let best = shares.indices.max { shares[$0] < shares[$1] } ?? 0
    leader = GIHTransformer.notation(of: model.coefficientSubsets[best])
    leadingShare = shares[best]
    ownAttention = zip(model.heads, model.attention(at: parameters.span)).map { head, weights in
      zip(head.lags, weights).reduce(0) { $1.0 == head.ownLag ? $1.1 : $0 }
    }
    scale = parameters.last ?? 0
  }
}
