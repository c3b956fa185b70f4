public import DeclaredKeys
public import InductionHeads

/// What the full transformer has beside the heads and lags of TF(M, H, d, D).
public struct LayerSettings: Sendable, Hashable {
  /// Whether heads see content, through W_Q and W_K.
  public var hasContent: Bool
  /// Whether each head's output passes W_OV.
  public var hasValues: Bool
  /// Whether heads see the position itself, too.
  public var seesItself: Bool
  /// Whether each head's output is normalised.
  public var normalisesHeads: Bool
  /// ε of every layer normalisation.
  public var normFloor: Double
  /// How positions are compared.
  public var comparison: ComparisonKind
  /// The network; nil where heads are compared as they are.
  public var network: NetworkSettings?
  /// Whether the second attention has a trained matrix.
  public var isBilinear: Bool
  /// Where inner products pass max(·, 0).
  public var rectifier: RectifierUse
  /// Heads and reach of a further attention layer over those of the first.
  public var upper: UpperLayerSettings?
}

/// A feed-forward network.
public struct NetworkSettings: Sendable, Hashable {
  /// Hidden units.
  public var hidden: Int
  /// Features m.
  public var features: Int
  /// The activation of the hidden units.
  public var activation: Activation
  /// Whether its output is normalised.
  public var isNormalised: Bool
}

/// An attention layer over the first one.
public struct UpperLayerSettings: Sendable, Hashable {
  /// Its heads.
  public var heads: Int
  /// How far back it looks.
  public var window: Int
}

/// How a full transformer compares positions.
public enum ComparisonKind: String, KeyChoice {
  /// By the polynomial kernel of the heads.
  case polynomial
  /// By the inner product of what a network makes of the heads.
  case network
  /// By the inner product of the heads.
  case heads
}

/// Where inner products of heads pass max(·, 0).
public enum RectifierUse: String, KeyChoice {
  /// Nowhere.
  case none
  /// In discrete training; the flow beside it, which a kink would break, is that of the smooth model.
  case training
}

extension Activation: KeyChoice {}

extension LayerSettings {
  /// The first attention layer.
  func attention(_ heads: [GIHTransformer.Head]) -> FullTransformer.Attention {
    FullTransformer.Attention(
      heads: heads, hasContent: hasContent, hasValues: hasValues, seesItself: seesItself,
      normFloor: normalisesHeads ? normFloor : nil)
  }

  /// The further one, whose h-th head starts at lag h, or where there is none at the last.
  var upperAttention: [FullTransformer.Attention] {
    guard let upper else { return [] }
    return [
      attention(
        (1...upper.heads).map {
          GIHTransformer.Head(lags: Array(1...upper.window), ownLag: min($0, upper.window))
        })
    ]
  }

  /// How positions are compared.
  func comparison(_ model: ModelSettings) -> FullTransformer.Comparison {
    switch comparison {
    case .polynomial:
      .polynomial(
        degree: model.degree, hasEmptySet: model.hasEmptySet,
        isNormalised: model.normalisesKernel, isRectified: rectifier == .training)
    case .heads: .innerProduct(nil, isBilinear: isBilinear)
    case .network:
      .innerProduct(
        network.map {
          FullTransformer.Network(
            hidden: $0.hidden, features: $0.features, activation: $0.activation,
            normFloor: $0.isNormalised ? normFloor : nil)
        }, isBilinear: isBilinear)
    }
  }
}

extension InitialValues {
  /// θ(0) of a model but for noise and exceptions.
  func parameters(of model: any WindowModel, normal: () -> Double) -> [Double] {
    if let model = model as? GIHTransformer {
      return model.initialParameters(
        coefficient: coefficient, ownWeight: ownWeight, otherWeight: otherWeight, scale: scale)
    }
    guard let model = model as? FullTransformer else {
      preconditionFailure("a model without a start")
    }
    return model.initialParameters(
      FullTransformer.Start(
        coefficient: coefficient, ownWeight: ownWeight, otherWeight: otherWeight,
        projection: projection, valueMap: valueMap, network: network, scale: scale),
      normal: normal)
  }
}
