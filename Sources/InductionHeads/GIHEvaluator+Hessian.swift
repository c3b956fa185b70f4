import Corpora
import LinearAlgebra
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
  /// Sums and scratch of one lane for second derivatives; arrays over slots have rows of `stride`.
  final class CurvatureScratch {
    /// The number of parameters.
    let order: Int
    /// ∂g^h/∂w_j, shape (weights, slots), and k_h = ∂k/∂g^h, shape (heads, slots).
    let overlapGradients, slopes: Buffer
    /// ∇z, shape (parameters, slots), and its transpose without padding.
    let logitGradients, transposed: Buffer
    /// Rows of one of these, each times a factor over slots.
    let weighted, factor: Buffer
    /// Σ z̄ m_S, and Σ z̄ m_S ∂g, shape (subsets, weights).
    let productSums, slopeSums: Buffer
    /// Σ z̄ ∂²k/∂w∂w without the windows' own second derivatives, shape (weights, weights).
    let weightCurvature: Buffer
    /// Everything quadratic in ∇z, shape (parameters, parameters), upper triangle.
    let matrix: Buffer

    init(stride: Int, heads: Int, parameters: Int, weights: Int, subsets: Int) {
      order = parameters
      overlapGradients = Buffer(weights * stride)
      slopes = Buffer(heads * stride)
      logitGradients = Buffer(parameters * stride)
      transposed = Buffer(parameters * stride)
      weighted = Buffer(max(parameters, weights) * stride)
      factor = Buffer(stride)
      productSums = Buffer(subsets)
      slopeSums = Buffer(subsets * weights)
      weightCurvature = Buffer(weights * weights)
      matrix = Buffer(parameters * parameters)
    }

    var sums: [Buffer] { [productSums, slopeSums, weightCurvature, matrix] }
  }

  /// Writes the rows and columns of ∇²L(θ) that belong to some parameters.
  func sweepHessian(
    at parameters: Span<Double>, among positions: [Int], into hessian: inout MutableSpan<Double>
  ) {
    prepare(parameters)
    let selection = Selection(positions, of: model)
    let scale = parameters[form.scaleIndex]
    let theta = (0..<parameters.count).map { parameters[$0] }
    let norm = form.norm(parameters)
    team.forEachLane(lanes.count) { index in
      let lane = lanes[index]
      lane.clear()
      let sums = curvature(of: lane, order: selection.count)
      for buffer in sums.sums { buffer.clear() }
      for tile in plan.lanes[index] {
        forEach(plan.blocks[tile]) { _, block, windows in
          forward(block, at: 0, windows: windows, scale: scale, lane)
          products(block, lane)
          logitGradients(
            block, windows: windows, parameters: theta, norm: norm, selection, lane, sums)
          lane.readOut.addCurvature(
            block, isShared: isShared(scale), rows: sums.transposed.pointer,
            order: selection.count, to: sums.matrix.pointer)
          addPairs(block, windows: windows, selection, lane, sums)
          if selection.hasWeights {
            backward(block, at: 0, windows: windows, scale: scale, lane)
          }
        }
      }
    }
    let total = lanes[0]
    for lane in lanes.dropFirst() {
      total.keyAdjoint.add(lane.keyAdjoint)
      for (sum, part) in zip(
        curvature(of: total, order: selection.count).sums,
        curvature(of: lane, order: selection.count).sums)
      {
        sum.add(part)
      }
    }
    assemble(theta, norm: norm, selection, total, into: &hessian)
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
      coefficients = model.kernel.coefficientOfSubset.map { $0 < 0 ? -1 : rows[$0] }
      weights = Array(rows[model.kernel.coefficientCount..<model.kernel.scaleIndex])
      scale = rows[model.kernel.scaleIndex]
    }
  }

  private func curvature(of lane: Lane, order: Int) -> CurvatureScratch {
    if let scratch = lane.curvature, scratch.order == order { return scratch }
    let scratch = CurvatureScratch(
      stride: kernel.stride, heads: model.heads.count, parameters: order,
      weights: features.weightCount, subsets: kernel.subsets.count)
    lane.curvature = scratch
    return scratch
  }

  /// Puts the sums of all lanes together.
  private func assemble(
    _ parameters: [Double], norm: Double, _ selection: Selection, _ lane: Lane,
    into hessian: inout MutableSpan<Double>
  ) {
    let n = selection.count
    let weights = features.weightCount
    let sums = curvature(of: lane, order: n)
    let h = sums.matrix.pointer
    let scale = parameters[form.scaleIndex]
    let pull = form.pull
    let a0 = sums.productSums.pointer
    let average = dot(shares.pointer, a0, kernel.subsets.count)
    let slopeSums = sums.slopeSums.pointer
    // Σ z̄ ∂m_S/∂w and Σ z̄ ∂k/∂w from Σ z̄ m_{S∖h} ∂g^h/∂w.
    var productSlopes = [Double](repeating: 0, count: kernel.subsets.count * weights)
    var kernelSlopes = [Double](repeating: 0, count: weights)
    for subset in 1..<kernel.subsets.count where selection.hasWeights {
      for head in kernel.subsets.members[subset] {
        let rest = kernel.subsets.without[subset][head]
        for j in features.weightsOfHead[head] {
          productSlopes[subset * weights + j] = slopeSums[rest * weights + j]
          kernelSlopes[j] += shares.pointer[subset] * slopeSums[rest * weights + j]
        }
      }
    }
    let coefficients = zip(selection.coefficients, form.coefficientOfSubset).enumerated()
    for (subset, (i, index)) in coefficients where i >= 0 {
      let slope = 2 * parameters[index] / norm
      let gap = a0[subset] - pull * average
      h[i * n + i] += 2 / norm * scale * gap
      for (other, (j, index)) in coefficients where j >= i {
        // −(4 c_S c_T/C²)((A_S − Ā) + (A_T − Ā))
        h[i * n + j] -=
          pull * slope * 2 * parameters[index] / norm * scale * (gap + a0[other] - average)
      }
      for (weight, j) in selection.weights.enumerated() where j >= 0 {
        h[i * n + j] +=
          scale * slope
          * (productSlopes[subset * weights + weight] - pull * kernelSlopes[weight])
      }
      if selection.scale >= 0 { h[i * n + selection.scale] += slope * gap }
    }
    if selection.hasWeights {
      let curvature = sums.weightCurvature
      // What was gathered once for (i, j) counts for (j, i), too.
      for i in 0..<weights {
        for j in 0...i {
          let both =
            scale * (curvature.pointer[i * weights + j] + curvature.pointer[j * weights + i])
          curvature.pointer[i * weights + j] = both
          curvature.pointer[j * weights + i] = both
        }
      }
      if let normalisation {
        normalisation.addSecondDerivative(
          attention: attention.pointer, copied: copied.pointer,
          valueAdjoint: lane.keyAdjoint.pointer, to: curvature.pointer, stride: weights)
      } else {
        features.addSecondDerivative(
          attention: attention.pointer, features: values.pointer,
          featureAdjoint: lane.keyAdjoint.pointer, to: curvature.pointer, stride: weights)
      }
      for (weight, i) in selection.weights.enumerated() where i >= 0 {
        for (other, j) in selection.weights.enumerated() where j >= i {
          h[i * n + j] += curvature.pointer[weight * weights + other]
        }
        if selection.scale >= 0 {
          h[i * n + selection.scale] += kernelSlopes[weight]
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
