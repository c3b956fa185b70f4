import Corpora
import Objectives
import ParallelLoops

// The exact dense Hessian in one sweep. With z the logits of the distinct pairs,
//
//   ∇²L = Σ_pairs z̄ ∇²z + ∇zᵀ (∂²L/∂z²) ∇z,
//
// and for one sequence, with δ_e = ∂y_e/∂z and B_k = N_k e^{z_k}/Z,
//
//   ∂²ℓ/∂z² = diag(z̄) − z̄Bᵀ − Bz̄ᵀ + Σ_e π_e/(y_e + ε)² δ_e δ_eᵀ.
//
// The diagonal part is gathered once per pair; the rest is of rank d + 1 or less per sequence, in
// the space of parameters after multiplication by ∇z. Derived in the article *Derivatives*.

extension GIHEvaluator {
  /// Sums and scratch of one lane for second derivatives.
  final class CurvatureScratch {
    /// The number of parameters.
    let order: Int
    /// ∇z, shape (keys, parameters), and ∂g/∂w, shape (keys, weights).
    let logitGradients, overlapGradients: Buffer
    /// Σ z̄ m_S; Σ z̄ k_h ∂g; Σ z̄ ∂_h m_S ∂g, shape (subsets, weights).
    let productSums, slopeSums, productSlopeSums: Buffer
    /// Σ z̄ ∂²k/∂w∂w without the windows' own second derivatives, shape (weights, weights).
    let weightCurvature: Buffer
    /// Everything quadratic in ∇z, shape (parameters, parameters), upper triangle.
    let matrix: Buffer

    init(keys: Int, parameters: Int, weights: Int, subsets: Int) {
      order = parameters
      logitGradients = Buffer(keys * parameters)
      overlapGradients = Buffer(keys * weights)
      productSums = Buffer(subsets)
      slopeSums = Buffer(weights)
      productSlopeSums = Buffer(subsets * weights)
      weightCurvature = Buffer(weights * weights)
      matrix = Buffer(parameters * parameters)
    }

    var sums: [Buffer] {
      [productSums, slopeSums, productSlopeSums, weightCurvature, matrix]
    }
  }

  func hessian(at parameters: Span<Double>, into hessian: inout MutableSpan<Double>) {
    self.hessian(at: parameters, among: Array(0..<parameters.count), into: &hessian)
  }

  func hessian(
    at parameters: Span<Double>, among positions: [Int], into hessian: inout MutableSpan<Double>
  ) {
    prepare(parameters)
    let selection = Selection(positions, of: model)
    let scale = parameters[model.scaleIndex]
    let theta = (0..<parameters.count).map { parameters[$0] }
    forEachLane(lanes.count, threads: threads) { index in
      let lane = lanes[index]
      lane.clear()
      let sums = curvature(of: lane, order: selection.count)
      for buffer in sums.sums { buffer.clear() }
      for tile in plan.lanes[index] {
        forEach(plan.blocks[tile]) { _, block, windows in
          forward(block, at: 0, windows: windows, scale: scale, lane)
          products(block, lane)
          logitGradients(block, windows: windows, parameters: theta, selection, lane, sums)
          lane.readOut.addCurvature(
            block, windows: windows, isShared: isShared(scale),
            rows: sums.logitGradients.pointer, order: selection.count,
            to: sums.matrix.pointer)
          addPairs(block, windows: windows, selection, lane, sums)
          if selection.hasWeights {
            backward(block, at: 0, windows: windows, scale: scale, lane)
          }
        }
      }
    }
    let total = lanes[0]
    for lane in lanes.dropFirst() {
      total.featureAdjoint.add(lane.featureAdjoint)
      for (sum, part) in zip(
        curvature(of: total, order: selection.count).sums,
        curvature(of: lane, order: selection.count).sums)
      {
        sum.add(part)
      }
    }
    assemble(theta, selection, total, into: &hessian)
  }

  /// The parameters of a Hessian: for each its row, or −1.
  struct Selection {
    let count: Int
    /// Of every coefficient, by subset.
    let coefficients: [Int]
    /// Of every weight.
    let weights: [Int]
    /// Of a.
    let scale: Int
    var hasCoefficients: Bool { coefficients.contains { $0 >= 0 } }
    var hasWeights: Bool { weights.contains { $0 >= 0 } }

    init(_ positions: [Int], of model: GIHTransformer) {
      var rows = [Int](repeating: -1, count: model.layout.count)
      for (row, position) in positions.enumerated() { rows[position] = row }
      count = positions.count
      coefficients = model.coefficientOfSubset.map { $0 < 0 ? -1 : rows[$0] }
      weights = Array(rows[model.coefficientCount..<model.scaleIndex])
      scale = rows[model.scaleIndex]
    }
  }

