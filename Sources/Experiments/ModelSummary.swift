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
    let names = model.observableNames
    var values = [Double](repeating: 0, count: names.count)
    var span = values.mutableSpan
    model.observe(parameters.span, into: &span)
    let byName = Dictionary(uniqueKeysWithValues: zip(names, values))
    let shares = names.filter { $0.hasPrefix("share.") }
    let best = shares.max { (byName[$0] ?? 0) < (byName[$1] ?? 0) } ?? ""
    let heads = best.dropFirst("share.".count)
    leader = heads == "0" ? "{}" : "{" + heads.replacing("+", with: ",") + "}"
    leadingShare = byName[best] ?? 0
    ownAttention = model.heads.enumerated().map {
      byName["attention.\($0 + 1).\($1.ownLag)"] ?? 0
    }
    scale = parameters.last ?? 0
  }
}
