import CKernels

/// The normalised polynomial kernel on the keys of one block: k = Σ_S p_S m_S, m_S = ∏_{h∈S} g^h,
/// g^h = ⟨v_ω^h, v_q^h⟩, with its tangent, its adjoint, and the tangent of its adjoint.
///
/// All arrays over keys have `stride` places; arrays over heads or subsets hold one such row each.
struct PolynomialKernel {
  let subsets: HeadSubsets
  let headCount: Int
  let vocabulary: Int
  let stride: Int
  /// The subsets as the vector loops want them.
  let tables: PolynomialTables

  init(
    subsets: HeadSubsets, headCount: Int, vocabulary: Int, stride: Int, isRectified: Bool = false
  ) {
    self.subsets = subsets
    self.headCount = headCount
    self.vocabulary = vocabulary
    self.stride = stride
    tables = PolynomialTables(
      subsets, headCount: headCount, vocabulary: vocabulary, isRectified: isRectified)
  }

  /// The features of some windows, gathered so that loops over keys run through memory in order.
  ///
  /// - Parameters:
  ///   - features: v, shape (H, d, windows).
  ///   - rowLength: distance between the rows of the table.
  ///   - windows: which to gather.
  ///   - count: how many.
  ///   - gathered: receives them, shape (H, d, stride).
  func gather(
    _ features: UnsafePointer<Double>, rowLength: Int, windows: UnsafePointer<UInt32>,
    count: Int, into gathered: UnsafeMutablePointer<Double>
  ) {
    for i in 0..<headCount &* vocabulary {
      let row = features + i &* rowLength
      let target = gathered + i &* stride
      for k in 0..<count { target[k] = row[Int(windows[k])] }
      for k in count..<paddedToLanes(count) { target[k] = 0 }
    }
  }

  /// g^h = ⟨v_ω^h, v_q^h⟩ of every key, added to what is there.
  ///
  /// - Parameters:
  ///   - keys: v_ω, shape (H, d, rowLength).
  ///   - rowLength: distance between the rows of `keys`.
  ///   - query: v_q, shape (H, d).
  ///   - queryStride: distance between the values of `query`.
  ///   - count: number of keys.
  ///   - overlaps: g, shape (H, stride), accumulated into.
  func addOverlaps(
    keys: UnsafePointer<Double>, rowLength: Int, query: UnsafePointer<Double>, queryStride: Int,
    count: Int, to overlaps: UnsafeMutablePointer<Double>
  ) {
    for h in 0..<headCount {
      for i in h &* vocabulary..<(h &+ 1) &* vocabulary {
        addScaled(
          query[i &* queryStride], keys + i &* rowLength, to: overlaps + h &* stride, count)
      }
    }
  }

  /// m_S for every subset, and k, for second derivatives.
  ///
  /// - Parameters:
  ///   - shares: p, one per subset.
  ///   - overlaps: g, shape (H, stride).
  ///   - count: number of keys.
  ///   - products: m, shape (subsets, stride).
  ///   - kernel: k.
  func products(
    shares: UnsafePointer<Double>, overlaps: UnsafePointer<Double>, count: Int,
    products: UnsafeMutablePointer<Double>, kernel: UnsafeMutablePointer<Double>
  ) {
    products.update(repeating: 1, count: count)
    kernel.update(repeating: shares[0], count: count)
    for subset in 1..<subsets.count {
      let m = products + subset &* stride
      multiply(
        products + subsets.parents[subset] &* stride,
        overlaps + subsets.lastHeads[subset] &* stride, into: m, count)
      addScaled(shares[subset], m, to: kernel, count)
    }
  }