  private func curvature(of lane: Lane, order: Int) -> CurvatureScratch {
    if let scratch = lane.curvature, scratch.order == order { return scratch }
    let scratch = CurvatureScratch(
      keys: kernel.stride, parameters: order, weights: features.weightCount,
      subsets: kernel.subsets.count)
    lane.curvature = scratch
    return scratch
  }

  /// ∇z of each key: ∂z/∂c_S = a (2c_S/C)(m_S − k), ∂z/∂w = a k_h ∂g^h/∂w, ∂z/∂a = k.
  private func logitGradients(
    _ block: WorkPlan.Block, windows: UnsafePointer<UInt32>, parameters: [Double],
    _ selection: Selection, _ lane: Lane, _ sums: CurvatureScratch
  ) {
    let n = selection.count
    let weights = features.weightCount
    let scale = parameters[model.scaleIndex]
    let total = parameters[..<model.coefficientCount].reduce(0) { $0 + $1 * $1 }
    for place in 0..<block.keys.count {
      let key = block.slot(place, windows)
      let row = sums.logitGradients.pointer + key * n
      let k = lane.values.kernel.pointer[key]
      for (subset, index) in model.coefficientOfSubset.enumerated()
      where selection.coefficients[subset] >= 0 {
        row[selection.coefficients[subset]] =
          scale * 2 * parameters[index] / total
          * (lane.values.products.pointer[subset * kernel.stride + key] - k)
      }
      if selection.scale >= 0 { row[selection.scale] = k }
      if !selection.hasWeights { continue }
      let slopes = sums.overlapGradients.pointer + key * weights
      overlapGradient(key: Int(windows[place]), query: block.query, at: key, lane, into: slopes)
      for (h, range) in features.weightsOfHead.enumerated() {
        let slope =
          scale
          * kernel.slope(
            head: h, shares: shares.pointer, products: lane.values.products.pointer, key: key)
        for j in range where selection.weights[j] >= 0 {
          row[selection.weights[j]] = slope * slopes[j]
        }
      }
    }
  }

  /// ∂g^h/∂w_j = σ_j^ω (v_q[ω_j] − g) + σ_j^q (v_ω[q_j] − g).
  private func overlapGradient(
    key window: Int, query: Int, at key: Int, _ lane: Lane,
    into slopes: UnsafeMutablePointer<Double>
  ) {
    let weights = features.weightCount
    let sigmaKey = attention.pointer + Int(features.maskOfWindow[window]) * weights
    let sigmaQuery = attention.pointer + Int(features.maskOfWindow[query]) * weights
    for (h, range) in features.weightsOfHead.enumerated() {
      let g = lane.overlaps.pointer[h * kernel.stride + key]
      let ofHead = values.pointer + h * features.vocabulary * features.rowLength
      for j in range {
        let keyToken = Int(features.tokens[window * weights + j])
        let queryToken = Int(features.tokens[query * weights + j])
        slopes[j] =
          (keyToken < 0
            ? 0 : sigmaKey[j] * (ofHead[keyToken * features.rowLength + query] - g))
          + (queryToken < 0
            ? 0 : sigmaQuery[j] * (ofHead[queryToken * features.rowLength + window] - g))
      }
    }
  }

  /// Adds what is gathered once per pair, now that z̄ of the block is complete.
  private func addPairs(
    _ block: WorkPlan.Block, windows: UnsafePointer<UInt32>, _ selection: Selection, _ lane: Lane,
    _ sums: CurvatureScratch
  ) {
    let n = selection.count
    let (hasCoefficients, hasWeights) = (selection.hasCoefficients, selection.hasWeights)
    let weights = features.weightCount
    let products = lane.values.products.pointer
    let logitAdjoint = lane.readOut.logitAdjoint(at: 0)
    for place in 0..<block.keys.count {
      let key = block.slot(place, windows)
      let adjoint = logitAdjoint[key]
      addOuter(adjoint, sums.logitGradients.pointer + key * n, to: sums.matrix.pointer, n)
      if hasCoefficients {
        for subset in 0..<kernel.subsets.count {
          sums.productSums.pointer[subset] += adjoint * products[subset * kernel.stride + key]
        }
      }
      if !hasWeights { continue }
      let slopes = sums.overlapGradients.pointer + key * weights
      for subset in 0..<kernel.subsets.count where hasCoefficients {
        for h in kernel.subsets.members[subset] {
          let rest = kernel.subsets.without[subset][h]
          let factor = adjoint * products[rest * kernel.stride + key]
          for j in features.weightsOfHead[h] {
            sums.productSlopeSums.pointer[subset * weights + j] += factor * slopes[j]
          }
        }
      }
      for (h, range) in features.weightsOfHead.enumerated() {
        let slope =
          adjoint * kernel.slope(head: h, shares: shares.pointer, products: products, key: key)
        for j in range { sums.slopeSums.pointer[j] += slope * slopes[j] }
        addCrossCurvature(
          slope, head: h, key: Int(windows[place]), query: block.query, at: key, lane, sums)
        for (other, otherRange) in features.weightsOfHead.enumerated() where other != h {
          let curvature =
            adjoint
            * kernel.curvature(
              heads: h, other, shares: shares.pointer, products: products, key: key)
          for i in range {
            let factor = curvature * slopes[i]
            for j in otherRange {
              sums.weightCurvature.pointer[i * weights + j] += factor * slopes[j]
            }
          }
        }
      }
    }
  }

