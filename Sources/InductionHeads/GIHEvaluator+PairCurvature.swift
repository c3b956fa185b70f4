import Corpora
import LinearAlgebra

// What second derivatives need of each pair: ∇z, and sums over pairs weighed by z̄.

extension GIHEvaluator {
  /// ∇z of each slot: ∂z/∂c_S = a (2c_S/C_D)(m_S − k), or 2 a c_S m_S without C_D, ∂z/∂w = a k_h ∂g^h/∂w,
  /// ∂z/∂a = k.
  func logitGradients(
    _ block: WorkPlan.Block, windows: UnsafePointer<UInt32>, parameters: [Double], norm: Double,
    _ selection: Selection, _ lane: Lane, _ sums: CurvatureScratch
  ) {
    let (n, slots, stride) = (selection.count, block.slots, kernel.stride)
    let scale = parameters[form.scaleIndex]
    let k = lane.values.kernel.pointer
    let gradients = sums.logitGradients.pointer
    for (subset, index) in form.coefficientOfSubset.enumerated()
    where selection.coefficients[subset] >= 0 {
      let row = gradients + selection.coefficients[subset] * stride
      let factor = scale * 2 * parameters[index] / norm
      InductionHeads.scale(
        factor, lane.values.products.pointer + subset * stride, into: row, slots)
      addScaled(-form.pull * factor, k, to: row, slots)
    }
    if selection.scale >= 0 {
      (gradients + selection.scale * stride).update(from: k, count: slots)
    }
    if selection.hasWeights {
      overlapGradients(block, windows: windows, lane, into: sums.overlapGradients.pointer)
      for (h, range) in features.weightsOfHead.enumerated() {
        let slope = sums.slopes.pointer + h * stride
        kernel.slope(
          head: h, shares: shares.pointer, products: lane.values.products.pointer, count: slots,
          into: slope)
        for j in range where selection.weights[j] >= 0 {
          let row = gradients + selection.weights[j] * stride
          multiply(slope, sums.overlapGradients.pointer + j * stride, into: row, slots)
          for slot in 0..<slots { row[slot] *= scale }
        }
      }
    }
    for i in 0..<n {
      let row = gradients + i * stride
      for slot in 0..<slots { sums.transposed.pointer[slot &* n &+ i] = row[slot] }
    }
  }

  /// ∂g^h/∂w_j = σ_j^ω (v_q[ω_j] − g) + σ_j^q (v_ω[q_j] − g), shape (weights, slots); with heads that are
  /// divided by their norms see ``HeadNormalisation/Slope``.
  private func overlapGradients(
    _ block: WorkPlan.Block, windows: UnsafePointer<UInt32>, _ lane: Lane,
    into gradients: UnsafeMutablePointer<Double>
  ) {
    let (d, slots) = (features.vocabulary, block.slots)
    let query = block.query
    let normalisation = normalisation
    withFeatures(block, windows: windows, of: values, gathered: lane.gathered, isGathered: true) {
      keys, rowLength in
      for (h, range) in features.weightsOfHead.enumerated() {
        let g = lane.overlaps.pointer + h * kernel.stride
        let ofQuery = values.pointer + (h * d * features.rowLength + query)
        for j in range {
          let row = gradients + j * kernel.stride
          let token = Int(features.tokens[j * features.windowCount + query])
          if token < 0 {
            row.update(repeating: 0, count: slots)
          } else {
            let copied = keys + (h * d + token) * rowLength
            let slope = slope(query, head: h, weight: j, token: token)
            for slot in 0..<slots {
              row[slot] = slope.share * (copied[slot] - slope.pull * g[slot])
            }
          }
          forEachSlot(block, windows) { slot, window, sigma in
            let token = Int(features.tokens[j &* features.windowCount &+ window])
            if token < 0 { return }
            let copied = ofQuery[token &* features.rowLength]
            if normalisation == nil {
              row[slot] += sigma[j] * (copied - g[slot])
            } else {
              let slope = slope(window, head: h, weight: j, token: token)
              row[slot] += slope.share * (copied - slope.pull * g[slot])
            }
          }
        }
      }
    }
  }

