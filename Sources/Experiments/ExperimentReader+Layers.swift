import DeclaredKeys
import FlowAnalysis
import InductionHeads

// The full transformer: its keys, and what they have to do with each other.

extension ExperimentReader {
  mutating func checkLayers() {
    let comparison = document[Keys.comparison]
    func keep(_ addresses: [KeyAddress], with allowed: ComparisonKind...) {
      guard let comparison, !allowed.contains(comparison) else { return }
      let names = allowed.map(\.rawValue).joined(separator: " or ")
      for address in addresses where document.isGiven(address) {
        document.reject(
          address, found: "the key beside model.comparison: \(comparison.rawValue)",
          allowed: "only with comparison: \(names)", advice: "remove the key")
      }
    }
    keep(
      [
        Keys.degree.address(), Keys.emptySet.address(), Keys.normaliseKernel.address(),
        Keys.rectifier.address(), Keys.coefficient.address(),
      ], with: .polynomial)
    keep(
      [
        Keys.hidden.address(), Keys.features.address(), Keys.activation.address(),
        Keys.networkNorm.address(), Keys.networkScale.address(),
      ], with: .network)
    keep([Keys.bilinear.address()], with: .network, .heads)
    if document.isGiven(Keys.upperHeads.address()) != document.isGiven(Keys.upperWindow.address()) {
      let isMissing = !document.isGiven(Keys.upperWindow.address())
      let address = isMissing ? Keys.upperHeads.address() : Keys.upperWindow.address()
      document.reject(
        address, found: "the key without model.\(isMissing ? "upper_window" : "upper_heads")",
        allowed: "both, or none", advice: "add the other one, or remove this")
    }
    if document[Keys.rectifier] == .training, (document[Keys.optimizers] ?? []).isEmpty,
      (document[Keys.factors] ?? []).isEmpty
    {
      document.reject(
        Keys.rectifier.address(), found: "training without training.optimizers",
        allowed: "with an optimiser, which alone sees the rectifier",
        advice: "write training.optimizers: [gd], or leave model.rectifier out")
    }
    let seesTokens =
      document[Keys.content] == true || document[Keys.ownPosition] == true
      || document.isGiven(Keys.upperHeads.address())
    if document[Keys.source] == .population, seesTokens {
      document.reject(
        Keys.source.address(), found: "population with heads that see a position's own token",
        allowed: "chains or tokens; population only with model.content: false, without "
          + "model.own_position and model.upper_heads",
        advice: "write data.source: chains, or model.content: false")
    }
    if document[Keys.features] == 1, comparison == .network, document[Keys.networkNorm] == true {
      document.reject(
        Keys.features.address(), found: "1 with model.network_norm",
        allowed: "at least 2 features, for normalisation makes a single one constant",
        advice: "raise it, or set model.network_norm: false")
    }
    if document[Keys.rectifier] == .training, document[Keys.claims]?.contains(.descentOrder) == true
    {
      document.reject(
        Keys.rectifier.address(), found: "training with the claim D1",
        allowed: "D1 where descent and flow have the same loss", advice: "remove one of the two")
    }
    checkTrainedGroups()
    checkPatterns()
  }

  /// Stages train what there is; where an axis changes the model, something that there is.
  private mutating func checkTrainedGroups() {
    for index in 0..<(document[Keys.stages]?.count ?? 0) {
      guard let groups = document[Keys.train, index] else { continue }
      let lacking = groups.filter { !hasGroup($0) }
      guard !lacking.isEmpty, !sweepsModel || lacking.count == groups.count else { continue }
      document.reject(
        Keys.train.address(index),
        found: "\(lacking.map(\.rawValue).joined(separator: ", ")), which this model does not have",
        allowed: ModelFamily.fullTransformer.groups.filter(hasGroup).map(\.rawValue)
          .joined(separator: " | "),
        advice: "remove it, or give the model that part")
    }
  }

  /// Whether the model has a group of parameters; those that no full transformer has are refused elsewhere.
  func hasGroup(_ group: ParameterGroup) -> Bool {
    guard document[Keys.family] == .fullTransformer else { return true }
    let comparison = document[Keys.comparison]
    let hasUpper = document.isGiven(Keys.upperHeads.address())
    return switch group {
    case .coefficients: comparison == .polynomial
    case .queries, .keys: document[Keys.content] == true
    case .valueMaps: document[Keys.valueMaps] == true
    case .headNorm: document[Keys.headNorm] == true
    case .upperWeights: hasUpper
    case .upperQueries, .upperKeys: hasUpper && document[Keys.content] == true
    case .upperValueMaps: hasUpper && document[Keys.valueMaps] == true
    case .upperHeadNorm: hasUpper && document[Keys.headNorm] == true
    case .network: comparison == .network
    case .bilinear: document[Keys.bilinear] == true
    default: true
    }
  }

  /// Shares of sets of lags are means over all pairs of windows.
  private mutating func checkPatterns() {
    guard let window = document[Keys.window], let d = document[Keys.vocabulary] else { return }
    let reach = window + (document[Keys.upperWindow] ?? 0)
    let pairs = LearnedShares.pairCount(vocabulary: d, window: reach)
    if pairs.map({ $0 <= LearnedShares.largestPairCount }) == true { return }
    let key =
      document[Keys.upperWindow].map { $0 > window } == true ? Keys.upperWindow : Keys.window
    document.reject(
      key.address(), found: "\(reach) positions in all over \(d) tokens",
      allowed: "at most \(LearnedShares.largestPairCount) pairs of windows, d^(2·window + 1)",
      advice: "narrow the window, for shares are means over all pairs")
  }

  func layers() throws(DocumentError) -> LayerSettings {
    let comparison = try document.required(Keys.comparison)
    let network = NetworkSettings(
      hidden: try document.required(Keys.hidden), features: try document.required(Keys.features),
      activation: try document.required(Keys.activation),
      isNormalised: try document.required(Keys.networkNorm))
    var upper: UpperLayerSettings?
    if let heads = document[Keys.upperHeads] {
      upper = UpperLayerSettings(heads: heads, window: try document.required(Keys.upperWindow))
    }
    return LayerSettings(
      hasContent: try document.required(Keys.content),
      hasValues: try document.required(Keys.valueMaps),
      seesItself: try document.required(Keys.ownPosition),
      normalisesHeads: try document.required(Keys.headNorm),
      normFloor: try document.required(Keys.normFloor), comparison: comparison,
      network: comparison == .network ? network : nil,
      isBilinear: try document.required(Keys.bilinear),
      rectifier: try document.required(Keys.rectifier), upper: upper)
  }
}
