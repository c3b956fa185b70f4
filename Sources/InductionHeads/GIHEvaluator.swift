import Corpora
import Objectives
import ParallelLoops

/// Loss, gradient and curvature of a ``GIHObjective``, with buffers made once.
///
/// Every evaluation runs features per distinct window, then kernel, read-out and adjoints tile by
/// tile of the work plan, then a reduction over lanes in their order.
final class GIHEvaluator: ObjectiveEvaluator {
  let model: GIHTransformer
  let loss: any PairLoss
  let features: WindowFeatures
  let plan: WorkPlan
  let kernel: PolynomialKernel
  let keyWindows: [UInt32]
  let threads: Int

  /// p_S and, for products with the Hessian, ṗ_S.
  let shares: Buffer
  let shareTangent: Buffer
  /// σ per mask and v per window, with their tangents.
  let attention: Buffer
  let attentionTangent: Buffer
  let values: Buffer
  let valueTangent: Buffer
  let lanes: [Lane]

  /// Scratch over the keys of one block, and the sums of one lane.
  final class Lane {
    let gathered, overlaps, products, kernel, logits: Buffer
    let kernelAdjoint, productAdjoints, overlapAdjoints: Buffer
    /// Σ k̄ m_S and its tangent.
    let productSums, productSumTangents: Buffer
    /// v̄, shape (H, d, windows).
    let featureAdjoint: Buffer
    /// The read-out and the data.
    let readOut: any LanePairLoss
    var loss = 0.0
    var scaleAdjoint = 0.0
    var scaleAdjointTangent = 0.0
    /// What only second derivatives need, made at their first use.
    lazy var tangents = TangentScratch(self)
    var curvature: CurvatureScratch?

    init(
      subsets: Int, heads: Int, vocabulary: Int, width: Int, features: Int,
      readOut: any LanePairLoss
    ) {
      self.readOut = readOut
      gathered = Buffer(heads * vocabulary * width)
      overlaps = Buffer(heads * width)
      products = Buffer(subsets * width)
      kernel = Buffer(width)
      logits = Buffer(width)
      kernelAdjoint = Buffer(width)
      productAdjoints = Buffer(subsets * width)
      overlapAdjoints = Buffer(heads * width)
      productSums = Buffer(subsets)
      productSumTangents = Buffer(subsets)
      featureAdjoint = Buffer(features)
    }

    func clear() {
      loss = 0
      scaleAdjoint = 0
      scaleAdjointTangent = 0
      productSums.clear()
      featureAdjoint.clear()
    }
  }

  /// The tangents of a lane's buffers.
  final class TangentScratch {
    let gathered, overlaps, products, kernel, logits: Buffer
    let kernelAdjoint, productAdjoints, overlapAdjoints, featureAdjoint: Buffer

    init(_ lane: Lane) {
      gathered = Buffer(lane.gathered.count)
      overlaps = Buffer(lane.overlaps.count)
      products = Buffer(lane.products.count)
      kernel = Buffer(lane.kernel.count)
      logits = Buffer(lane.logits.count)
      kernelAdjoint = Buffer(lane.kernelAdjoint.count)
      productAdjoints = Buffer(lane.productAdjoints.count)
      overlapAdjoints = Buffer(lane.overlapAdjoints.count)
      featureAdjoint = Buffer(lane.featureAdjoint.count)
    }
  }

  init(_ objective: GIHObjective, threads: Int) {
    precondition(threads >= 1, "threads must be ≥ 1")
    model = objective.model
    loss = objective.loss
    features = objective.features
    plan = objective.loss.plan
    keyWindows = objective.loss.keyWindows
    self.threads = threads
    let width = plan.widestBlock
    let subsets = model.subsets.count
    let featureCount = features.windowCount * features.width
    kernel = PolynomialKernel(
      subsets: model.subsets, headCount: model.heads.count, vocabulary: model.vocabulary,
      stride: width)
    shares = Buffer(subsets)
    shareTangent = Buffer(subsets)
    attention = Buffer(features.maskCount * features.weightCount)
    attentionTangent = Buffer(attention.count)
    values = Buffer(featureCount)
    valueTangent = Buffer(featureCount)
    let (heads, features) = (model.heads.count, features)
    let loss = objective.loss
    lanes = loss.plan.lanes.map { _ in
      Lane(
        subsets: subsets, heads: heads, vocabulary: features.vocabulary, width: width,
        features: featureCount, readOut: loss.makeLane())
    }
  }

