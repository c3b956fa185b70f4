import CKernels
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
  let team: ThreadTeam

  /// p_S and, for products with the Hessian, ṗ_S.
  let shares: Buffer
  let shareTangent: Buffer
  /// Σ p_S, the largest value that k can have, at the θ at hand.
  private var largestKernel = 1.0
  /// σ per mask and v per window, with their tangents; `copied` are v before they are divided by their norms,
  /// the same buffers where they are not.
  let attention: Buffer
  let attentionTangent: Buffer
  let copied: Buffer
  let copiedTangent: Buffer
  let values: Buffer
  let valueTangent: Buffer
  let normalisation: HeadNormalisation?
  let lanes: [Lane]
  private let wholeGradient: Buffer
  /// w of the σ and v at hand.
  private var preparedWeights: [Double]?
  private let sharedRange: Double

  /// Scratch over the keys of one block, and the sums of one lane.
  final class Lane {
    /// v and v̄ of the keys of a block that is not dense.
    let gathered, gatheredAdjoint: Buffer
    let overlaps, overlapAdjoints, scratch: Buffer
    /// Σ z̄ m_S.
    let productSums: Buffer
    /// v̄, shape (H, d, windows).
    let featureAdjoint: Buffer
    /// The read-out and the data.
    let readOut: any LanePairLoss
    var loss = 0.0
    /// What only second derivatives need, made at their first use.
    lazy var values = ProductScratch(self, subsets: productSums.count)
    lazy var tangents = TangentScratch(self, values)
    var curvature: CurvatureScratch?
    /// Slots of the widest block, rounded up to whole vectors.
    let readOutSlots: Int

    init(
      subsets: Int, heads: Int, vocabulary: Int, width: Int, features: Int,
      readOut: any LanePairLoss
    ) {
      self.readOut = readOut
      readOutSlots = width
      gathered = Buffer(heads * vocabulary * width)
      gatheredAdjoint = Buffer(heads * vocabulary * width)
      overlaps = Buffer(heads * width)
      overlapAdjoints = Buffer(heads * width)
      scratch = Buffer(40 * subsets)
      productSums = Buffer(subsets)
      featureAdjoint = Buffer(features)
    }

    func clear(features: Bool = true) {
      loss = 0
      productSums.clear()
      if features { featureAdjoint.clear() }
    }
  }

  /// What the gradient keeps in registers and second derivatives want to see.
  final class ProductScratch {
    let products, kernel, kernelAdjoint, productAdjoints: Buffer

    init(_ lane: Lane, subsets: Int) {
      kernel = Buffer(lane.readOutSlots)
      kernelAdjoint = Buffer(kernel.count)
      products = Buffer(subsets * kernel.count)
      productAdjoints = Buffer(subsets * kernel.count)
    }
  }

  /// The tangents of a lane's buffers.
  final class TangentScratch {
    let gathered, overlaps, products, kernel, logits: Buffer
    let kernelAdjoint, productAdjoints, overlapAdjoints, featureAdjoint, productSums: Buffer
    var scaleAdjoint = 0.0

    init(_ lane: Lane, _ values: ProductScratch) {
      gathered = Buffer(lane.gathered.count)
      overlaps = Buffer(lane.overlaps.count)
      products = Buffer(values.products.count)
      kernel = Buffer(values.kernel.count)
      logits = Buffer(values.kernel.count)
      kernelAdjoint = Buffer(values.kernel.count)
      productAdjoints = Buffer(values.products.count)
      overlapAdjoints = Buffer(lane.overlaps.count)
      featureAdjoint = Buffer(lane.featureAdjoint.count)
      productSums = Buffer(lane.productSums.count)
    }
  }

  init(_ objective: GIHObjective, threads: Int) {
    model = objective.model
    loss = objective.loss
    features = objective.features
    plan = objective.loss.plan
    keyWindows = objective.loss.keyWindows
    precondition(threads >= 1, "threads must be ≥ 1")
    team = ThreadTeam(threads: min(threads, max(1, objective.loss.plan.lanes.count)))
    sharedRange = objective.sharedRange
    wholeGradient = Buffer(objective.layout.count)
    let width = paddedToLanes(plan.widestBlock)
    let subsets = model.subsets.count
    let featureCount = features.tableSize
    kernel = PolynomialKernel(
      subsets: model.subsets, headCount: model.heads.count, vocabulary: features.vocabulary,
      stride: width)
    shares = Buffer(subsets)
    shareTangent = Buffer(subsets)
    attention = Buffer(features.maskCount * features.weightCount)
    attentionTangent = Buffer(attention.count)
    copied = Buffer(featureCount)
    copiedTangent = Buffer(featureCount)
    normalisation = model.normalisesHeads ? HeadNormalisation(features) : nil
    values = normalisation == nil ? copied : Buffer(featureCount)
    valueTangent = normalisation == nil ? copiedTangent : Buffer(featureCount)
    let (heads, features) = (model.heads.count, features)
    let loss = objective.loss
    lanes = loss.plan.lanes.map { _ in
      Lane(
        subsets: subsets, heads: heads, vocabulary: features.vocabulary, width: width,
        features: featureCount, readOut: loss.makeLane())
    }
  }

  func loss(at parameters: Span<Double>) -> Double {
    evaluate(at: parameters, adjoints: .none)
    return meanLoss
  }

  func gradient(at parameters: Span<Double>, into gradient: inout MutableSpan<Double>) -> Double {
    evaluate(at: parameters, adjoints: .all)
    pullBack(parameters)
    for i in 0..<parameters.count { gradient[i] = wholeGradient.pointer[i] }
    return meanLoss
  }

  func gradient(
    at parameters: Span<Double>, among positions: [Int], into gradient: inout MutableSpan<Double>
  ) -> Double {
    let weights = model.coefficientCount..<model.scaleIndex
    let hasWeights = positions.contains { weights.contains($0) }
    evaluate(at: parameters, adjoints: hasWeights ? .all : .ofCoefficients)
    pullBack(parameters, hasWeights: hasWeights)
    for (i, position) in positions.enumerated() {
      gradient[i] = wholeGradient.pointer[position]
    }
    return meanLoss
  }

  /// Adds up the lanes and writes the gradient, with or without the weights.
  private func pullBack(_ parameters: Span<Double>, hasWeights: Bool = true) {
    let total = lanes[0]
    for lane in lanes.dropFirst() { total.productSums.add(lane.productSums) }
    let mean = 1 / Double(loss.count)
    let scale = parameters[model.scaleIndex]
    let gradient = wholeGradient.pointer
    // ∂L/∂c_S = (2 c_S/C_D) a (A_S − Σ_T p_T A_T) with A_S = Σ z̄ m_S, and ∂L/∂a = Σ_T p_T A_T; without
    // C_D the sum that it brings is not there.
    let sums = total.productSums.pointer
    let average = dot(shares.pointer, sums, kernel.subsets.count)
    let (norm, pull) = (model.kernelNorm(parameters), pull)
    for (subset, index) in model.coefficientOfSubset.enumerated() where index >= 0 {
      gradient[index] =
        mean * 2 * parameters[index] / norm * scale * (sums[subset] - pull * average)
    }
    gradient[model.scaleIndex] = mean * average
    if !hasWeights { return }
    let rows = features.vocabulary * features.rowLength
    team.forEachLane(features.headCount) { head in
      for lane in lanes.dropFirst() {
        addScaled(
          1, lane.featureAdjoint.pointer + head * rows,
          to: total.featureAdjoint.pointer + head * rows, rows)
      }
    }
    normalisation?.apply(to: total.featureAdjoint.pointer, at: copied.pointer)
    let weights = gradient + model.coefficientCount
    weights.update(repeating: 0, count: features.parameterCount)
    features.pullback(
      attention: attention.pointer, features: copied.pointer,
      featureAdjoint: total.featureAdjoint.pointer, into: weights)
    for j in 0..<features.parameterCount { weights[j] *= mean }
  }

  /// Which sums over adjoints an evaluation makes.
  private enum Adjoints {
    case none
    /// Those of the products m_S, which c and a need.
    case ofCoefficients
    case all
  }

  /// Computes p, σ and v from θ.
  func prepare(_ parameters: Span<Double>) {
    for (subset, share) in model.kernelWeights(parameters).enumerated() {
      shares.pointer[subset] = share
    }
    if !model.normalisesKernel { largestKernel = model.sumOfSquares(parameters) }
    let weights = parameters.extracting(model.coefficientCount..<model.scaleIndex)
    // In stages that do not train w, σ and v stay what they are.
    if let preparedWeights, weights.indices.allSatisfy({ weights[$0] == preparedWeights[$0] }) {
      return
    }
    preparedWeights = weights.indices.map { weights[$0] }
    weights.withUnsafeBufferPointer { weights in
      guard let weights = weights.baseAddress else { return }
      features.attention(weights, into: attention.pointer)
    }
    features.forward(attention: attention.pointer, into: copied.pointer)
    normalisation?.normalise(copied.pointer, into: values.pointer)
  }

  /// How much of Σ_T p_T A_T the derivatives by c_S have less: all of it if the kernel is divided by C_D.
  var pull: Double { model.normalisesKernel ? 1 : 0 }

  /// Runs all lanes: the loss, and the sums over adjoints when asked for.
  private func evaluate(at parameters: Span<Double>, adjoints: Adjoints) {
    prepare(parameters)
    let scale = parameters[model.scaleIndex]
    team.forEachLane(lanes.count) { index in
      let lane = lanes[index]
      lane.clear(features: adjoints == .all)
      for tile in plan.lanes[index] {
        let blocks = plan.blocks[tile]
        forEach(blocks) { place, block, windows in
          forward(block, at: place, windows: windows, scale: scale, lane)
        }
        lane.loss += lane.readOut.evaluate(
          blocks, isShared: isShared(scale), adjoints: adjoints != .none)
        if adjoints == .none { continue }
        forEach(blocks) { place, block, windows in
          // Of several blocks only the last one's overlaps are still there.
          if blocks.count > 1 { forward(block, at: place, windows: windows, scale: scale, lane) }
          backward(
            block, at: place, windows: windows, scale: scale, lane, hasWeights: adjoints == .all)
        }
      }
    }
  }

  /// Whether one shift of the exponents serves all sequences: z = a k lies between 0 and a Σ p_S.
  func isShared(_ scale: Double) -> Bool { abs(scale) * largestKernel <= sharedRange }

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
    lanes.reduce(loss.constant) { $0 + $1.loss } / Double(loss.count)
  }

  /// g, z = a k and its exponentials, of a block's keys.
  func forward(
    _ block: WorkPlan.Block, at place: Int, windows: UnsafePointer<UInt32>, scale: Double,
    _ lane: Lane
  ) {
    let logits = lane.readOut.logits(at: place)
    let powers = lane.readOut.powers(at: place)
    withFeatures(block, windows: windows, of: values, gathered: lane.gathered) { keys, rowLength in
      withUnsafePointer(to: kernel.tables.polynomial) { polynomial in
        gf_pair_forward(
          polynomial, shares.pointer, scale, max(scale * largestKernel, 0), keys, rowLength,
          values.pointer + block.query, features.rowLength, block.slots, kernel.stride,
          lane.overlaps.pointer, logits, powers, lane.scratch.pointer)
      }
    }
    if isShared(scale) { return }
    var largest = -Double.infinity
    for k in 0..<block.slots { largest = max(largest, logits[k]) }
    for k in 0..<block.slots { powers[k] = exponential(logits[k] - largest) }
    // What the vector loop left behind may not even be a number.
    for k in block.slots..<paddedToLanes(block.slots) { powers[k] = 0 }
  }

  /// The rows of features over a block's slots: the table itself where the block is dense, else
  /// gathered into a buffer.
  func withFeatures(
    _ block: WorkPlan.Block, windows: UnsafePointer<UInt32>, of table: Buffer, gathered: Buffer,
    isGathered: Bool = false, _ body: (UnsafePointer<Double>, Int) -> Void
  ) {
    if block.isDense { return body(table.pointer, features.rowLength) }
    if !isGathered {
      kernel.gather(
        table.pointer, rowLength: features.rowLength, windows: windows, count: block.slots,
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

  /// From z̄: Σ z̄ m_S and, if weights are wanted, v̄.
  func backward(
    _ block: WorkPlan.Block, at place: Int, windows: UnsafePointer<UInt32>, scale: Double,
    _ lane: Lane, hasWeights: Bool = true
  ) {
    withUnsafePointer(to: kernel.tables.polynomial) { polynomial in
      gf_pair_backward(
        polynomial, shares.pointer, scale, lane.overlaps.pointer,
        lane.readOut.logitAdjoint(at: place), block.slots, kernel.stride,
        lane.productSums.pointer, hasWeights ? lane.overlapAdjoints.pointer : nil,
        lane.scratch.pointer)
    }
    if !hasWeights { return }
    let adjoint = lane.featureAdjoint.pointer
    let keyAdjoint = block.isDense ? adjoint : lane.gatheredAdjoint.pointer
    let count = block.slots
    withFeatures(block, windows: windows, of: values, gathered: lane.gathered, isGathered: true) {
      keys, rowLength in
      if !block.isDense {
        for i in 0..<features.width {
          (keyAdjoint + i * rowLength).update(repeating: 0, count: count)
        }
      }
      gf_pair_feature_adjoints(
        Int32(features.width), Int32(features.vocabulary), lane.overlapAdjoints.pointer,
        kernel.stride, keys, rowLength, values.pointer + block.query, features.rowLength, count,
        keyAdjoint, adjoint + block.query)
    }
    if block.isDense { return }
    for i in 0..<features.width {
      let row = adjoint + i &* features.rowLength
      let part = keyAdjoint + i &* kernel.stride
      for k in 0..<count { row[Int(windows[k])] += part[k] }
    }
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
        features: table.pointer, tableLength: features.rowLength, query: block.query,
        windows: block.isDense ? nil : windows, count: block.slots, to: featureAdjoint.pointer)
    }
  }
}
