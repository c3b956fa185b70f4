public import Corpora
public import Objectives

#if canImport(Glibc)
  import Glibc
#endif

/// The transformer TF(M, H, d, D) of *Unveiling Induction Heads* (arXiv 2409.10559), section 2.
///
/// Head h weighs the tokens at its lags by σ^h = softmax(w^h) over the lags that exist and copies
/// them, v_l^h = Σ_i σ_i^h x_{l−i}. The feed-forward network compares a position with the output
/// position through the normalised polynomial kernel
/// k_l = (1/C_D) Σ_S c_S² ∏_{h∈S} ⟨v_l^h, v_{L+1}^h⟩, C_D = Σ c_S², and the second layer predicts
/// y = Σ_l softmax_l(a k_l) x_l. Trained are c (one per subset S), w (one per head and lag) and a.
public struct GIHTransformer: Sendable, Equatable {
  /// What one head of the first attention layer may look at.
  public struct Head: Sendable, Equatable {
    /// The lags with a weight, ascending, in 1…M.
    public let lags: [Int]
    /// The lag the head attends to at initialisation; one of `lags`.
    public let ownLag: Int

    /// Describes a head.
    public init(lags: [Int], ownLag: Int) {
      precondition(!lags.isEmpty && Set(lags).count == lags.count, "a head's lags are distinct")
      precondition(lags.contains(ownLag), "a head's own lag is one of its lags")
      self.lags = lags.sorted()
      self.ownLag = ownLag
    }
  }

  /// d.
  public let vocabulary: Int
  /// The H heads.
  public let heads: [Head]
  /// Whether the empty set has a coefficient.
  public let hasEmptySet: Bool
  /// ε ≥ 0 inside the logarithm of the loss.
  public let lossFloor: Double
  /// The windows that the heads together look at.
  public let windowShape: WindowShape
  /// Names and groups of the parameters: `c`, `w`, `a`.
  public let layout: ParameterLayout

  let subsets: HeadSubsets
  /// For each subset: its position in the group `c`, or −1 for an empty set without coefficient.
  let coefficientOfSubset: [Int]
  /// For each head: the window column of each of its lags.
  let columnsOfHead: [[Int]]
  /// For each head: where its weights start in θ.
  let weightOffsets: [Int]

  /// Describes a transformer.
  ///
  /// - Parameters:
  ///   - vocabulary: d ≥ 2.
  ///   - heads: H ≥ 1 heads whose lags lie in 1…`window`.
  ///   - window: M ≥ 1.
  ///   - degree: D in 1…H, the most heads in a subset.
  ///   - hasEmptySet: whether the empty set has a coefficient.
  ///   - readOut: the positions the second layer reads.
  ///   - lossFloor: ε ≥ 0.
  public init(
    vocabulary: Int, heads: [Head], window: Int, degree: Int, hasEmptySet: Bool = false,
    readOut: WindowShape.ReadOutRange = .fullWindow, lossFloor: Double
  ) {
    precondition((1...max(1, heads.count)).contains(degree), "the degree must lie in 1…H")
    precondition(lossFloor >= 0, "the floor must not be negative")
    let lags = Set(heads.flatMap(\.lags)).sorted()
    let subsets = HeadSubsets(heads: heads.count, degree: degree)
    self.vocabulary = vocabulary
    self.heads = heads
    self.hasEmptySet = hasEmptySet
    self.lossFloor = lossFloor
    self.subsets = subsets
    windowShape = WindowShape(vocabulary: vocabulary, lags: lags, reach: window, range: readOut)
    coefficientOfSubset = (0..<subsets.count).map { hasEmptySet ? $0 : $0 - 1 }
    columnsOfHead = heads.map { head in head.lags.compactMap { lags.firstIndex(of: $0) } }
    let coefficients = subsets.members.dropFirst(hasEmptySet ? 0 : 1)
    layout = ParameterLayout([
      ("c", coefficients.map { "c.\(Self.name(of: $0))" }),
      (
        "w",
        heads.enumerated().flatMap { h, head in head.lags.map { "w.\(h + 1).\($0)" } }
      ),
      ("a", ["a"]),
    ])
    var offset = coefficients.count
    weightOffsets = heads.map { head in
      defer { offset += head.lags.count }
      return offset
    }
  }