  /// Adds factor · (∂_i v_ω·∂_j v_q + ∂_j v_ω·∂_i v_q) for the weights of a head, where
  /// ∂_i v_ω·∂_j v_q = σ_i^ω σ_j^q (1[ω_i = q_j] − v_q[ω_i] − v_ω[q_j] + g).
  private func addCrossCurvature(
    _ factor: Double, head: Int, key window: Int, query: Int, at key: Int, _ lane: Lane,
    _ sums: CurvatureScratch
  ) {
    let weights = features.weightCount
    let sigmaKey = attention.pointer + Int(features.maskOfWindow[window]) * weights
    let sigmaQuery = attention.pointer + Int(features.maskOfWindow[query]) * weights
    let g = lane.overlaps.pointer[head * kernel.stride + key]
    let ofHead = values.pointer + head * features.vocabulary * features.rowLength
    for i in features.weightsOfHead[head] {
      let keyToken = Int(features.tokens[window * weights + i])
      if keyToken < 0 { continue }
      for j in features.weightsOfHead[head] {
        let queryToken = Int(features.tokens[query * weights + j])
        if queryToken < 0 { continue }
        let match = keyToken == queryToken ? 1.0 : 0.0
        let term =
          factor * sigmaKey[i] * sigmaQuery[j]
          * (match - ofHead[keyToken * features.rowLength + query]
            - ofHead[queryToken * features.rowLength + window] + g)
        sums.weightCurvature.pointer[i * weights + j] += term
        sums.weightCurvature.pointer[j * weights + i] += term
      }
    }
  }

  /// Puts the sums of all lanes together.
  private func assemble(
    _ parameters: [Double], _ selection: Selection, _ lane: Lane,
    into hessian: inout MutableSpan<Double>
  ) {
    let n = selection.count
    let weights = features.weightCount
    let sums = curvature(of: lane, order: n)
    let h = sums.matrix.pointer
    let scale = parameters[model.scaleIndex]
    let total = parameters[..<model.coefficientCount].reduce(0) { $0 + $1 * $1 }
    let a0 = sums.productSums.pointer
    let average = dot(shares.pointer, a0, kernel.subsets.count)
    let coefficients = zip(selection.coefficients, model.coefficientOfSubset).enumerated()
    for (subset, (i, index)) in coefficients where i >= 0 {
      let slope = 2 * parameters[index] / total
      let gap = a0[subset] - average
      h[i * n + i] += 2 / total * scale * gap
      for (other, (j, index)) in coefficients where j >= i {
        // −(4 c_S c_T/C²)((A_S − Ā) + (A_T − Ā))
        h[i * n + j] -=
          slope * 2 * parameters[index] / total * scale * (gap + a0[other] - average)
      }
      for (weight, j) in selection.weights.enumerated() where j >= 0 {
        h[i * n + j] +=
          scale * slope
          * (sums.productSlopeSums.pointer[subset * weights + weight]
            - sums.slopeSums.pointer[weight])
      }
      if selection.scale >= 0 { h[i * n + selection.scale] += slope * gap }
    }
    if selection.hasWeights {
      let curvature = sums.weightCurvature
      for i in 0..<curvature.count { curvature.pointer[i] *= scale }
      features.addSecondDerivative(
        attention: attention.pointer, features: values.pointer,
        featureAdjoint: lane.featureAdjoint.pointer, to: curvature.pointer, stride: weights)
      for (weight, i) in selection.weights.enumerated() where i >= 0 {
        for (other, j) in selection.weights.enumerated() where j >= i {
          h[i * n + j] += curvature.pointer[weight * weights + other]
        }
        if selection.scale >= 0 {
          h[i * n + selection.scale] += sums.slopeSums.pointer[weight]
        }
      }
    }
    let mean = 1 / Double(loss.count)
    for i in 0..<n {
      for j in i..<n {
        hessian[i * n + j] = mean * h[i * n + j]
        hessian[j * n + i] = mean * h[i * n + j]
      }
    }
  }
}
