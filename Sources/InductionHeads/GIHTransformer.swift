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
///
/// The authors' public code is the same model with other choices: the empty set, a read-out over all
/// positions, heads that look at lags of their own, each v^h divided by its norm, and y taken as logits.
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
  /// What a prediction costs.
  public let loss: OutputLoss
  /// Whether every v^h is divided by its ℓ² norm plus ``normFloor``.
  public let normalisesHeads: Bool
  /// Whether the kernel is divided by C_D; if not, the subset S weighs c_S².
  public let normalisesKernel: Bool
  /// The windows that the heads together look at.
  public let windowShape: WindowShape
  /// Names and groups of the parameters: `c`, `w`, `a`.
  public let layout: ParameterLayout

  /// The polynomial kernel.
  let kernel: KernelForm
  /// For each head: the window column of each of its lags.
  let columnsOfHead: [[Int]]
  /// The weights of one head, at one position where every position has its own.
  struct WeightBlock: Sendable, Equatable {
    let head: Int
    /// nil where all positions share the weights.
    let position: Int?
    /// Its weights in θ, in the order of the head's lags.
    let range: Range<Int>

    /// What it is called in records: `1`, or `1.20` for head 1 at position 20.
    var name: String { "\(head + 1)" + (position.map { ".\($0)" } ?? "") }
  }

  /// The blocks of weights, by position and then by head; the output position comes first.
  let weightBlocks: [WeightBlock]

  /// Describes a transformer.
  ///
  /// - Parameters:
  ///   - vocabulary: d ≥ 2.
  ///   - heads: H ≥ 1 heads whose lags lie in 1…`window`.
  ///   - window: M ≥ 1.
  ///   - degree: D in 1…H, the most heads in a subset.
  ///   - hasEmptySet: whether the empty set has a coefficient.
  ///   - readOut: the positions the second layer reads.
  ///   - loss: what a prediction costs; ε ≥ 0 where it is a logarithm.
  ///   - normalisesHeads: whether every v^h is divided by its ℓ² norm plus ``normFloor``.
  ///   - normalisesKernel: whether the kernel is divided by C_D.
  ///   - length: L of the only sequences it is for, with weights of its own at every position (absolute positional
  ///     weights); nil for weights that all positions share (relative ones).
  public init(
    vocabulary: Int, heads: [Head], window: Int, degree: Int, hasEmptySet: Bool = false,
    readOut: WindowShape.ReadOutRange = .fullWindow, loss: OutputLoss,
    normalisesHeads: Bool = false, normalisesKernel: Bool = true, length: Int? = nil
  ) {
    precondition((1...max(1, heads.count)).contains(degree), "the degree must lie in 1…H")
    precondition((loss.floor ?? 0) >= 0, "the floor must not be negative")
    let lags = Set(heads.flatMap(\.lags)).sorted()
    self.vocabulary = vocabulary
    self.heads = heads
    self.hasEmptySet = hasEmptySet
    self.loss = loss
    self.normalisesHeads = normalisesHeads
    self.normalisesKernel = normalisesKernel
    windowShape = WindowShape(
      vocabulary: vocabulary, lags: lags, reach: window, range: readOut, length: length)
    columnsOfHead = heads.map { head in head.lags.compactMap { lags.firstIndex(of: $0) } }
    let positions = windowShape.positions.count
    kernel = KernelForm(
      blocks: heads.count, degree: degree, hasEmptySet: hasEmptySet, isNormalised: normalisesKernel
    ) { $0 + positions * heads.reduce(0) { $0 + $1.lags.count } + 1 }
    let coefficients = kernel.coefficientSubsets
    var offset = coefficients.count
    let blocks = windowShape.positions.flatMap { position in
      heads.enumerated().map { h, head in
        defer { offset += head.lags.count }
        return WeightBlock(head: h, position: position, range: offset..<offset + head.lags.count)
      }
    }
    weightBlocks = blocks
    layout = ParameterLayout([
      ("c", coefficients.map { "c.\(Self.name(of: $0))" }),
      ("w", blocks.flatMap { block in heads[block.head].lags.map { "w.\(block.name).\($0)" } }),
      ("a", ["a"]),
    ])
  }

  /// What is added to a head's norm before it is divided by, as in the authors' public code.
  public static let normFloor = 1e-7

  /// Whether it is the transformer of the paper's theory, in which laws are derived: heads as they are, a
  /// kernel divided by C_D, and a loss that is a logarithm of y.
  public var isPaperForm: Bool {
    !normalisesHeads && normalisesKernel && loss.floor != nil && !hasOwnPositions
  }

  /// Whether every position has weights of its own.
  public var hasOwnPositions: Bool { windowShape.length != nil }

  /// The subsets of heads that have a coefficient, in the order of the group `c`; heads from 0.
  public var coefficientSubsets: [[Int]] {
    kernel.coefficientSubsets
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
      + weights(own: 800, other: 0) + [scale]
  }

  /// The weights that are the same at every position.
  private func weights(own: Double, other: Double) -> [Double] {
    weightBlocks.flatMap { block in
      heads[block.head].lags.map { $0 == heads[block.head].ownLag ? own : other }
    }
  }

  /// θ of the generalised induction head that a trained model is close to.
  ///
  /// - Parameters:
  ///   - subset: S, one of ``coefficientSubsets``.
  ///   - parameters: θ as trained: c_S and a are kept.
  /// - Returns: θ with no other coefficient, and each head one-hot on its own lag.
  public func limitParameters(of subset: [Int], from parameters: [Double]) -> [Double] {
    let limit = limitParameters(of: subset, scale: parameters[scaleIndex])
    return limit.indices.map {
      $0 < coefficientCount && limit[$0] != 0 ? parameters[$0] : limit[$0]
    }
  }

  /// The position among ``coefficientSubsets`` of the subset with the largest share; the first of equals.
  public func leader(at parameters: Span<Double>) -> Int {
    let shares = shares(at: parameters)
    return shares.indices.reduce(0) { shares[$1] > shares[$0] ? $1 : $0 }
  }

  /// Number of coefficients c.
  var coefficientCount: Int { kernel.coefficientCount }
  /// The position of a in θ.
  var scaleIndex: Int { kernel.scaleIndex }
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
      + weights(own: ownWeight, other: otherWeight) + [scale]
  }

  /// C_D = Σ c_S² at θ.
  public func sumOfSquares(_ parameters: Span<Double>) -> Double {
    kernel.sumOfSquares(parameters)
  }

  /// p_S = c_S²/C_D at θ for the subsets with a coefficient, in the order of ``coefficientSubsets``.
  public func shares(at parameters: Span<Double>) -> [Double] {
    let total = sumOfSquares(parameters)
    return (0..<coefficientCount).map { parameters[$0] * parameters[$0] / total }
  }

  /// σ^h at θ, over all lags of each head, at the output position; then at all others, if these have weights of
  /// their own.
  public func attention(at parameters: Span<Double>) -> [[Double]] {
    attention(weights: parameters.extracting(coefficientCount..<scaleIndex))
  }

  /// σ^h = softmax(w^h), over all lags of each head.
  ///
  /// - Parameter weights: the group `w` of θ alone.
  /// - Returns: one row per head, in the order of its lags, by position.
  public func attention(weights: Span<Double>) -> [[Double]] {
    weightBlocks.map { block in
      let first = block.range.lowerBound - coefficientCount
      let range = first..<first + block.range.count
      let largest = range.reduce(-.infinity) { max($0, weights[$1]) }
      let powers = range.map { exp(weights[$0] - largest) }
      let total = powers.reduce(0, +)
      return powers.map { $0 / total }
    }
  }
}