  /// ∂v_ω/∂w_j = s (e_{ω_j} − m v_ω): s = σ_j and m = 1 where heads are as they are.
  private func slope(
    _ window: Int, head: Int, weight: Int, token: Int
  ) -> HeadNormalisation.Slope {
    if token < 0 { return HeadNormalisation.Slope(share: 0, pull: 1) }
    let mask = Int(features.maskOfWindow[window])
    let sigma = attention.pointer[mask &* features.weightCount &+ weight]
    guard let normalisation else { return HeadNormalisation.Slope(share: sigma, pull: 1) }
    return normalisation.slope(
      sigma,
      value: values.pointer[(head &* features.vocabulary &+ token) &* features.rowLength &+ window],
      head: head, window: window)
  }

  /// Calls `body` with every slot that can be a key, its window, and that window's σ.
  @inline(__always)
  private func forEachSlot(
    _ block: WorkPlan.Block, _ windows: UnsafePointer<UInt32>,
    _ body: (Int, Int, UnsafePointer<Double>) -> Void
  ) {
    for slot in 0..<block.slots {
      let window = block.isDense ? slot : Int(windows[slot])
      body(
        slot, window,
        UnsafePointer(attention.pointer)
          + Int(features.maskOfWindow[window]) &* features.weightCount)
    }
  }

  /// Adds what is gathered once per pair, now that z̄ of the block is complete.
  func addPairs(
    _ block: WorkPlan.Block, windows: UnsafePointer<UInt32>, _ selection: Selection, _ lane: Lane,
    _ sums: CurvatureScratch
  ) {
    let n = selection.count
    let products = lane.values.products.pointer
    let adjoint = lane.readOut.logitAdjoint(at: 0)
    weigh(sums.logitGradients.pointer, rows: n, by: adjoint, block, sums)
    multiply(
      slots(sums.weighted.pointer, rows: n, block),
      slots(sums.logitGradients.pointer, rows: n, block).transposed, keeping: 1,
      into: sums.matrix.pointer)
    if selection.hasCoefficients {
      for subset in 0..<kernel.subsets.count {
        sums.productSums.pointer[subset] += dot(
          adjoint, products + subset * kernel.stride, block.slots)
      }
    }
    if !selection.hasWeights { return }
    let weights = features.weightCount
    let gradients = sums.overlapGradients.pointer
    weigh(gradients, rows: weights, by: adjoint, block, sums)
    multiply(
      slots(products, rows: kernel.subsets.count, block),
      slots(sums.weighted.pointer, rows: weights, block).transposed, keeping: 1,
      into: sums.slopeSums.pointer)
    for (h, range) in features.weightsOfHead.enumerated() {
      for (other, otherRange) in features.weightsOfHead.enumerated() where other > h {
        kernel.curvature(
          heads: h, other, shares: shares.pointer, products: products, count: block.slots,
          into: sums.factor.pointer)
        multiply(sums.factor.pointer, adjoint, into: lane.values.kernelAdjoint.pointer, block.slots)
        weigh(
          gradients + range.lowerBound * kernel.stride, rows: range.count,
          by: lane.values.kernelAdjoint.pointer, block, sums)
        multiply(
          slots(sums.weighted.pointer, rows: range.count, block),
          slots(gradients + otherRange.lowerBound * kernel.stride, rows: otherRange.count, block)
            .transposed, keeping: 1,
          into: sums.weightCurvature.pointer + (range.lowerBound * weights + otherRange.lowerBound),
          stride: weights)
      }
      multiply(
        sums.slopes.pointer + h * kernel.stride, adjoint, into: sums.factor.pointer, block.slots)
      addCrossCurvature(head: h, block, windows: windows, lane, sums)
    }
  }

