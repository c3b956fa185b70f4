public import Corpora
public import Objectives

/// A transformer whose attention layers in front of the read-out see content and whose feed-forward network may be a
/// standard one: the models that the theory of *Unveiling Induction Heads* simplifies, and leaves open.
///
/// One or more attention layers make H heads v¹…v^H of every position, each layer optionally with content (W_Q,
/// W_K), a value map W_OV and layer normalisation. The heads of two positions are then compared: by the polynomial
/// kernel, as in ``GIHTransformer``; or by the inner product ⟨u_l, B u_{L+1}⟩/√m of features u, which are the heads
/// themselves or what a network u = LayerNorm(W₂ φ(W₁ [v¹; …; v^H] + b₁) + b₂) makes of them, with B the identity or
/// trained. The last attention layer predicts y = Σ_l softmax_l(a k_l) x_l.
///
/// A position's features depend on its own token and those of its window, so exact compression applies with windows
/// that begin at lag 0; the output position holds no token, and its embedding is zero.
public struct FullTransformer: Sendable, Equatable {
  /// An attention layer in front of the read-out.
  public struct Attention: Sendable, Equatable {
    /// Its heads, with lags from 1 on.
    public var heads: [GIHTransformer.Head]
    /// Whether logits have a part x(l)ᵀ W_Q W_Kᵀ x(l − i), with square W_Q and W_K of every head.
    public var hasContent: Bool
    /// Whether every head's output passes a square W_OV.
    public var hasValues: Bool
    /// Whether heads see the position itself, too, with a fixed positional logit of 1e−6.
    public var seesItself: Bool
    /// ε of a layer normalisation of every head, with gain and bias shared by the heads; nil for none.
    public var normFloor: Double?

    /// Describes a layer.
    public init(
      heads: [GIHTransformer.Head], hasContent: Bool = true, hasValues: Bool = true,
      seesItself: Bool = false, normFloor: Double? = nil
    ) {
      self.heads = heads
      self.hasContent = hasContent
      self.hasValues = hasValues
      self.seesItself = seesItself
      self.normFloor = normFloor
    }

    /// The farthest lag.
    var reach: Int { heads.flatMap(\.lags).max() ?? 1 }
  }

  /// A feed-forward network u = LayerNorm(W₂ φ(W₁ v + b₁) + b₂).
  public struct Network: Sendable, Equatable {
    /// Rows of W₁.
    public var hidden: Int
    /// m, rows of W₂.
    public var features: Int
    /// φ.
    public var activation: Activation
    /// ε of the layer normalisation; nil for none.
    public var normFloor: Double?

    /// Describes a network.
    public init(hidden: Int, features: Int, activation: Activation, normFloor: Double?) {
      self.hidden = hidden
      self.features = features
      self.activation = activation
      self.normFloor = normFloor
    }
  }

  /// How positions are compared.
  public enum Comparison: Sendable, Equatable {
    /// The polynomial kernel k = Σ_S c_S² ∏_{h∈S} ⟨v^h, v^h⟩, divided by C_D = Σ c_S² if normalised, with inner
    /// products that pass max(·, 0) if rectified.
    case polynomial(degree: Int, hasEmptySet: Bool, isNormalised: Bool, isRectified: Bool)
    /// ⟨u_l, B u_{L+1}⟩/√m, of heads or of what a network makes of them.
    case innerProduct(Network?, isBilinear: Bool)
  }

  /// d.
  public let vocabulary: Int
  /// The attention layers in front of the read-out.
  public let attention: [Attention]
  /// How positions are compared.
  public let comparison: Comparison
  /// What a prediction costs.
  public let loss: OutputLoss
  /// The windows: lags from 0 on where a position's own token is seen.
  public let windowShape: WindowShape
  /// Names and groups of the parameters.
  public let layout: ParameterLayout

  let kernel: KernelForm
  let plan: StackPlan

