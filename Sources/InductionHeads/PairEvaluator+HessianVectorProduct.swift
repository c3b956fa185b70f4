import Corpora
import Objectives
import ParallelLoops

// Forward over reverse: every line of the gradient is differentiated once more along θ̇.

extension PairEvaluator {
  /// Writes ∇²L(θ) θ̇; of a rectified kernel what it is everywhere but where an inner product is zero.
  func multiplyHessian(
    at parameters: Span<Double>, _ direction: Span<Double>, into product: inout MutableSpan<Double>
  ) {
    prepare(parameters)
    prepareTangents(parameters, direction)
    let scale = parameters[form.scaleIndex]
    let scaleDot = direction[form.scaleIndex]
    team.forEachLane(lanes.count) { index in
      let lane = lanes[index]
      lane.clear()
      lane.tangents.clear()
      for tile in plan.lanes[index] {
        let blocks = plan.blocks[tile]
        forEach(blocks) { place, block, windows in
          forward(block, at: place, windows: windows, scale: scale, lane)
          forwardTangent(block, windows: windows, scale: scale, scaleDot: scaleDot, lane)
          lane.readOut.takeTangent(block, at: place, tangent: lane.tangents.logits.pointer)
        }
        lane.readOut.evaluateTangent(blocks, isShared: isShared(scale))
        forEach(blocks) { place, block, windows in
          if blocks.count > 1 {
            forward(block, at: place, windows: windows, scale: scale, lane)
            forwardTangent(block, windows: windows, scale: scale, scaleDot: scaleDot, lane)
          }
          backward(block, at: place, windows: windows, scale: scale, lane)
          productAdjoints(block, at: place, scale: scale, lane)
          backwardTangent(
            block, at: place, windows: windows, scale: scale, scaleDot: scaleDot, lane)
        }
      }
    }
    reduce(parameters, direction, into: &product)
  }

  /// ṗ, σ̇ and v̇ along θ̇.
  private func prepareTangents(_ parameters: Span<Double>, _ direction: Span<Double>) {
    let norm = form.norm(parameters)
    var normDot = 0.0
    for i in 0..<form.coefficientCount { normDot += form.pull * 2 * parameters[i] * direction[i] }
    for (subset, index) in form.coefficientOfSubset.enumerated() {
      // p = c²/C, ṗ = (2 c ċ − p Ċ)/C, where C is C_D or 1
      shareTangent.pointer[subset] =
        index < 0
        ? 0
        : (2 * parameters[index] * direction[index] - shares.pointer[subset] * normDot) / norm
    }
    parameters.withUnsafeBufferPointer { parameters in
      direction.withUnsafeBufferPointer { direction in
        guard let parameters = parameters.baseAddress, let direction = direction.baseAddress else {
          return
        }
        map.prepareTangents(parameters, direction)
      }
    }
  }

  /// m and k of a block whose g are there.
  func products(_ block: WorkPlan.Block, _ lane: Lane) {
    kernel.products(
      shares: shares.pointer, overlaps: lane.overlaps.pointer, count: block.slots,
      products: lane.values.products.pointer, kernel: lane.values.kernel.pointer)
  }

  /// k̄ = a z̄ and m̄.
  private func productAdjoints(
    _ block: WorkPlan.Block, at place: Int, scale: Double, _ lane: Lane
  ) {
    let values = lane.values
    InductionHeads.scale(
      scale, lane.readOut.logitAdjoint(at: place), into: values.kernelAdjoint.pointer, block.slots)
    kernel.adjoint(
      shares: shares.pointer, overlaps: lane.overlaps.pointer, products: values.products.pointer,
      kernelAdjoint: values.kernelAdjoint.pointer, count: block.slots,
      productAdjoints: values.productAdjoints.pointer,
      overlapAdjoints: lane.overlapAdjoints.pointer)
    rectify(lane.overlapAdjoints, block.slots, lane)
  }

  /// Zeros what belongs to inner products that the rectifier has made zero.
  private func rectify(_ values: Buffer, _ count: Int, _ lane: Lane) {
    if !form.isRectified { return }
    for head in 0..<form.blocks {
      let row = head * kernel.stride
      for k in row..<row + count where lane.overlaps.pointer[k] <= 0 { values.pointer[k] = 0 }
    }
  }

  private func forwardTangent(
    _ block: WorkPlan.Block, windows: UnsafePointer<UInt32>, scale: Double, scaleDot: Double,
    _ lane: Lane
  ) {
    let count = block.slots
    let dots = lane.tangents
    products(block, lane)
    // ġ = ⟨v̇_ω, v_q⟩ + ⟨v_ω, v̇_q⟩
    clear(dots.overlaps, count)
    withFeatures(block, windows: windows, of: keyTangents, gathered: dots.gathered) {
      keys, length in
      kernel.addOverlaps(
        keys: keys, rowLength: length, query: queries.pointer + block.query,
        queryStride: rowLength, count: count, to: dots.overlaps.pointer)
    }
    withFeatures(
      block, windows: windows, of: keys, gathered: lane.gathered, isGathered: true
    ) { keys, length in
      kernel.addOverlaps(
        keys: keys, rowLength: length, query: queryTangents.pointer + block.query,
        queryStride: rowLength, count: count, to: dots.overlaps.pointer)
    }
    rectify(dots.overlaps, count, lane)
    kernel.tangent(
      shares: shares.pointer, shareTangent: shareTangent.pointer,
      overlaps: lane.overlaps.pointer, overlapTangents: dots.overlaps.pointer,
      products: lane.values.products.pointer, count: count, productTangents: dots.products.pointer,
      kernelTangent: dots.kernel.pointer)
    for k in 0..<count {
      // z = a k
      dots.logits.pointer[k] =
        scaleDot * lane.values.kernel.pointer[k] + scale * dots.kernel.pointer[k]
    }
  }