  /// The subsets of heads that have a coefficient, in the order of the group `c`; heads from 0.
  public var coefficientSubsets: [[Int]] {
    Array(subsets.members.dropFirst(hasEmptySet ? 0 : 1))
  }

  /// What a subset is called in records: `1+2` for heads 0 and 1, `0` for the empty set.
  public static func name(of subset: [Int]) -> String {
    subset.isEmpty ? "0" : subset.map { String($0 + 1) }.joined(separator: "+")
  }

  /// What a subset is called in texts: `{1,2}` for heads 0 and 1, `{}` for the empty set.
  public static func notation(of subset: [Int]) -> String {
    "{" + subset.map { String($0 + 1) }.joined(separator: ",") + "}"
  }

  /// θ of the generalised induction head GIH(S): c only on S, each head one-hot on its own lag.
  ///
  /// - Parameters:
  ///   - subset: S, one of ``coefficientSubsets``.
  ///   - scale: a.
  /// - Returns: θ; e^{−800} is zero, so the attention is one-hot to the last bit.
  public func limitParameters(of subset: [Int], scale: Double) -> [Double] {
    coefficientSubsets.map { $0 == subset ? 1 : 0 }
      + heads.flatMap { head in head.lags.map { $0 == head.ownLag ? 800 : 0 } } + [scale]
  }

  /// Number of coefficients c.
  var coefficientCount: Int { weightOffsets[0] }
  /// The position of a in θ.
  var scaleIndex: Int { layout.count - 1 }
  /// M, the reach of the window.
  public var window: Int { windowShape.reach }

  /// A start in the form the paper uses.
  ///
  /// - Parameters:
  ///   - coefficient: c_S of every subset; nil for 1/√(number of subsets), which makes C_D = 1.
  ///   - ownWeight: w⁺, the weight of each head's own lag.
  ///   - otherWeight: w⁻, the weight of its other lags.
  ///   - scale: a.
  /// - Returns: θ in the order of ``layout``.
  public func initialParameters(
    coefficient: Double? = nil, ownWeight: Double, otherWeight: Double, scale: Double
  ) -> [Double] {
    let c = coefficient ?? 1 / Double(coefficientCount).squareRoot()
    return [Double](repeating: c, count: coefficientCount)
      + heads.flatMap { head in head.lags.map { $0 == head.ownLag ? ownWeight : otherWeight } }
      + [scale]
  }

  /// C_D = Σ c_S² at θ.
  public func sumOfSquares(_ parameters: Span<Double>) -> Double {
    var total = 0.0
    for i in 0..<coefficientCount { total += parameters[i] * parameters[i] }
    return total
  }

  /// p_S = c_S²/C_D for every subset, the empty set first; 0 where it has no coefficient.
  func shares(_ parameters: Span<Double>) -> [Double] {
    let total = sumOfSquares(parameters)
    return coefficientOfSubset.map { $0 < 0 ? 0 : parameters[$0] * parameters[$0] / total }
  }

  /// p_S = c_S²/C_D at θ for the subsets with a coefficient, in the order of ``coefficientSubsets``.
  public func shares(at parameters: Span<Double>) -> [Double] {
    Array(shares(parameters).dropFirst(hasEmptySet ? 0 : 1))
  }

  /// σ^h at θ, over all lags of each head.
  public func attention(at parameters: Span<Double>) -> [[Double]] {
    attention(weights: parameters.extracting(coefficientCount..<scaleIndex))
  }

  /// σ^h = softmax(w^h), over all lags of each head.
  ///
  /// - Parameter weights: the group `w` of θ alone.
  /// - Returns: one row per head, in the order of its lags.
  public func attention(weights: Span<Double>) -> [[Double]] {
    zip(heads, weightOffsets).map { head, offset in
      let first = offset - coefficientCount
      let range = first..<first + head.lags.count
      let largest = range.reduce(-.infinity) { max($0, weights[$1]) }
      let powers = range.map { exp(weights[$0] - largest) }
      let total = powers.reduce(0, +)
      return powers.map { $0 / total }
    }
  }
}