  /// ṁ_S and k̇ along ġ and ṗ.
  func tangent(
    shares: UnsafePointer<Double>, shareTangent: UnsafePointer<Double>,
    overlaps: UnsafePointer<Double>, overlapTangents: UnsafePointer<Double>,
    products: UnsafePointer<Double>, count: Int,
    productTangents: UnsafeMutablePointer<Double>, kernelTangent: UnsafeMutablePointer<Double>
  ) {
    productTangents.update(repeating: 0, count: count)
    kernelTangent.update(repeating: shareTangent[0], count: count)
    for subset in 1..<subsets.count {
      let mDot = productTangents + subset &* stride
      let parent = subsets.parents[subset] &* stride
      let head = subsets.lastHeads[subset] &* stride
      // forward: m_S = m_parent g, k += p m_S
      multiply(productTangents + parent, overlaps + head, into: mDot, count)
      addProduct(products + parent, overlapTangents + head, to: mDot, count)
      addScaled(shareTangent[subset], products + subset &* stride, to: kernelTangent, count)
      addScaled(shares[subset], mDot, to: kernelTangent, count)
    }
  }

  /// The adjoint of the overlaps, ḡ, from that of the kernel, k̄.
  ///
  /// - Parameters:
  ///   - shares: p, one per subset.
  ///   - overlaps: g, shape (H, stride).
  ///   - products: m, shape (subsets, stride).
  ///   - kernelAdjoint: k̄.
  ///   - count: number of keys.
  ///   - productAdjoints: m̄, shape (subsets, stride), overwritten.
  ///   - overlapAdjoints: ḡ, shape (H, stride), overwritten.
  func adjoint(
    shares: UnsafePointer<Double>, overlaps: UnsafePointer<Double>,
    products: UnsafePointer<Double>, kernelAdjoint: UnsafePointer<Double>, count: Int,
    productAdjoints: UnsafeMutablePointer<Double>, overlapAdjoints: UnsafeMutablePointer<Double>
  ) {
    for subset in 0..<subsets.count {
      scale(shares[subset], kernelAdjoint, into: productAdjoints + subset &* stride, count)
    }
    for h in 0..<headCount { (overlapAdjoints + h &* stride).update(repeating: 0, count: count) }
    for subset in (1..<subsets.count).reversed() {
      let mBar = productAdjoints + subset &* stride
      let parent = subsets.parents[subset] &* stride
      let head = subsets.lastHeads[subset] &* stride
      // forward: m_S = m_parent g
      addProduct(mBar, products + parent, to: overlapAdjoints + head, count)
      // The empty set has no factors to pass an adjoint on to.
      if parent > 0 { addProduct(mBar, overlaps + head, to: productAdjoints + parent, count) }
    }
  }

  /// The tangent of ``adjoint``; expects m̄ as that function left it.
  func adjointTangent(
    shares: UnsafePointer<Double>, shareTangent: UnsafePointer<Double>,
    overlaps: UnsafePointer<Double>, overlapTangents: UnsafePointer<Double>,
    products: UnsafePointer<Double>, productTangents: UnsafePointer<Double>,
    kernelAdjoint: UnsafePointer<Double>, kernelAdjointTangent: UnsafePointer<Double>,
    productAdjoints: UnsafePointer<Double>, count: Int,
    productAdjointTangents: UnsafeMutablePointer<Double>,
    overlapAdjointTangents: UnsafeMutablePointer<Double>
  ) {
    for subset in 0..<subsets.count {
      let mBarDot = productAdjointTangents + subset &* stride
      scale(shareTangent[subset], kernelAdjoint, into: mBarDot, count)
      addScaled(shares[subset], kernelAdjointTangent, to: mBarDot, count)
    }
    for h in 0..<headCount {
      (overlapAdjointTangents + h &* stride).update(repeating: 0, count: count)
    }
    for subset in (1..<subsets.count).reversed() {
      let parent = subsets.parents[subset] &* stride
      let head = subsets.lastHeads[subset] &* stride
      let mBar = productAdjoints + subset &* stride
      let mBarDot = productAdjointTangents + subset &* stride
      // adjoint: ḡ += m̄ m_parent, m̄_parent += m̄ g
      addProduct(mBarDot, products + parent, to: overlapAdjointTangents + head, count)
      addProduct(mBar, productTangents + parent, to: overlapAdjointTangents + head, count)
      if parent > 0 {
        addProduct(mBarDot, overlaps + head, to: productAdjointTangents + parent, count)
        addProduct(mBar, overlapTangents + head, to: productAdjointTangents + parent, count)
      }
    }
  }