  /// Rows over a block's slots.
  private func slots(
    _ start: UnsafePointer<Double>, rows: Int, _ block: WorkPlan.Block
  ) -> MatrixView {
    MatrixView(start, rows: rows, columns: block.slots, stride: kernel.stride)
  }

  /// Writes rows over slots, each times a factor, into the scratch for that.
  private func weigh(
    _ rows: UnsafePointer<Double>, rows count: Int, by factor: UnsafePointer<Double>,
    _ block: WorkPlan.Block, _ sums: CurvatureScratch
  ) {
    for i in 0..<count {
      multiply(
        rows + i * kernel.stride, factor, into: sums.weighted.pointer + i * kernel.stride,
        block.slots)
    }
  }

  /// Adds Σ_ω f_ω ∂_i v_ω·∂_j v_q of the weights of a head, where f is the scratch's factor and
  /// ∂_i v_ω·∂_j v_q = σ_i^ω σ_j^q (1[ω_i = q_j] − v_q[ω_i] − v_ω[q_j] + g); it is to be made
  /// symmetric.
  ///
  /// With R_i = f σ_i^ω, H_i[x] = Σ_ω R_i 1[ω_i = x] and Y_i[x] = Σ_ω R_i v_ω[x], the sum is
  /// σ_j^q (H_i[q_j] − H_i·v_q − Y_i[q_j] + Y_i·v_q). With heads divided by their norms the σ and the v have
  /// the factors of ``HeadNormalisation/Slope``.
  private func addCrossCurvature(
    head: Int, _ block: WorkPlan.Block, windows: UnsafePointer<UInt32>, _ lane: Lane,
    _ sums: CurvatureScratch
  ) {
    let (weights, d, range) = (
      features.weightCount, features.vocabulary, features.weightsOfHead[head]
    )
    let normalisation = normalisation
    // H − Y, shape (lags of the head, d).
    var gap = [Double](repeating: 0, count: range.count * d)
    let factor = sums.factor.pointer
    gap.withUnsafeMutableBufferPointer { gap in
      guard let gap = gap.baseAddress else { return }
      withFeatures(
        block, windows: windows, of: values, gathered: lane.gathered, isGathered: true
      ) { keys, rowLength in
        for (i, weight) in range.enumerated() {
          let row = sums.weighted.pointer + i * kernel.stride
          forEachSlot(block, windows) { slot, window, sigma in
            if normalisation == nil {
              row[slot] = factor[slot] * sigma[weight]
            } else {
              let token = Int(features.tokens[weight &* features.windowCount &+ window])
              let slope = slope(window, head: head, weight: weight, token: token)
              row[slot] = factor[slot] * slope.share * slope.pull
            }
          }
        }
        multiply(
          slots(sums.weighted.pointer, rows: range.count, block),
          MatrixView(
            keys + head * d * rowLength, rows: d, columns: block.slots, stride: rowLength
          ).transposed, factor: -1, into: gap)
      }
      for (i, weight) in range.enumerated() {
        let row = sums.weighted.pointer + i * kernel.stride
        forEachSlot(block, windows) { slot, window, _ in
          let token = Int(features.tokens[weight &* features.windowCount &+ window])
          if token < 0 { return }
          gap[i &* d &+ token] +=
            normalisation == nil
            ? row[slot]
            : factor[slot] * slope(window, head: head, weight: weight, token: token).share
        }
      }
      let query = block.query
      for (i, weight) in range.enumerated() {
        var mean = 0.0
        for x in 0..<d {
          mean += gap[i * d + x] * values.pointer[(head * d + x) * features.rowLength + query]
        }
        for j in range {
          let token = Int(features.tokens[j * features.windowCount + query])
          if token >= 0 {
            let slope = slope(query, head: head, weight: j, token: token)
            sums.weightCurvature.pointer[weight * weights + j] +=
              slope.share * (gap[i * d + token] - slope.pull * mean)
          }
        }
      }
    }
  }
}
