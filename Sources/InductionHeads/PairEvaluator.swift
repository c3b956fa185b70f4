import CKernels
import Corpora
import Objectives
import ParallelLoops

/// Loss, gradient and products with the Hessian of a feature map in front of a kernel and a read-out, with buffers
/// made once.
///
/// Every evaluation runs features per distinct window, then kernel, read-out and adjoints tile by
/// tile of the work plan, then a reduction over lanes in their order.
class PairEvaluator: ObjectiveEvaluator {
  let form: KernelForm
  let map: any FeatureMap
  let loss: any PairLoss
  let plan: WorkPlan
  let kernel: PolynomialKernel
  let keyWindows: [UInt32]
  let team: ThreadTeam

  /// p_S and, for products with the Hessian, ṗ_S.
  let shares: Buffer
  let shareTangent: Buffer
  /// Bounds of k at the θ at hand.
  private var kernelRange = 0.0...1
  /// v and v̇ of the windows as keys and as queries, the map's buffers, and the distance between their rows.
  let keys, queries, keyTangents, queryTangents: Buffer
  let rowLength: Int
  let lanes: [Lane]
  let wholeGradient: Buffer
  private let sharedRange: Double

  /// Scratch over the keys of one block, and the sums of one lane.
  final class Lane {
    /// v and v̄ of the keys of a block that is not dense.
    let gathered, gatheredAdjoint: Buffer
    let overlaps, overlapAdjoints, scratch: Buffer
    /// Σ z̄ m_S.
    let productSums: Buffer
    /// v̄ of the windows as keys and as queries, shape (H, d, windows); the same where the features are.
    let keyAdjoint, queryAdjoint: Buffer
    /// The read-out and the data.
    let readOut: any LanePairLoss
    var loss = 0.0
    /// What only second derivatives need, made at their first use.
    lazy var values = ProductScratch(self, subsets: productSums.count)
    lazy var tangents = TangentScratch(self, values)
    var curvature: GIHEvaluator.CurvatureScratch?
    /// Slots of the widest block, rounded up to whole vectors.
    let readOutSlots: Int

    init(subsets: Int, map: any FeatureMap, width: Int, readOut: any LanePairLoss) {
      self.readOut = readOut
      readOutSlots = width
      gathered = Buffer(map.width * width)
      gatheredAdjoint = Buffer(map.width * width)
      overlaps = Buffer(map.blocks * width)
      overlapAdjoints = Buffer(map.blocks * width)
      scratch = Buffer(40 * subsets)
      productSums = Buffer(subsets)
      keyAdjoint = Buffer(map.tableSize)
      queryAdjoint = map.isSymmetric ? keyAdjoint : Buffer(map.tableSize)
    }

    func clear(features: Bool = true) {
      loss = 0
      productSums.clear()
      if !features { return }
      keyAdjoint.clear()
      if queryAdjoint !== keyAdjoint { queryAdjoint.clear() }
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
    let kernelAdjoint, productAdjoints, overlapAdjoints, productSums: Buffer
    let keyAdjoint, queryAdjoint: Buffer
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
      keyAdjoint = Buffer(lane.keyAdjoint.count)
      queryAdjoint =
        lane.queryAdjoint === lane.keyAdjoint ? keyAdjoint : Buffer(lane.queryAdjoint.count)
      productSums = Buffer(lane.productSums.count)
    }

    func clear() {
      scaleAdjoint = 0
      productSums.clear()
      keyAdjoint.clear()
      if queryAdjoint !== keyAdjoint { queryAdjoint.clear() }
    }
  }