  private func backwardTangent(
    _ block: WorkPlan.Block, at place: Int, windows: UnsafePointer<UInt32>, scale: Double,
    scaleDot: Double, _ lane: Lane
  ) {
    let count = block.slots
    let dots = lane.tangents
    let logitAdjoint = lane.readOut.logitAdjoint(at: place)
    let logitAdjointTangent = lane.readOut.logitAdjointTangent(at: place)
    // ā = Σ z̄ k
    dots.scaleAdjoint +=
      dot(logitAdjointTangent, lane.values.kernel.pointer, count)
      + dot(logitAdjoint, dots.kernel.pointer, count)
    for k in 0..<count {
      // k̄ = a z̄
      dots.kernelAdjoint.pointer[k] =
        scaleDot * logitAdjoint[k] + scale * logitAdjointTangent[k]
    }
    for subset in 0..<kernel.subsets.count {
      let row = subset * kernel.stride
      dots.productSums.pointer[subset] +=
        dot(dots.kernelAdjoint.pointer, lane.values.products.pointer + row, count)
        + dot(lane.values.kernelAdjoint.pointer, dots.products.pointer + row, count)
    }
    kernel.adjointTangent(
      shares: shares.pointer, shareTangent: shareTangent.pointer,
      overlaps: lane.overlaps.pointer, overlapTangents: dots.overlaps.pointer,
      products: lane.values.products.pointer, productTangents: dots.products.pointer,
      kernelAdjoint: lane.values.kernelAdjoint.pointer,
      kernelAdjointTangent: dots.kernelAdjoint.pointer,
      productAdjoints: lane.values.productAdjoints.pointer, count: count,
      productAdjointTangents: dots.productAdjoints.pointer,
      overlapAdjointTangents: dots.overlapAdjoints.pointer)
    rectify(dots.overlapAdjoints, count, lane)
    // v̄ = Σ ḡ v: both factors move.
    addFeatureAdjoints(
      block, windows: windows, dots.overlapAdjoints, keys: keys, queries: queries,
      gathered: lane.gathered, toKeys: dots.keyAdjoint, queries: dots.queryAdjoint)
    addFeatureAdjoints(
      block, windows: windows, lane.overlapAdjoints, keys: keyTangents, queries: queryTangents,
      gathered: dots.gathered, toKeys: dots.keyAdjoint, queries: dots.queryAdjoint)
  }

  /// Adds up the lanes and pulls the sums back to θ.
  private func reduce(
    _ parameters: Span<Double>, _ direction: Span<Double>, into product: inout MutableSpan<Double>
  ) {
    let total = lanes[0]
    for lane in lanes.dropFirst() {
      total.tangents.scaleAdjoint += lane.tangents.scaleAdjoint
      total.productSums.add(lane.productSums)
      total.tangents.productSums.add(lane.tangents.productSums)
      total.keyAdjoint.add(lane.keyAdjoint)
      total.tangents.keyAdjoint.add(lane.tangents.keyAdjoint)
      if map.isSymmetric { continue }
      total.queryAdjoint.add(lane.queryAdjoint)
      total.tangents.queryAdjoint.add(lane.tangents.queryAdjoint)
    }
    let mean = 1 / Double(loss.count)
    let norm = form.norm(parameters)
    var normDot = 0.0
    for i in 0..<form.coefficientCount { normDot += form.pull * 2 * parameters[i] * direction[i] }
    let subsets = kernel.subsets.count
    // The sums hold Σ z̄ m_S; from here on they are Σ k̄ m_S.
    for subset in 0..<subsets {
      total.productSums.pointer[subset] *= parameters[form.scaleIndex]
    }
    let average = dot(shares.pointer, total.productSums.pointer, subsets)
    let averageDot =
      dot(shareTangent.pointer, total.productSums.pointer, subsets)
      + dot(shares.pointer, total.tangents.productSums.pointer, subsets)
    for (subset, index) in form.coefficientOfSubset.enumerated() where index >= 0 {
      // ∂L/∂c = (2c/C)(A − average)
      let slope = 2 * parameters[index] / norm
      let slopeDot = (2 * direction[index] - slope * normDot) / norm
      product[index] =
        mean
        * (slopeDot * (total.productSums.pointer[subset] - form.pull * average)
          + slope * (total.tangents.productSums.pointer[subset] - form.pull * averageDot))
    }
    let ofMap = wholeGradient.pointer
    wholeGradient.clear()
    parameters.withUnsafeBufferPointer { parameters in
      direction.withUnsafeBufferPointer { direction in
        guard let parameters = parameters.baseAddress, let direction = direction.baseAddress else {
          return
        }
        let dots = total.tangents
        map.pullBackTangents(
          parameters, direction, keys: (total.keyAdjoint, dots.keyAdjoint),
          queries: (total.queryAdjoint, dots.queryAdjoint), into: ofMap)
      }
    }
    for j in map.parameters { product[j] = mean * ofMap[j] }
    product[form.scaleIndex] = mean * total.tangents.scaleAdjoint
  }
}
