import Corpora

/// The features of a ``FullTransformer``: its layers, one after the other.
final class LayerStack: FeatureMap {
  let blocks: Int
  let blockWidth: Int
  let parameters: Range<Int>
  /// The tables that are compared; the same unless queries pass a matrix of their own.
  private let keyTable, queryTable: FeatureTable
  private let layers: [any FeatureLayer]
  /// Room for a gradient that nobody wants.
  private let dropped: Buffer
  /// The attention layers among them.
  let attention: [AttentionLayer]

  /// Makes the layers and their buffers.
  ///
  /// - Parameters:
  ///   - model: what they compute.
  ///   - stages: the windows of its attention layers.
  init(_ model: FullTransformer, _ stages: WindowStages) {
    let plan = model.plan
    func place(_ name: String) -> Int {
      guard let start = plan.start(of: name) else { preconditionFailure("no group \(name)") }
      return start
    }
    var layers: [any FeatureLayer] = []
    var attention: [AttentionLayer] = []
    var table = FeatureTable(tokens: model.vocabulary)
    for (index, (layer, stage)) in zip(model.attention, stages.stages).enumerated() {
      let prefix = StackPlan.prefix(index)
      let order = table.width
      var weight = place(prefix + "w")
      let heads = layer.heads.enumerated().map { h, head in
        let lags = head.lags.map { lag -> (lag: Int, weight: Int) in
          defer { weight += 1 }
          return (lag, weight)
        }
        return AttentionLayer.Head(
          lags: (layer.seesItself ? [(0, -1)] : []) + lags,
          projections: layer.hasContent
            ? (place(prefix + "wq") + h * order * order, place(prefix + "wk") + h * order * order)
            : nil)
      }
      let mixing = AttentionLayer(table, stage, heads: heads)
      attention.append(mixing)
      layers.append(mixing)
      if layer.hasValues {
        layers.append(
          AffineLayer(
            layers[layers.count - 1].output, blocks: heads.count, width: order,
            weights: place(prefix + "wov")))
      }
      if let floor = layer.normFloor {
        layers.append(
          LayerNormLayer(
            layers[layers.count - 1].output, blocks: heads.count, floor: floor,
            gains: place(prefix + "ln.gain"), biases: place(prefix + "ln.bias")))
      }
      table = layers[layers.count - 1].output
    }
    if case .innerProduct(let network?, _) = model.comparison {
      let first = AffineLayer(
        table, width: network.hidden, weights: place("w1"), biases: place("b1"))
      let hidden = ActivationLayer(first.output, network.activation)
      let second = AffineLayer(
        hidden.output, width: network.features, weights: place("w2"), biases: place("b2"))
      layers += [first, hidden, second]
      table = second.output
      if let floor = network.normFloor {
        let norm = LayerNormLayer(
          table, floor: floor, gains: place("ffn.gain"), biases: place("ffn.bias"))
        layers.append(norm)
        table = norm.output
      }
    }
    keyTable = table
    if let start = plan.start(of: "b") {
      let bilinear = AffineLayer(table, width: table.width, weights: start)
      layers.append(bilinear)
      table = bilinear.output
    }
    queryTable = table
    self.layers = layers
    self.attention = attention
    blocks = model.kernel.blocks
    blockWidth = keyTable.width / model.kernel.blocks
    parameters = model.kernel.coefficientCount..<model.kernel.scaleIndex
    dropped = Buffer(parameters.upperBound)
  }

  /// What layers read and is not the tokens themselves.
  private var variableInputs: [FeatureTable] {
    layers.flatMap(\.inputs).filter { !$0.isConstant }
  }

  var rowLength: Int { keyTable.rowLength }
  var keys: Buffer { keyTable.value }
  var queries: Buffer { queryTable.value }
  var keyTangents: Buffer { keyTable.tangent }
  var queryTangents: Buffer { queryTable.tangent }

  func prepare(_ parameters: UnsafePointer<Double>) {
    for layer in layers { layer.forward(parameters) }
  }

  func prepareTangents(
    _ parameters: UnsafePointer<Double>, _ direction: UnsafePointer<Double>
  ) {
    for layer in layers { layer.tangent(parameters, direction) }
  }

  func pullBack(
    _ parameters: UnsafePointer<Double>, keys: Buffer, queries: Buffer,
    into gradient: UnsafeMutablePointer<Double>
  ) {
    for input in variableInputs { input.adjoint.clear() }
    queryTable.adjoint.take(queries)
    if !isSymmetric { keyTable.adjoint.take(keys) }
    for layer in layers.reversed() { layer.pullBack(parameters, into: gradient) }
  }

  func pullBackTangents(
    _ parameters: UnsafePointer<Double>, _ direction: UnsafePointer<Double>,
    keys: (adjoint: Buffer, tangent: Buffer), queries: (adjoint: Buffer, tangent: Buffer),
    into product: UnsafeMutablePointer<Double>
  ) {
    // The plain adjoints come along; what they mean for θ is dropped.
    pullBack(parameters, keys: keys.adjoint, queries: queries.adjoint, into: dropped.pointer)
    for input in variableInputs { input.adjointTangent.clear() }
    queryTable.adjointTangent.take(queries.tangent)
    if !isSymmetric { keyTable.adjointTangent.take(keys.tangent) }
    for layer in layers.reversed() {
      layer.pullBackTangent(parameters, direction, into: product)
    }
  }

  /// By Cauchy and Schwarz, from the largest norms.
  var overlapRange: ClosedRange<Double> {
    var largest = 0.0
    for block in 0..<blocks {
      largest = max(largest, norm(keyTable, block) * norm(queryTable, block))
    }
    return -largest...largest
  }

  /// The largest norm of a block of any window's features.
  private func norm(_ table: FeatureTable, _ block: Int) -> Double {
    var squares = [Double](repeating: 0, count: table.count)
    for row in block * blockWidth..<(block + 1) * blockWidth {
      let values = table.value.pointer + row * table.rowLength
      for window in 0..<table.count { squares[window] += values[window] * values[window] }
    }
    return (squares.max() ?? 0).squareRoot()
  }
}

extension Buffer {
  /// Takes over the values of another one of the same length.
  func take(_ other: Buffer) { pointer.update(from: other.pointer, count: count) }
}