  func loss(at parameters: Span<Double>) -> Double {
    evaluate(at: parameters, adjoints: false)
    return meanLoss
  }

  func gradient(at parameters: Span<Double>, into gradient: inout MutableSpan<Double>) -> Double {
    evaluate(at: parameters, adjoints: true)
    let total = lanes[0]
    for lane in lanes.dropFirst() {
      total.scaleAdjoint += lane.scaleAdjoint
      total.productSums.add(lane.productSums)
      total.featureAdjoint.add(lane.featureAdjoint)
    }
    let mean = 1 / Double(loss.count)
    writeCoefficientGradient(parameters, sums: total.productSums, mean, into: &gradient)
    let weightAdjoint = Buffer(features.weightCount)
    features.pullback(
      attention: attention.pointer, features: values.pointer,
      featureAdjoint: total.featureAdjoint.pointer, into: weightAdjoint.pointer)
    for j in 0..<features.weightCount {
      gradient[model.coefficientCount + j] = mean * weightAdjoint.pointer[j]
    }
    gradient[model.scaleIndex] = mean * total.scaleAdjoint
    return meanLoss
  }

  /// Computes p, σ and v from θ.
  func prepare(_ parameters: Span<Double>) {
    for (subset, share) in model.shares(parameters).enumerated() { shares.pointer[subset] = share }
    parameters.withUnsafeBufferPointer { theta in
      guard let base = theta.baseAddress else { return }
      features.attention(base + model.coefficientCount, into: attention.pointer)
    }
    features.forward(attention: attention.pointer, into: values.pointer)
  }

  /// Runs all lanes: the loss, and the sums over adjoints when asked for.
  private func evaluate(at parameters: Span<Double>, adjoints: Bool) {
    prepare(parameters)
    let scale = parameters[model.scaleIndex]
    forEachLane(lanes.count, threads: threads) { index in
      let lane = lanes[index]
      lane.clear()
      for tile in plan.lanes[index] {
        let blocks = plan.blocks[tile]
        forEach(blocks) { place, block, windows in
          forward(block, windows: windows, scale: scale, lane)
          lane.readOut.take(block, at: place, windows: windows, logits: lane.logits.pointer)
        }
        lane.loss += lane.readOut.evaluate(blocks, adjoints: adjoints)
        if !adjoints { continue }
        forEach(blocks) { place, block, windows in
          // Of several blocks only the last one's kernel is still there.
          if blocks.count > 1 { forward(block, windows: windows, scale: scale, lane) }
          backward(block, at: place, windows: windows, scale: scale, lane)
        }
      }
    }
  }

  /// Calls `body` with the place, the block and the windows of its keys, for each block of a tile.
  func forEach(
    _ blocks: ArraySlice<WorkPlan.Block>,
    _ body: (Int, WorkPlan.Block, UnsafePointer<UInt32>) -> Void
  ) {
    keyWindows.withUnsafeBufferPointer { windows in
      guard let base = windows.baseAddress else { return }
      for (place, block) in blocks.enumerated() { body(place, block, base + block.keys.lowerBound) }
    }
  }

  private var meanLoss: Double {
    lanes.reduce(0) { $0 + $1.loss } / Double(loss.count)
  }

