/// The heads of a transformer divided by their norms, u = v/(‖v‖ + η) with η = ``GIHTransformer/normFloor``.
///
/// The derivative along v̇ is J v̇ with the symmetric matrix J = f − (f²/n) v vᵀ, n = ‖v‖, f = 1/(n + η), so J
/// also takes the adjoint of u to that of v. A head that sees nothing has v = 0 and stays there. No entry of v is
/// negative, so neither is an inner product of two heads: the rectifier max(·, 0) that the authors' code has
/// behind it changes nothing, and its derivative is that of the identity (derived).
///
/// Arrays over features have the shape of ``WindowFeatures``: (H, d, windows).
struct HeadNormalisation {
  private let features: WindowFeatures
  /// n of every head and window, as of the last ``normalise(_:into:)``, shape (H, windows).
  private let norms: Buffer
  private let floor = GIHTransformer.normFloor

  init(_ features: WindowFeatures) {
    self.features = features
    norms = Buffer(features.headCount * features.rowLength)
  }

  /// ∂u/∂w_j = s (e_t − m u) of a window whose token for the weight w_j is t.
  struct Slope {
    /// s.
    let share: Double
    /// m.
    let pull: Double
  }

  /// With ∂v/∂w_j = σ_j (e_t − v), J gives s = σ_j f and m = η + u_t/(f n).
  ///
  /// - Parameters:
  ///   - sigma: σ_j.
  ///   - value: u_t.
  ///   - head: the weight's head.
  ///   - window: a window with a token for w_j.
  /// - Returns: s and m.
  func slope(_ sigma: Double, value: Double, head: Int, window: Int) -> Slope {
    let n = norms.pointer[head &* features.rowLength &+ window]
    if n == 0 { return Slope(share: 0, pull: 1) }
    return Slope(share: sigma / (n + floor), pull: floor + value * (n + floor) / n)
  }

  /// u of every window.
  func normalise(_ copied: UnsafePointer<Double>, into values: UnsafeMutablePointer<Double>) {
    forEachHead { head, rows in
      let n = norms.pointer + head * features.rowLength
      n.update(repeating: 0, count: features.rowLength)
      for row in rows { addProduct(copied + row, copied + row, to: n, features.windowCount) }
      for w in 0..<features.windowCount { n[w] = n[w].squareRoot() }
      for row in rows {
        for w in 0..<features.windowCount { values[row + w] = copied[row + w] / (n[w] + floor) }
      }
    }
  }

  /// x ← J x.
  ///
  /// - Parameters:
  ///   - x: adjoints of u, or tangents of v.
  ///   - copied: v.
  func apply(to x: UnsafeMutablePointer<Double>, at copied: UnsafePointer<Double>) {
    let count = features.windowCount
    let along = Buffer(features.rowLength)
    forEachHead { head, rows in
      let n = norms.pointer + head * features.rowLength
      products(x, copied, rows, into: along)
      for row in rows {
        for w in 0..<count where n[w] > 0 {
          let f = 1 / (n[w] + floor)
          x[row + w] = f * x[row + w] - f * f / n[w] * along.pointer[w] * copied[row + w]
        }
      }
    }
  }

  /// v̄ = J ū and its tangent J ū̇ + J̇ ū, each over what it is made from.
  ///
  /// - Parameters:
  ///   - adjoint: ū.
  ///   - tangent: ū̇.
  ///   - copied: v.
  ///   - copiedTangent: v̇.
  func pullBack(
    _ adjoint: UnsafeMutablePointer<Double>, tangent: UnsafeMutablePointer<Double>,
    at copied: UnsafePointer<Double>, along copiedTangent: UnsafePointer<Double>
  ) {
    let count = features.windowCount
    let (p, pDot, growth) = (
      Buffer(features.rowLength), Buffer(features.rowLength), Buffer(features.rowLength)
    )
    let part = Buffer(features.rowLength)
    forEachHead { head, rows in
      let norm = norms.pointer + head * features.rowLength
      // p = ū·v, ṗ = ū̇·v + ū·v̇, and v·v̇.
      products(adjoint, copied, rows, into: p)
      products(tangent, copied, rows, into: pDot)
      products(adjoint, copiedTangent, rows, into: part)
      addScaled(1, part.pointer, to: pDot.pointer, count)
      products(copied, copiedTangent, rows, into: growth)
      for row in rows {
        for w in 0..<count where norm[w] > 0 {
          let n = norm[w]
          let nDot = growth.pointer[w] / n
          let f = 1 / (n + floor)
          let fDot = -f * f * nDot
          // c = f²/n
          let c = f * f / n
          let cDot = 2 * f * fDot / n - c * nDot / n
          let (u, v) = (adjoint[row + w], copied[row + w])
          tangent[row + w] =
            fDot * u + f * tangent[row + w] - (cDot * p.pointer[w] + c * pDot.pointer[w]) * v
            - c * p.pointer[w] * copiedTangent[row + w]
          adjoint[row + w] = f * u - c * p.pointer[w] * v
        }
      }
    }
  }

  /// Adds Σ_ω ⟨ū_ω, ∂²u_ω/∂w_i∂w_j⟩ to a symmetric matrix over the weights, column by column: the tangent
  /// of the adjoint along each weight, with ū held.
  ///
  /// - Parameters:
  ///   - attention: σ, shape (masks, weights).
  ///   - copied: v.
  ///   - valueAdjoint: ū.
  ///   - matrix: accumulated into, entries at `[row * stride + column]`.
  ///   - stride: distance between rows.
  func addSecondDerivative(
    attention: UnsafePointer<Double>, copied: UnsafePointer<Double>,
    valueAdjoint: UnsafePointer<Double>, to matrix: UnsafeMutablePointer<Double>, stride: Int
  ) {
    let weights = features.weightCount
    let (attentionTangent, tangent) = (
      Buffer(features.maskCount * weights), Buffer(features.tableSize)
    )
    let (adjoint, adjointTangent) = (Buffer(features.tableSize), Buffer(features.tableSize))
    let (direction, column) = (Buffer(weights), Buffer(weights))
    for j in 0..<weights {
      direction.clear()
      column.clear()
      direction.pointer[j] = 1
      features.tangent(
        attention: attention, weightTangent: direction.pointer,
        attentionTangent: attentionTangent.pointer, into: tangent.pointer)
      adjoint.pointer.update(from: valueAdjoint, count: adjoint.count)
      adjointTangent.clear()
      pullBack(adjoint.pointer, tangent: adjointTangent.pointer, at: copied, along: tangent.pointer)
      features.pullbackTangent(
        attention: attention, attentionTangent: attentionTangent.pointer, features: copied,
        featureTangent: tangent.pointer, featureAdjoint: adjoint.pointer,
        featureAdjointTangent: adjointTangent.pointer, into: column.pointer)
      for i in 0..<weights { matrix[i * stride + j] += column.pointer[i] }
    }
  }

  /// x·y of every window, over the rows of a head.
  private func products(
    _ x: UnsafePointer<Double>, _ y: UnsafePointer<Double>, _ rows: [Int], into sums: Buffer
  ) {
    sums.clear()
    for row in rows { addProduct(x + row, y + row, to: sums.pointer, features.windowCount) }
  }

  /// Calls `body` with every head and where its rows over windows start.
  private func forEachHead(_ body: (_ head: Int, _ rows: [Int]) -> Void) {
    for head in 0..<features.headCount {
      body(
        head,
        (0..<features.vocabulary).map {
          (head * features.vocabulary + $0) * features.rowLength
        })
    }
  }
}