  /// Adds v̄_q += Σ ḡ v_ω and, for every key, v̄_ω += ḡ v_q.
  ///
  /// - Parameters:
  ///   - overlapAdjoints: ḡ, shape (H, stride).
  ///   - keys: v_ω, shape (H, d, rowLength).
  ///   - rowLength: distance between the rows of `keys`.
  ///   - features: v of the windows as queries, shape (H, d, tableLength).
  ///   - tableLength: distance between the rows of features and their adjoints.
  ///   - query: the window q.
  ///   - windows: ω of each key, or nil when the keys are all windows in order.
  ///   - count: number of keys.
  ///   - keyAdjoint: v̄ of the windows as keys, shape (H, d, windows), accumulated into.
  ///   - queryAdjoint: that of the windows as queries, which may be the same.
  func addFeatureAdjoints(
    overlapAdjoints: UnsafePointer<Double>, keys: UnsafePointer<Double>, rowLength: Int,
    features: UnsafePointer<Double>, tableLength: Int, query: Int,
    windows: UnsafePointer<UInt32>?, count: Int, toKeys keyAdjoint: UnsafeMutablePointer<Double>,
    queries queryAdjoint: UnsafeMutablePointer<Double>
  ) {
    for h in 0..<headCount {
      let gBar = overlapAdjoints + h &* stride
      for i in h &* vocabulary..<(h &+ 1) &* vocabulary {
        let row = keyAdjoint + i &* tableLength
        let v = features[i &* tableLength &+ query]
        if let windows {
          for k in 0..<count { row[Int(windows[k])] += v * gBar[k] }
        } else {
          addScaled(v, gBar, to: row, count)
        }
        queryAdjoint[i &* tableLength &+ query] += dot(gBar, keys + i &* rowLength, count)
      }
    }
  }

  /// k_h = ∂k/∂g^h = Σ_{S∋h} p_S m_{S∖h}.
  func slope(
    head: Int, shares: UnsafePointer<Double>, products: UnsafePointer<Double>, count: Int,
    into slope: UnsafeMutablePointer<Double>
  ) {
    slope.update(repeating: 0, count: count)
    for subset in 1..<subsets.count {
      let rest = subsets.without[subset][head]
      if rest >= 0 { addScaled(shares[subset], products + rest &* stride, to: slope, count) }
    }
  }

  /// k_hh' = ∂²k/∂g^h∂g^h' = Σ_{S∋h,h'} p_S m_{S∖{h,h'}}, for h ≠ h'.
  func curvature(
    heads first: Int, _ second: Int, shares: UnsafePointer<Double>,
    products: UnsafePointer<Double>, count: Int, into curvature: UnsafeMutablePointer<Double>
  ) {
    curvature.update(repeating: 0, count: count)
    for subset in 1..<subsets.count {
      let rest = subsets.without[subset][first]
      if rest < 0 { continue }
      let both = subsets.without[rest][second]
      if both >= 0 { addScaled(shares[subset], products + both &* stride, to: curvature, count) }
    }
  }
}

/// The subsets of heads in memory that C can read, freed with its owner.
final class PolynomialTables {
  let polynomial: gf_polynomial
  private let storage: UnsafeMutablePointer<Int32>

  init(_ subsets: HeadSubsets, headCount: Int, vocabulary: Int, isRectified: Bool) {
    var slopes: [Int32] = []
    for head in 0..<headCount {
      for subset in 1..<subsets.count where subsets.without[subset][head] >= 0 {
        slopes += [Int32(subset), Int32(subsets.without[subset][head])]
      }
      slopes.append(-1)
    }
    let values = subsets.parents.map(Int32.init) + subsets.lastHeads.map(Int32.init) + slopes
    storage = .allocate(capacity: values.count)
    storage.initialize(from: values, count: values.count)
    polynomial = gf_polynomial(
      heads: Int32(headCount), vocabulary: Int32(vocabulary), subsets: Int32(subsets.count),
      is_rectified: isRectified ? 1 : 0, parents: storage, last_heads: storage + subsets.count,
      slopes: storage + 2 * subsets.count)
  }

  deinit { storage.deallocate() }
}
