/// The normalised polynomial kernel on the keys of one block: k = Σ_S p_S m_S, m_S = ∏_{h∈S} g^h,
/// g^h = ⟨v_ω^h, v_q^h⟩, with its tangent, its adjoint, and the tangent of its adjoint.
///
/// All arrays over keys have `stride` places; arrays over heads or subsets hold one such row each.
struct PolynomialKernel {
  let subsets: HeadSubsets
  let headCount: Int
  let vocabulary: Int
  let stride: Int

  /// g^h of every key.
  ///
  /// - Parameters:
  ///   - features: v, shape (windows, H, d).
  ///   - query: the window q.
  ///   - windows: ω of each key.
  ///   - count: number of keys.
  ///   - overlaps: g, shape (H, stride).
  func overlaps(
    features: UnsafePointer<Double>, query: Int, windows: UnsafePointer<UInt32>, count: Int,
    into overlaps: UnsafeMutablePointer<Double>
  ) {
    let width = headCount * vocabulary
    let q = features + query * width
    for k in 0..<count {
      let v = features + Int(windows[k]) * width
      for h in 0..<headCount {
        overlaps[h * stride + k] = dot(v + h * vocabulary, q + h * vocabulary, vocabulary)
      }
    }
  }

  /// ġ^h = ⟨v̇_ω, v_q⟩ + ⟨v_ω, v̇_q⟩ of every key.
  func overlapTangents(
    features: UnsafePointer<Double>, featureTangent: UnsafePointer<Double>, query: Int,
    windows: UnsafePointer<UInt32>, count: Int, into tangents: UnsafeMutablePointer<Double>
  ) {
    let width = headCount * vocabulary
    let q = features + query * width
    let qDot = featureTangent + query * width
    for k in 0..<count {
      let v = features + Int(windows[k]) * width
      let vDot = featureTangent + Int(windows[k]) * width
      for h in 0..<headCount {
        let o = h * vocabulary
        tangents[h * stride + k] =
          dot(vDot + o, q + o, vocabulary) + dot(v + o, qDot + o, vocabulary)
      }
    }
  }

  /// m_S for every subset, and k.
  ///
  /// - Parameters:
  ///   - shares: p, one per subset.
  ///   - overlaps: g, shape (H, stride).
  ///   - products: m, shape (subsets, stride).
  ///   - kernel: k.
  func forward(
    shares: UnsafePointer<Double>, overlaps: UnsafePointer<Double>, count: Int,
    products: UnsafeMutablePointer<Double>, kernel: UnsafeMutablePointer<Double>
  ) {
    for k in 0..<count {
      products[k] = 1
      kernel[k] = shares[0]
    }
    for subset in 1..<subsets.count {
      let m = products + subset * stride
      let parent = products + subsets.parents[subset] * stride
      let g = overlaps + subsets.lastHeads[subset] * stride
      let share = shares[subset]
      for k in 0..<count {
        m[k] = parent[k] * g[k]
        kernel[k] += share * m[k]
      }
    }
  }

  /// ṁ_S and k̇ along ġ and ṗ.
  func tangent(
    shares: UnsafePointer<Double>, shareTangent: UnsafePointer<Double>,
    overlaps: UnsafePointer<Double>, overlapTangents: UnsafePointer<Double>,
    products: UnsafePointer<Double>, count: Int,
    productTangents: UnsafeMutablePointer<Double>, kernelTangent: UnsafeMutablePointer<Double>
  ) {
    for k in 0..<count {
      productTangents[k] = 0
      kernelTangent[k] = shareTangent[0]
    }
    for subset in 1..<subsets.count {
      let m = products + subset * stride
      let mDot = productTangents + subset * stride
      let parent = products + subsets.parents[subset] * stride
      let parentDot = productTangents + subsets.parents[subset] * stride
      let g = overlaps + subsets.lastHeads[subset] * stride
      let gDot = overlapTangents + subsets.lastHeads[subset] * stride
      let share = shares[subset]
      let shareDot = shareTangent[subset]
      for k in 0..<count {
        // forward: m_S = m_parent g
        mDot[k] = parentDot[k] * g[k] + parent[k] * gDot[k]
        kernelTangent[k] += shareDot * m[k] + share * mDot[k]
      }
    }
  }

