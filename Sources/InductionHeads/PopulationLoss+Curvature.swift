import Corpora
import LinearAlgebra

// With, for one chain and query, y_e = T_e/Z, B = Σ_ω μ(ω) E ∇z / Z and ∇y_e the gradient of y_e,
// all in the space of parameters, what is quadratic in ∇z is
//
//   Σ_ω z̄ ∇z ∇zᵀ + ∇y (∂²ℓ/∂y²) ∇yᵀ − u Bᵀ − B uᵀ,   u = Σ_e (∂ℓ/∂y_e) ∇y_e,
//
// where the second term is Σ_e μ(q,e)/(y_e + ε)² ∇y_e ∇y_eᵀ for a logarithm. The first term is gathered once per pair by the caller; the sums
// over ω behind ∇y_e and B, and the sums over chains, are matrix products. Derived as for a corpus.

extension LanePopulationLoss {
  /// Scratch over the chains of a panel; n is the number of parameters.
  final class Curvature {
    /// E (1, ∇z) of the block's windows, shape (windows, n + 1).
    let weighted: Buffer
    /// Σ_ω μ(ω,e) E (1, ∇z), shape (chains · d, n + 1).
    let sums: Buffer
    /// T̄ of the panel, shape (chains · d).
    let sumAdjoint: Buffer
    /// Rows whose squares add up to ∇y (∂²ℓ/∂y²) ∇yᵀ, for a logarithm √μ(q,e)/(y_e + ε) ∇y_e, shape
    /// (chains · d, n).
    let outputGradients: Buffer
    /// y and ∂ℓ/∂y of one chain, and a mean over its rows.
    let outputs, slopes, mean: Buffer
    /// u and B, shape (chains, n).
    let lossGradients, averages: Buffer
    let order: Int

    init(order: Int, windows: Int, chains: Int, vocabulary: Int) {
      self.order = order
      weighted = Buffer(windows * (order + 1))
      sums = Buffer(chains * vocabulary * (order + 1))
      sumAdjoint = Buffer(chains * vocabulary)
      outputGradients = Buffer(chains * vocabulary * order)
      outputs = Buffer(vocabulary)
      slopes = Buffer(vocabulary)
      mean = Buffer(order)
      lossGradients = Buffer(chains * order)
      averages = Buffer(chains * order)
    }
  }

  func addCurvature(
    _ block: WorkPlan.Block, isShared: Bool, rows: UnsafePointer<Double>, order n: Int,
    to matrix: UnsafeMutablePointer<Double>
  ) {
    let scratch: Curvature
    if let kept = curvature, kept.order == n {
      scratch = kept
    } else {
      scratch = Curvature(
        order: n, windows: windows, chains: panels.first?.count ?? 0, vocabulary: d)
    }
    curvature = scratch
    let width = n + 1
    for window in 0..<windows {
      let row = scratch.weighted.pointer + window * width
      row[0] = powers.pointer[window]
      scale(powers.pointer[window], rows + window * n, into: row + 1, n)
    }
    withJoint { joint in
      for panel in panels {
        let first = joint + panel.lowerBound * d * windows
        let law = MatrixView(first, rows: panel.count * d, columns: windows)
        multiply(
          law, MatrixView(scratch.weighted.pointer, rows: windows, columns: width),
          into: scratch.sums.pointer)
        for chain in 0..<panel.count {
          gradients(
            ofChain: chain, weights: first + chain * d * windows + block.query, scratch)
        }
        let outputs = MatrixView(
          scratch.outputGradients.pointer, rows: panel.count * d, columns: n)
        let losses = MatrixView(scratch.lossGradients.pointer, rows: panel.count, columns: n)
        let averages = MatrixView(scratch.averages.pointer, rows: panel.count, columns: n)
        multiply(outputs.transposed, outputs, keeping: 1, into: matrix)
        multiply(losses.transposed, averages, factor: -1, keeping: 1, into: matrix)
        multiply(averages.transposed, losses, factor: -1, keeping: 1, into: matrix)
        multiply(
          MatrixView(scratch.sumAdjoint.pointer, rows: panel.count * d, columns: 1).transposed, law,
          keeping: panel.lowerBound == 0 ? 0 : 1, into: adjoint.pointer)
      }
    }
    multiply(adjoint.pointer, powers.pointer, into: adjoint.pointer, windows)
    for place in windows..<rowLength { adjoint.pointer[place] = 0 }
  }

  /// The rows of ∇y, u, B and T̄ of one chain of the panel.
  private func gradients(
    ofChain chain: Int, weights: UnsafePointer<Double>, _ scratch: Curvature
  ) {
    let n = scratch.order
    let width = n + 1
    let t = scratch.sums.pointer + chain * d * width
    let b = scratch.averages.pointer + chain * n
    let u = scratch.lossGradients.pointer + chain * n
    let tBar = scratch.sumAdjoint.pointer + chain * d
    b.update(repeating: 0, count: n)
    u.update(repeating: 0, count: n)
    var z = 0.0
    for e in 0..<d { z += t[e * width] }
    if z > 0 { for e in 0..<d { addScaled(1 / z, t + e * width + 1, to: b, n) } }
    let rows = scratch.outputGradients.pointer + chain * d * n
    let (y, slopes) = (scratch.outputs.pointer, scratch.slopes.pointer)
    var weight = 0.0
    for e in 0..<d {
      weight += weights[e * windows]
      y[e] = z > 0 ? t[e * width] / z : 0
    }
    guard weight > 0 else {
      rows.update(repeating: 0, count: d * n)
      tBar.update(repeating: 0, count: d)
      return
    }
    // ∇y_e = Σ_ω μ(ω,e) E ∇z / Z − y_e B
    for e in 0..<d {
      scale(1 / z, t + e * width + 1, into: rows + e * n, n)
      addScaled(-y[e], b, to: rows + e * n, n)
    }
    loss.output.slopes(
      of: y, weights: weights, stride: windows, count: d, into: slopes)
    for e in 0..<d { addScaled(slopes[e], rows + e * n, to: u, n) }
    switch loss.output {
    case .logProbability(let floor):
      for e in 0..<d {
        let root = weights[e * windows].squareRoot()
        scale(root > 0 ? root / (y[e] + floor) : 0, rows + e * n, into: rows + e * n, n)
      }
    case .crossEntropyOfLogits:
      // √(W s_e) (∇y_e − m), where m = Σ_e s_e ∇y_e and W s_e is a slope without its −π_e.
      let m = scratch.mean.pointer
      m.update(repeating: 0, count: n)
      for e in 0..<d {
        addScaled((slopes[e] + weights[e * windows]) / weight, rows + e * n, to: m, n)
      }
      for e in 0..<d {
        addScaled(-1, m, to: rows + e * n, n)
        let root = max(0, slopes[e] + weights[e * windows]).squareRoot()
        scale(root, rows + e * n, into: rows + e * n, n)
      }
    }
    var mean = 0.0
    for e in 0..<d {
      tBar[e] = slopes[e] / z
      mean += tBar[e] * y[e]
    }
    for e in 0..<d { tBar[e] -= mean }
  }

  /// μ^π(ω, e) of all chains, shape (K · d, windows).
  private func withJoint(_ body: (UnsafePointer<Double>) -> Void) {
    loss.law.joint.withUnsafeBufferPointer { joint in
      if let base = joint.baseAddress { body(base) }
    }
  }
}