  /// g, m, k and z = a k of a block's keys.
  func forward(
    _ block: WorkPlan.Block, windows: UnsafePointer<UInt32>, scale: Double, _ lane: Lane
  ) {
    let count = block.slots
    clear(lane.overlaps, count)
    withFeatures(block, windows: windows, of: values, gathered: lane.gathered) { keys, rowLength in
      kernel.addOverlaps(
        keys: keys, rowLength: rowLength, query: values.pointer + block.query,
        queryStride: features.windowCount, count: count, to: lane.overlaps.pointer)
    }
    kernel.forward(
      shares: shares.pointer, overlaps: lane.overlaps.pointer, count: count,
      products: lane.products.pointer, kernel: lane.kernel.pointer)
    InductionHeads.scale(scale, lane.kernel.pointer, into: lane.logits.pointer, count)
  }

  /// The rows of features over a block's slots: the table itself where the block is dense, else
  /// gathered into a buffer.
  func withFeatures(
    _ block: WorkPlan.Block, windows: UnsafePointer<UInt32>, of table: Buffer, gathered: Buffer,
    isGathered: Bool = false, _ body: (UnsafePointer<Double>, Int) -> Void
  ) {
    if block.isDense { return body(table.pointer, features.windowCount) }
    if !isGathered {
      kernel.gather(
        table.pointer, windowCount: features.windowCount, windows: windows, count: block.slots,
        into: gathered.pointer)
    }
    body(gathered.pointer, kernel.stride)
  }

  /// Zeros the first places of each head's row.
  func clear(_ overlaps: Buffer, _ count: Int) {
    for h in 0..<model.heads.count {
      (overlaps.pointer + h * kernel.stride).update(repeating: 0, count: count)
    }
  }

  /// From z̄: ā += Σ z̄ k, Σ k̄ m_S with k̄ = a z̄, and v̄.
  func backward(
    _ block: WorkPlan.Block, at place: Int, windows: UnsafePointer<UInt32>, scale: Double,
    _ lane: Lane
  ) {
    let count = block.slots
    let logitAdjoint = lane.readOut.logitAdjoint(at: place)
    lane.scaleAdjoint += dot(logitAdjoint, lane.kernel.pointer, count)
    InductionHeads.scale(scale, logitAdjoint, into: lane.kernelAdjoint.pointer, count)
    for subset in 0..<kernel.subsets.count {
      lane.productSums.pointer[subset] += dot(
        lane.kernelAdjoint.pointer, lane.products.pointer + subset * kernel.stride, count)
    }
    kernel.adjoint(
      shares: shares.pointer, overlaps: lane.overlaps.pointer, products: lane.products.pointer,
      kernelAdjoint: lane.kernelAdjoint.pointer, count: count,
      productAdjoints: lane.productAdjoints.pointer, overlapAdjoints: lane.overlapAdjoints.pointer)
    addFeatureAdjoints(
      block, windows: windows, lane.overlapAdjoints, table: values, gathered: lane.gathered,
      to: lane.featureAdjoint)
  }

  /// Adds what ḡ means for v̄, when the features are those of `table`, already gathered.
  func addFeatureAdjoints(
    _ block: WorkPlan.Block, windows: UnsafePointer<UInt32>, _ overlapAdjoints: Buffer,
    table: Buffer, gathered: Buffer, to featureAdjoint: Buffer
  ) {
    withFeatures(block, windows: windows, of: table, gathered: gathered, isGathered: true) {
      keys, rowLength in
      kernel.addFeatureAdjoints(
        overlapAdjoints: overlapAdjoints.pointer, keys: keys, rowLength: rowLength,
        features: table.pointer, windowCount: features.windowCount, query: block.query,
        windows: block.isDense ? nil : windows, count: block.slots, to: featureAdjoint.pointer)
    }
  }

  /// ∂L/∂c_S = (2 c_S/C_D)(A_S − Σ_T p_T A_T) with A_S = Σ k̄ m_S.
  private func writeCoefficientGradient(
    _ parameters: Span<Double>, sums: Buffer, _ mean: Double,
    into gradient: inout MutableSpan<Double>
  ) {
    let total = model.sumOfSquares(parameters)
    let average = dot(shares.pointer, sums.pointer, kernel.subsets.count)
    for (subset, index) in model.coefficientOfSubset.enumerated() where index >= 0 {
      gradient[index] = mean * 2 * parameters[index] / total * (sums.pointer[subset] - average)
    }
  }
}