  /// The adjoint of the overlaps, ḡ, from that of the kernel, k̄.
  ///
  /// - Parameters:
  ///   - kernelAdjoint: k̄.
  ///   - productAdjoints: m̄, shape (subsets, stride), overwritten.
  ///   - overlapAdjoints: ḡ, shape (H, stride), overwritten.
  func adjoint(
    shares: UnsafePointer<Double>, overlaps: UnsafePointer<Double>,
    products: UnsafePointer<Double>, kernelAdjoint: UnsafePointer<Double>, count: Int,
    productAdjoints: UnsafeMutablePointer<Double>, overlapAdjoints: UnsafeMutablePointer<Double>
  ) {
    for subset in 0..<subsets.count {
      let share = shares[subset]
      let mBar = productAdjoints + subset * stride
      for k in 0..<count { mBar[k] = share * kernelAdjoint[k] }
    }
    for h in 0..<headCount { (overlapAdjoints + h * stride).update(repeating: 0, count: count) }
    for subset in (1..<subsets.count).reversed() {
      let mBar = productAdjoints + subset * stride
      let parent = products + subsets.parents[subset] * stride
      let parentBar = productAdjoints + subsets.parents[subset] * stride
      let g = overlaps + subsets.lastHeads[subset] * stride
      let gBar = overlapAdjoints + subsets.lastHeads[subset] * stride
      for k in 0..<count {
        // forward: m_S = m_parent g
        gBar[k] += mBar[k] * parent[k]
        parentBar[k] += mBar[k] * g[k]
      }
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
      let share = shares[subset]
      let shareDot = shareTangent[subset]
      let mBarDot = productAdjointTangents + subset * stride
      for k in 0..<count {
        mBarDot[k] = shareDot * kernelAdjoint[k] + share * kernelAdjointTangent[k]
      }
    }
    for h in 0..<headCount {
      (overlapAdjointTangents + h * stride).update(repeating: 0, count: count)
    }
    for subset in (1..<subsets.count).reversed() {
      let p = subsets.parents[subset] * stride
      let h = subsets.lastHeads[subset] * stride
      let mBar = productAdjoints + subset * stride
      let mBarDot = productAdjointTangents + subset * stride
      for k in 0..<count {
        // adjoint: ḡ += m̄ m_parent, m̄_parent += m̄ g
        overlapAdjointTangents[h + k] +=
          mBarDot[k] * products[p + k] + mBar[k] * productTangents[p + k]
        productAdjointTangents[p + k] +=
          mBarDot[k] * overlaps[h + k] + mBar[k] * overlapTangents[h + k]
      }
    }
  }

  /// Adds v̄_ω += ḡ v_q and v̄_q += ḡ v_ω.
  func addFeatureAdjoints(
    overlapAdjoints: UnsafePointer<Double>, features: UnsafePointer<Double>, query: Int,
    windows: UnsafePointer<UInt32>, count: Int, to featureAdjoint: UnsafeMutablePointer<Double>
  ) {
    let width = headCount * vocabulary
    let q = features + query * width
    let qBar = featureAdjoint + query * width
    for k in 0..<count {
      let v = features + Int(windows[k]) * width
      let vBar = featureAdjoint + Int(windows[k]) * width
      for h in 0..<headCount {
        let gBar = overlapAdjoints[h * stride + k]
        for i in h * vocabulary..<(h + 1) * vocabulary {
          vBar[i] += gBar * q[i]
          qBar[i] += gBar * v[i]
        }
      }
    }
  }

  /// k_h = ∂k/∂g^h = Σ_{S∋h} p_S m_{S∖h} of one key.
  func slope(
    head: Int, shares: UnsafePointer<Double>, products: UnsafePointer<Double>, key: Int
  ) -> Double {
    var sum = 0.0
    for subset in 1..<subsets.count {
      let rest = subsets.without[subset][head]
      if rest >= 0 { sum += shares[subset] * products[rest * stride + key] }
    }
    return sum
  }

  /// k_hh' = ∂²k/∂g^h∂g^h' = Σ_{S∋h,h'} p_S m_{S∖{h,h'}} of one key, for h ≠ h'.
  func curvature(
    heads first: Int, _ second: Int, shares: UnsafePointer<Double>,
    products: UnsafePointer<Double>, key: Int
  ) -> Double {
    var sum = 0.0
    for subset in 1..<subsets.count {
      let rest = subsets.without[subset][first]
      if rest < 0 { continue }
      let both = subsets.without[rest][second]
      if both >= 0 { sum += shares[subset] * products[both * stride + key] }
    }
    return sum
  }
}
