import Objectives

/// Where the parameters of a ``FullTransformer`` stand in θ, and how wide its layers are.
struct StackPlan: Sendable, Equatable {
  /// Parameters that belong together.
  struct Part: Sendable, Equatable {
    let name: String
    /// The group that it is trained with, if that is another name.
    var group: String
    let parameters: [String]
    let kind: Kind
    var count: Int { parameters.count }

    init(name: String, group: String? = nil, parameters: [String], kind: Kind) {
      self.name = name
      self.group = group ?? name
      self.parameters = parameters
      self.kind = kind
    }
  }

  /// What a part is, as far as its start is concerned.
  enum Kind: Sendable, Equatable {
    case coefficients
    /// w; for each of them whether it is that of a head's own lag.
    case weights(own: [Bool])
    /// Square matrices, one for each head.
    case projections(order: Int)
    /// A matrix of a network.
    case network(columns: Int)
    /// One square matrix.
    case identity(order: Int)
    case gains
    case biases
    case scale
  }

  /// The parts in the order of θ: c, layer by layer, a.
  let parts: [Part]
  let layout: ParameterLayout
  /// Features of what is compared.
  let featureWidth: Int
  /// Features of all layers' outputs together.
  let layerWidth: Int

  init(
    vocabulary: Int, attention: [FullTransformer.Attention],
    comparison: FullTransformer.Comparison
  ) {
    var parts: [Part] = []
    if case .polynomial(let degree, let hasEmptySet, _, _) = comparison {
      let heads = attention[attention.count - 1].heads.count
      let subsets = HeadSubsets(heads: heads, degree: degree).members
      parts.append(
        Part(
          name: "c",
          parameters: subsets.dropFirst(hasEmptySet ? 0 : 1).map {
            "c.\(GIHTransformer.name(of: $0))"
          }, kind: .coefficients))
    }
    var width = vocabulary
    var total = 0
    for (index, layer) in attention.enumerated() {
      parts += Self.parts(of: layer, width: width, prefix: Self.prefix(index))
      width *= layer.heads.count
      total += width * (1 + (layer.hasValues ? 1 : 0) + (layer.normFloor == nil ? 0 : 2))
    }
    if case .innerProduct(let network, let isBilinear) = comparison {
      if let network {
        parts += Self.parts(of: network, width: width)
        width = network.features
        total += 2 * network.hidden + width * (network.normFloor == nil ? 1 : 3)
      }
      if isBilinear {
        parts.append(
          Part(name: "b", parameters: Self.names("b", width, width), kind: .identity(order: width))
        )
      }
    }
    parts.append(Part(name: "a", parameters: ["a"], kind: .scale))
    self.parts = parts
    var groups: [(name: String, parameters: [String])] = []
    for part in parts {
      if groups.last?.name == part.group {
        groups[groups.count - 1].parameters += part.parameters
      } else {
        groups.append((part.group, part.parameters))
      }
    }
    layout = ParameterLayout(groups)
    featureWidth = width
    layerWidth = total + width
  }

  /// What the groups of an attention layer begin with: nothing for the first, `upper.` for the second,
  /// `upper2.` and so on.
  static func prefix(_ layer: Int) -> String {
    layer == 0 ? "" : layer == 1 ? "upper." : "upper\(layer)."
  }

  /// The groups of an attention layer.
  private static func parts(
    of layer: FullTransformer.Attention, width: Int, prefix: String
  ) -> [Part] {
    func projection(_ name: String) -> Part {
      Part(
        name: prefix + name,
        parameters: (1...layer.heads.count).flatMap {
          names("\(prefix)\(name).\($0)", width, width)
        }, kind: .projections(order: width))
    }
    var parts = layer.hasContent ? [projection("wq"), projection("wk")] : []
    parts.append(
      Part(
        name: prefix + "w",
        parameters: layer.heads.enumerated().flatMap { h, head in
          head.lags.map { "\(prefix)w.\(h + 1).\($0)" }
        },
        kind: .weights(own: layer.heads.flatMap { head in head.lags.map { $0 == head.ownLag } })))
    if layer.hasValues { parts.append(projection("wov")) }
    if layer.normFloor != nil { parts += norm(prefix + "ln", width: width) }
    return parts
  }

  /// The groups of a network.
  private static func parts(of network: FullTransformer.Network, width: Int) -> [Part] {
    func affine(_ layer: Int, rows: Int, columns: Int) -> [Part] {
      [
        Part(
          name: "w\(layer)", group: "ffn", parameters: names("w\(layer)", rows, columns),
          kind: .network(columns: columns)),
        Part(
          name: "b\(layer)", group: "ffn", parameters: (1...rows).map { "b\(layer).\($0)" },
          kind: .biases),
      ]
    }
    return affine(1, rows: network.hidden, columns: width)
      + affine(2, rows: network.features, columns: network.hidden)
      + (network.normFloor == nil ? [] : norm("ffn", width: network.features))
  }

  /// The groups of a layer normalisation.
  private static func norm(_ name: String, width: Int) -> [Part] {
    [("gain", Kind.gains), ("bias", .biases)].map { part, kind in
      Part(
        name: "\(name).\(part)", group: name,
        parameters: (1...width).map { "\(name).\(part).\($0)" },
        kind: kind)
    }
  }

  /// The entries of a matrix, row by row.
  private static func names(_ name: String, _ rows: Int, _ columns: Int) -> [String] {
    (1...rows).flatMap { row in (1...columns).map { "\(name).\(row).\($0)" } }
  }

  /// The positions of a part in θ; nil where there is none of that name.
  func range(of name: String) -> Range<Int>? {
    var first = 0
    for part in parts {
      if part.name == name { return first..<first + part.count }
      first += part.count
    }
    return nil
  }

  /// Where a part begins in θ.
  func start(of name: String) -> Int? { range(of: name)?.lowerBound }
}
