import Corpora
import Objectives
import ParallelLoops

// Forward over reverse: every line of the gradient is differentiated once more along θ̇.

extension GIHEvaluator {
  func hessianVectorProduct(
    at parameters: Span<Double>, direction: Span<Double>, into product: inout MutableSpan<Double>
  ) {
    prepare(parameters)
    prepareTangents(parameters, direction)
    let scale = parameters[model.scaleIndex]
    let scaleDot = direction[model.scaleIndex]
    team.forEachLane(lanes.count) { index in
      let lane = lanes[index]
      lane.clear()
      lane.tangents.scaleAdjoint = 0
      lane.tangents.productSums.clear()
      lane.tangents.featureAdjoint.clear()
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
    let norm = model.kernelNorm(parameters)
    var normDot = 0.0
    for i in 0..<model.coefficientCount { normDot += pull * 2 * parameters[i] * direction[i] }
    for (subset, index) in model.coefficientOfSubset.enumerated() {
      // p = c²/C, ṗ = (2 c ċ − p Ċ)/C, where C is C_D or 1
      shareTangent.pointer[subset] =
        index < 0
        ? 0
        : (2 * parameters[index] * direction[index] - shares.pointer[subset] * normDot) / norm
    }
    direction.withUnsafeBufferPointer { direction in
      guard let base = direction.baseAddress else { return }
      features.tangent(
        attention: attention.pointer, weightTangent: base + model.coefficientCount,
        attentionTangent: attentionTangent.pointer, into: copiedTangent.pointer)
    }
    if let normalisation {
      valueTangent.pointer.update(from: copiedTangent.pointer, count: valueTangent.count)
      normalisation.apply(to: valueTangent.pointer, at: copied.pointer)
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
    withFeatures(block, windows: windows, of: valueTangent, gathered: dots.gathered) {
      keys, rowLength in
      kernel.addOverlaps(
        keys: keys, rowLength: rowLength, query: values.pointer + block.query,
        queryStride: features.rowLength, count: count, to: dots.overlaps.pointer)
    }
    withFeatures(
      block, windows: windows, of: values, gathered: lane.gathered, isGathered: true
    ) { keys, rowLength in
      kernel.addOverlaps(
        keys: keys, rowLength: rowLength, query: valueTangent.pointer + block.query,
        queryStride: features.rowLength, count: count, to: dots.overlaps.pointer)
    }
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
    // v̄ = Σ ḡ v: both factors move.
    addFeatureAdjoints(
      block, windows: windows, dots.overlapAdjoints, table: values, gathered: lane.gathered,
      to: dots.featureAdjoint)
    addFeatureAdjoints(
      block, windows: windows, lane.overlapAdjoints, table: valueTangent, gathered: dots.gathered,
      to: dots.featureAdjoint)
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
      total.featureAdjoint.add(lane.featureAdjoint)
      total.tangents.featureAdjoint.add(lane.tangents.featureAdjoint)
    }
    let mean = 1 / Double(loss.count)
    let norm = model.kernelNorm(parameters)
    var normDot = 0.0
    for i in 0..<model.coefficientCount { normDot += pull * 2 * parameters[i] * direction[i] }
    let subsets = kernel.subsets.count
    // The sums hold Σ z̄ m_S; from here on they are Σ k̄ m_S.
    for subset in 0..<subsets {
      total.productSums.pointer[subset] *= parameters[model.scaleIndex]
    }
    let average = dot(shares.pointer, total.productSums.pointer, subsets)
    let averageDot =
      dot(shareTangent.pointer, total.productSums.pointer, subsets)
      + dot(shares.pointer, total.tangents.productSums.pointer, subsets)
    for (subset, index) in model.coefficientOfSubset.enumerated() where index >= 0 {
      // ∂L/∂c = (2c/C)(A − average)
      let slope = 2 * parameters[index] / norm
      let slopeDot = (2 * direction[index] - slope * normDot) / norm
      product[index] =
        mean
        * (slopeDot * (total.productSums.pointer[subset] - pull * average)
          + slope * (total.tangents.productSums.pointer[subset] - pull * averageDot))
    }
    normalisation?.pullBack(
      total.featureAdjoint.pointer, tangent: total.tangents.featureAdjoint.pointer,
      at: copied.pointer, along: copiedTangent.pointer)
    let weightAdjoint = Buffer(features.parameterCount)
    features.pullbackTangent(
      attention: attention.pointer, attentionTangent: attentionTangent.pointer,
      features: copied.pointer, featureTangent: copiedTangent.pointer,
      featureAdjoint: total.featureAdjoint.pointer,
      featureAdjointTangent: total.tangents.featureAdjoint.pointer, into: weightAdjoint.pointer)
    for j in 0..<features.parameterCount {
      product[model.coefficientCount + j] = mean * weightAdjoint.pointer[j]
    }
    product[model.scaleIndex] = mean * total.tangents.scaleAdjoint
  }
}