  /// Describes a transformer.
  ///
  /// - Parameters:
  ///   - vocabulary: d ≥ 2.
  ///   - attention: at least one layer.
  ///   - comparison: of a degree in 1…H, or of a network with at least one hidden unit and feature.
  ///   - readOut: the positions the last layer reads.
  ///   - loss: what a prediction costs.
  public init(
    vocabulary: Int, attention: [Attention], comparison: Comparison,
    readOut: WindowShape.ReadOutRange = .fullWindow, loss: OutputLoss
  ) {
    precondition(!attention.isEmpty, "there is no attention layer")
    if case .polynomial(let degree, _, _, _) = comparison {
      precondition(
        (1...attention[attention.count - 1].heads.count).contains(degree),
        "the degree is between 1 and the number of heads")
    }
    self.vocabulary = vocabulary
    self.attention = attention
    self.comparison = comparison
    self.loss = loss
    let reach = attention.reduce(0) { $0 + $1.reach }
    // What no layer looks at is no part of a window.
    let isSimple =
      attention.count == 1 && !attention[0].hasContent && !attention[0].seesItself
    let lags = isSimple ? Set(attention[0].heads.flatMap(\.lags)).sorted() : Array(0...reach)
    windowShape = WindowShape(
      vocabulary: vocabulary, lags: lags, reach: reach, range: readOut)
    let plan = StackPlan(vocabulary: vocabulary, attention: attention, comparison: comparison)
    self.plan = plan
    layout = plan.layout
    let count = plan.layout.count
    switch comparison {
    case .polynomial(let degree, let hasEmptySet, let isNormalised, let isRectified):
      kernel = KernelForm(
        blocks: attention[attention.count - 1].heads.count, degree: degree,
        hasEmptySet: hasEmptySet, isNormalised: isNormalised, isRectified: isRectified
      ) { _ in count }
    case .innerProduct:
      kernel = KernelForm(
        innerProduct: 1 / Double(plan.featureWidth).squareRoot(), count: count)
    }
  }

  /// The same without the rectifier, which alone has a classical flow.
  public var smoothed: FullTransformer {
    guard case .polynomial(let degree, let hasEmptySet, let isNormalised, true) = comparison else {
      return self
    }
    return FullTransformer(
      vocabulary: vocabulary, attention: attention,
      comparison: .polynomial(
        degree: degree, hasEmptySet: hasEmptySet, isNormalised: isNormalised, isRectified: false),
      readOut: windowShape.range, loss: loss)
  }

  /// The parts of θ(0) that are not simply zero or one.
  public struct Start: Sendable, Equatable {
    /// c_S of every subset; nil for 1/√(number of subsets).
    public var coefficient: Double?
    /// w⁺ of each head's own lag, and w⁻ of its others.
    public var ownWeight, otherWeight: Double
    /// W_Q = W_K are so many times the identity, and W_OV.
    public var projection, valueMap: Double
    /// Entries of W₁ and W₂ are normal with this times 1/√(columns) as standard deviation; biases are zero.
    public var network: Double
    /// a.
    public var scale: Double

    /// Describes a start.
    public init(
      coefficient: Double? = nil, ownWeight: Double, otherWeight: Double, projection: Double,
      valueMap: Double, network: Double = 1, scale: Double
    ) {
      self.coefficient = coefficient
      self.ownWeight = ownWeight
      self.otherWeight = otherWeight
      self.projection = projection
      self.valueMap = valueMap
      self.network = network
      self.scale = scale
    }
  }

  /// θ(0): B is the identity, gains are one, biases zero.
  ///
  /// - Parameters:
  ///   - start: everything else.
  ///   - normal: draws from the standard normal law, for the entries of W₁ and then of W₂.
  /// - Returns: θ in the order of ``layout``.
  public func initialParameters(_ start: Start, normal: () -> Double) -> [Double] {
    plan.parts.flatMap { part -> [Double] in
      switch part.kind {
      case .coefficients:
        let value = start.coefficient ?? 1 / Double(part.count).squareRoot()
        return [Double](repeating: value, count: part.count)
      case .weights(let own): return own.map { $0 ? start.ownWeight : start.otherWeight }
      case .projections(let order):
        let size = part.name.hasSuffix("wov") ? start.valueMap : start.projection
        return (0..<part.count).map { $0 / order % order == $0 % order ? size : 0 }
      case .network(let columns):
        let size = start.network / Double(columns).squareRoot()
        return (0..<part.count).map { _ in size * normal() }
      case .identity(let order):
        return (0..<part.count).map { $0 / order == $0 % order ? 1 : 0 }
      case .gains: return [Double](repeating: 1, count: part.count)
      case .biases: return [Double](repeating: 0, count: part.count)
      case .scale: return [start.scale]
      }
    }
  }
}
