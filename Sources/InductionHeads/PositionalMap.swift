/// The features of the GIH transformer: heads that copy by their position alone, as they are or divided by
/// their norms.
final class PositionalMap: FeatureMap {
  let features: WindowFeatures
  let normalisation: HeadNormalisation?
  /// σ per mask and v per window, with their tangents; `copied` are v before they are divided by their norms,
  /// the same buffers where they are not.
  let attention: Buffer
  let attentionTangent: Buffer
  let copied: Buffer
  let copiedTangent: Buffer
  let keys: Buffer
  let keyTangents: Buffer
  let parameters: Range<Int>
  /// w of the σ and v at hand.
  private var preparedWeights: [Double]?

  /// Makes the buffers.
  ///
  /// - Parameters:
  ///   - features: the heads on the windows.
  ///   - normalises: whether heads are divided by their norms.
  ///   - parameters: the positions of w in θ.
  init(_ features: WindowFeatures, normalises: Bool, parameters: Range<Int>) {
    self.features = features
    self.parameters = parameters
    attention = Buffer(features.maskCount * features.weightCount)
    attentionTangent = Buffer(attention.count)
    copied = Buffer(features.tableSize)
    copiedTangent = Buffer(features.tableSize)
    normalisation = normalises ? HeadNormalisation(features) : nil
    keys = normalises ? Buffer(features.tableSize) : copied
    keyTangents = normalises ? Buffer(features.tableSize) : copiedTangent
  }

  var blocks: Int { features.headCount }
  var blockWidth: Int { features.vocabulary }
  var rowLength: Int { features.rowLength }
  var queries: Buffer { keys }
  var queryTangents: Buffer { keyTangents }
  /// Features are not negative, and of every head they sum to one, or have norm one, at the most.
  var overlapRange: ClosedRange<Double> { 0...1 }

  func prepare(_ parameters: UnsafePointer<Double>) {
    let weights = UnsafeBufferPointer(
      start: parameters + self.parameters.lowerBound, count: self.parameters.count)
    // In stages that do not train w, σ and v stay what they are.
    if let preparedWeights, weights.elementsEqual(preparedWeights) { return }
    preparedWeights = Array(weights)
    features.attention(parameters + self.parameters.lowerBound, into: attention.pointer)
    features.forward(attention: attention.pointer, into: copied.pointer)
    normalisation?.normalise(copied.pointer, into: keys.pointer)
  }

  func prepareTangents(
    _ parameters: UnsafePointer<Double>, _ direction: UnsafePointer<Double>
  ) {
    features.tangent(
      attention: attention.pointer, weightTangent: direction + self.parameters.lowerBound,
      attentionTangent: attentionTangent.pointer, into: copiedTangent.pointer)
    if let normalisation {
      keyTangents.pointer.update(from: copiedTangent.pointer, count: keyTangents.count)
      normalisation.apply(to: keyTangents.pointer, at: copied.pointer)
    }
  }

  func pullBack(
    _ parameters: UnsafePointer<Double>, keys: Buffer, queries: Buffer,
    into gradient: UnsafeMutablePointer<Double>
  ) {
    normalisation?.apply(to: keys.pointer, at: copied.pointer)
    features.pullback(
      attention: attention.pointer, features: copied.pointer, featureAdjoint: keys.pointer,
      into: gradient + self.parameters.lowerBound)
  }

  func pullBackTangents(
    _ parameters: UnsafePointer<Double>, _ direction: UnsafePointer<Double>,
    keys: (adjoint: Buffer, tangent: Buffer), queries: (adjoint: Buffer, tangent: Buffer),
    into product: UnsafeMutablePointer<Double>
  ) {
    normalisation?.pullBack(
      keys.adjoint.pointer, tangent: keys.tangent.pointer, at: copied.pointer,
      along: copiedTangent.pointer)
    features.pullbackTangent(
      attention: attention.pointer, attentionTangent: attentionTangent.pointer,
      features: copied.pointer, featureTangent: copiedTangent.pointer,
      featureAdjoint: keys.adjoint.pointer, featureAdjointTangent: keys.tangent.pointer,
      into: product + self.parameters.lowerBound)
  }
}
