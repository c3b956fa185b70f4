import DeclaredKeys
import FlowAnalysis
import InductionHeads

extension ExperimentKeys {
  // MARK: - The full transformer

  static let content = Key.boolean(
    "model.content", default: .value(true),
    "Whether the heads' logits have a part x(l)ᵀ W_Q W_Kᵀ x(l − i), with W_Q and W_K of each head")
  static let valueMaps = Key.boolean(
    "model.value_maps", default: .value(true), "Whether each head's output passes a matrix W_OV")
  static let ownPosition = Key.boolean(
    "model.own_position", default: .value(false),
    "Whether heads see the position itself, too, with a fixed positional logit of 1e-6")
  static let headNorm = Key.boolean(
    "model.head_norm", default: .value(false),
    "Whether each head's output is normalised (LayerNorm, gain and bias shared by the heads)")
  static let normFloor = Key.real(
    "model.norm_floor", .nonNegative, default: .value(1e-5),
    "ε under the root of every layer normalisation; 0 makes norms conserved, and equal features singular"
  )
  static let comparison = Key<ComparisonKind>.choice(
    "model.comparison", default: .value(.network),
    "How positions are compared: by the polynomial kernel of the heads, by the inner product of what a "
      + "network makes of them, or by that of the heads themselves")
  static let hidden = Key.integer(
    "model.hidden", IntegerRange(1...2048), unit: "units", default: .value(64),
    "The hidden units of the network; only with comparison: network")
  static let features = Key.integer(
    "model.features", IntegerRange(1...2048), unit: "features", default: .value(64),
    "The features m that the network makes; only with comparison: network")
  static let activation = Key<Activation>.choice(
    "model.activation", default: .value(.gelu),
    "The activation of the hidden units; only with comparison: network")
  static let networkNorm = Key.boolean(
    "model.network_norm", default: .value(true),
    "Whether the network's output is normalised (LayerNorm); only with comparison: network")
  static let bilinear = Key.boolean(
    "model.bilinear", default: .value(false),
    "Whether the second attention compares through a trained matrix B instead of the identity; not with "
      + "comparison: polynomial")
  static let rectifier = Key<RectifierUse>.choice(
    "model.rectifier", default: .value(.none),
    "Where inner products of heads pass max(·, 0): nowhere, or in discrete training alone, beside the "
      + "flow of the smooth model; only with comparison: polynomial")
  static let upperHeads = Key.integer(
    "model.upper_heads", IntegerRange(1...12), unit: "heads", default: .described("none"),
    sample: "2", "The heads of a further attention layer over the first one, if there is one")
  static let upperWindow = Key.integer(
    "model.upper_window", IntegerRange(1...16), unit: "positions",
    default: .described("none; required with model.upper_heads"), sample: "2",
    "How far back the heads of the further layer look")
  static let projection = Key.real(
    "initial.projection", .any, default: .value(0.01),
    "W_Q and W_K are so many times the identity at the start")
  static let valueMap = Key.real(
    "initial.value_map", .any, default: .value(1),
    "W_OV is so many times the identity at the start")
  static let networkScale = Key.real(
    "initial.network", .positive, default: .value(1),
    "The entries of W₁ and W₂ are normal with this over √(columns) as standard deviation at the start"
  )

  /// What only the full transformer has.
  static let ofFullTransformer = [
    content.declaration, valueMaps.declaration, ownPosition.declaration, headNorm.declaration,
    normFloor.declaration, comparison.declaration, hidden.declaration, features.declaration,
    activation.declaration, networkNorm.declaration, bilinear.declaration, rectifier.declaration,
    upperHeads.declaration, upperWindow.declaration, projection.declaration, valueMap.declaration,
    networkScale.declaration,
  ]

  /// What only the transformer TF(M, H, d, D) has.
  static let ofSimplifiedTransformer = [positions.declaration, normaliseHeads.declaration]

  /// What a family has no use for.
  static func foreign(to family: ModelFamily) -> [KeyDeclaration] {
    switch family {
    case .inductionHeads: ofMixedTarget + ofFullTransformer
    case .mixedTarget: ofWindows + ofSimplifiedTransformer + ofFullTransformer
    case .fullTransformer: ofMixedTarget + ofSimplifiedTransformer
    }
  }
}

extension ModelFamily {
  /// Whether a claim is about transformers of this family.
  func judges(_ claim: Claim) -> Bool {
    if claim.isAboutTraining { return self != .fullTransformer || claim != .descentDrift }
    return switch self {
    case .inductionHeads: !claim.isAboutMixedTarget
    case .mixedTarget: claim.isAboutMixedTarget
    case .fullTransformer: claim == .learnedLags || claim.isAboutEvaluation
    }
  }

  /// The groups of parameters that there are.
  var groups: [ParameterGroup] {
    switch self {
    case .inductionHeads: [.coefficients, .weights, .scale]
    case .mixedTarget: [.firstRate, .rate, .firstValue, .value, .weights]
    case .fullTransformer:
      [
        .coefficients, .queries, .keys, .weights, .valueMaps, .headNorm, .upperQueries, .upperKeys,
        .upperWeights, .upperValueMaps, .upperHeadNorm, .network, .bilinear, .scale,
      ]
    }
  }
}