  /// Makes the buffers.
  ///
  /// - Parameters:
  ///   - form: the kernel.
  ///   - map: the features, for this evaluator alone.
  ///   - loss: the read-out and the data.
  ///   - sharedRange: the largest range of logits up to which one shift of the exponents serves all sequences
  ///     of a block.
  ///   - threads: ≥ 1.
  init(
    form: KernelForm, map: any FeatureMap, loss: any PairLoss, sharedRange: Double, threads: Int
  ) {
    precondition(threads >= 1, "threads must be ≥ 1")
    self.form = form
    self.map = map
    self.loss = loss
    plan = loss.plan
    keyWindows = loss.keyWindows
    team = ThreadTeam(threads: min(threads, max(1, loss.plan.lanes.count)))
    self.sharedRange = sharedRange
    (keys, queries) = (map.keys, map.queries)
    (keyTangents, queryTangents) = (map.keyTangents, map.queryTangents)
    rowLength = map.rowLength
    wholeGradient = Buffer(form.scaleIndex + 1)
    let width = paddedToLanes(plan.widestBlock)
    let subsets = form.subsets.count
    kernel = PolynomialKernel(
      subsets: form.subsets, headCount: map.blocks, vocabulary: map.blockWidth, stride: width,
      isRectified: form.isRectified)
    shares = Buffer(subsets)
    shareTangent = Buffer(subsets)
    lanes = plan.lanes.map { _ in
      Lane(subsets: subsets, map: map, width: width, readOut: loss.makeLane())
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
    let hasWeights = positions.contains { map.parameters.contains($0) }
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
    let scale = parameters[form.scaleIndex]
    let gradient = wholeGradient.pointer
    // ∂L/∂c_S = (2 c_S/C_D) a (A_S − Σ_T p_T A_T) with A_S = Σ z̄ m_S, and ∂L/∂a = Σ_T p_T A_T; without
    // C_D the sum that it brings is not there.
    let sums = total.productSums.pointer
    let average = dot(shares.pointer, sums, kernel.subsets.count)
    let (norm, pull) = (form.norm(parameters), form.pull)
    for (subset, index) in form.coefficientOfSubset.enumerated() where index >= 0 {
      gradient[index] =
        mean * 2 * parameters[index] / norm * scale * (sums[subset] - pull * average)
    }
    gradient[form.scaleIndex] = mean * average
    if !hasWeights { return }
    let rows = map.blockWidth * rowLength
    team.forEachLane(map.blocks) { block in
      for lane in lanes.dropFirst() {
        addScaled(
          1, lane.keyAdjoint.pointer + block * rows, to: total.keyAdjoint.pointer + block * rows,
          rows)
      }
    }
    if !map.isSymmetric {
      for lane in lanes.dropFirst() { total.queryAdjoint.add(lane.queryAdjoint) }
    }
    let ofMap = gradient + map.parameters.lowerBound
    ofMap.update(repeating: 0, count: map.parameters.count)
    parameters.withUnsafeBufferPointer { parameters in
      guard let parameters = parameters.baseAddress else { return }
      map.pullBack(
        parameters, keys: total.keyAdjoint, queries: total.queryAdjoint, into: gradient)
    }
    for j in 0..<map.parameters.count { ofMap[j] *= mean }
  }

  /// Which sums over adjoints an evaluation makes.
  private enum Adjoints {
    case none
    /// Those of the products m_S, which c and a need.
    case ofCoefficients
    case all
  }

  /// Computes p and v from θ.
  func prepare(_ parameters: Span<Double>) {
    for (subset, share) in form.weights(parameters).enumerated() {
      shares.pointer[subset] = share
    }
    parameters.withUnsafeBufferPointer { parameters in
      guard let parameters = parameters.baseAddress else { return }
      map.prepare(parameters)
    }
    kernelRange = form.range(weights: shares.pointer, overlaps: map.overlapRange)
  }

  /// Runs all lanes: the loss, and the sums over adjoints when asked for.
  private func evaluate(at parameters: Span<Double>, adjoints: Adjoints) {
    prepare(parameters)
    let scale = parameters[form.scaleIndex]
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

  /// Whether one shift of the exponents serves all sequences.
  func isShared(_ scale: Double) -> Bool {
    abs(scale) * (kernelRange.upperBound - kernelRange.lowerBound) <= sharedRange
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
    lanes.reduce(loss.constant) { $0 + $1.loss } / Double(loss.count)
  }

  /// g, z = a k and its exponentials, of a block's keys.
  func forward(
    _ block: WorkPlan.Block, at place: Int, windows: UnsafePointer<UInt32>, scale: Double,
    _ lane: Lane
  ) {
    let logits = lane.readOut.logits(at: place)
    let powers = lane.readOut.powers(at: place)
    let shift = max(scale * kernelRange.upperBound, scale * kernelRange.lowerBound)
    withFeatures(block, windows: windows, of: keys, gathered: lane.gathered) { keys, length in
      withUnsafePointer(to: kernel.tables.polynomial) { polynomial in
        gf_pair_forward(
          polynomial, shares.pointer, scale, shift, keys, length,
          queries.pointer + block.query, rowLength, block.slots, kernel.stride,
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
    if block.isDense { return body(table.pointer, rowLength) }
    if !isGathered {
      kernel.gather(
        table.pointer, rowLength: rowLength, windows: windows, count: block.slots,
        into: gathered.pointer)
    }
    body(gathered.pointer, kernel.stride)
  }

  /// Zeros the first places of each head's row.
  func clear(_ overlaps: Buffer, _ count: Int) {
    for h in 0..<form.blocks {
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
    let adjoint = lane.keyAdjoint.pointer
    let keyAdjoint = block.isDense ? adjoint : lane.gatheredAdjoint.pointer
    let count = block.slots
    withFeatures(block, windows: windows, of: keys, gathered: lane.gathered, isGathered: true) {
      keys, length in
      if !block.isDense {
        for i in 0..<map.width { (keyAdjoint + i * length).update(repeating: 0, count: count) }
      }
      gf_pair_feature_adjoints(
        Int32(map.width), Int32(map.blockWidth), lane.overlapAdjoints.pointer,
        kernel.stride, keys, length, queries.pointer + block.query, rowLength, count,
        keyAdjoint, lane.queryAdjoint.pointer + block.query)
    }
    if block.isDense { return }
    for i in 0..<map.width {
      let row = adjoint + i &* rowLength
      let part = keyAdjoint + i &* kernel.stride
      for k in 0..<count { row[Int(windows[k])] += part[k] }
    }
  }

  /// Adds what ḡ means for v̄, when the features are those of two tables, that of the keys already gathered.
  func addFeatureAdjoints(
    _ block: WorkPlan.Block, windows: UnsafePointer<UInt32>, _ overlapAdjoints: Buffer,
    keys table: Buffer, queries: Buffer, gathered: Buffer, toKeys keyAdjoint: Buffer,
    queries queryAdjoint: Buffer
  ) {
    withFeatures(block, windows: windows, of: table, gathered: gathered, isGathered: true) {
      keys, length in
      kernel.addFeatureAdjoints(
        overlapAdjoints: overlapAdjoints.pointer, keys: keys, rowLength: length,
        features: queries.pointer, tableLength: rowLength, query: block.query,
        windows: block.isDense ? nil : windows, count: block.slots, toKeys: keyAdjoint.pointer,
        queries: queryAdjoint.pointer)
    }
  }

  func hessianVectorProduct(
    at parameters: Span<Double>, direction: Span<Double>, into product: inout MutableSpan<Double>
  ) {
    multiplyHessian(at: parameters, direction, into: &product)
  }

  func hessian(at parameters: Span<Double>, into hessian: inout MutableSpan<Double>) {
    self.hessian(at: parameters, among: Array(0..<parameters.count), into: &hessian)
  }

  /// Column by column.
  func hessian(
    at parameters: Span<Double>, among positions: [Int], into hessian: inout MutableSpan<Double>
  ) {
    var direction = [Double](repeating: 0, count: parameters.count)
    var column = direction
    for (j, position) in positions.enumerated() {
      direction[position] = 1
      var span = column.mutableSpan
      multiplyHessian(at: parameters, direction.span, into: &span)
      direction[position] = 0
      for (i, row) in positions.enumerated() { hessian[i * positions.count + j] = column[row] }
    }
  }
}
