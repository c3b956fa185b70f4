import CKernels
import Corpora

#if canImport(Glibc)
  import Glibc
#endif

/// The first attention layer on the distinct windows: v_ω^h = Σ_i σ_i x_{ω_i}, with its adjoint,
/// its tangent, and the tangent of its adjoint.
///
/// σ is the softmax of a head's weights over the lags that exist in the window, so it depends on
/// the window only through which tokens are absent and, if positions have weights of their own, where it is: its
/// *mask*. A *weight* is a head and a lag; arrays over parameters run over all weights, position by position, in the
/// order of the group `w`; arrays over features have shape (H, d, windows), with
/// rows of ``rowLength`` places of which those after the last window are zero.
struct WindowFeatures: Sendable {
  let windowCount: Int
  let headCount: Int
  /// Tokens that occur: d, or fewer where windows are relabelled.
  let vocabulary: Int
  /// Number of weights, Σ_h (lags of head h).
  let weightCount: Int
  /// For each head: its weights.
  let weightsOfHead: [Range<Int>]
  /// Number of parameters, those of all positions.
  let parameterCount: Int
  /// Number of distinct masks.
  let maskCount: Int
  /// For each mask: where the parameters of its position start.
  let parametersOfMask: [Int]
  /// For each weight and window: the token it copies, or −1 when it is absent; shape (weights, windows).
  let tokens: [Int16]
  /// For each window: its mask.
  let maskOfWindow: [Int32]
  /// Runs of consecutive windows with the same mask.
  let runs: [(mask: Int, windows: Range<Int>)]
  /// For each mask and weight: whether the token exists.
  let exists: [Bool]

  init(model: GIHTransformer, windows: WindowTable) {
    let columns = model.columnsOfHead.flatMap { $0 }
    var ranges: [Range<Int>] = []
    for head in model.columnsOfHead {
      let start = ranges.last?.upperBound ?? 0
      ranges.append(start..<start + head.count)
    }
    var tokens: [Int16] = []
    var masks: [Mask: Int32] = [:]
    var parametersOfMask: [Int] = []
    var maskOfWindow: [Int32] = []
    var exists: [Bool] = []
    tokens.reserveCapacity(windows.count * columns.count)
    for window in 0..<windows.count {
      let copied = columns.map { column -> Int16 in
        let symbol = windows[window, column]
        return symbol == model.vocabulary ? -1 : Int16(symbol)
      }
      let mask = Mask(exists: copied.map { $0 >= 0 }, position: windows.position(of: window))
      if masks[mask] == nil {
        masks[mask] = Int32(masks.count)
        exists += mask.exists
        parametersOfMask.append(mask.position * columns.count)
      }
      maskOfWindow.append(masks[mask] ?? 0)
      tokens += copied
    }
    windowCount = windows.count
    headCount = model.heads.count
    vocabulary = 1 + Int(max(0, tokens.max() ?? 0))
    weightCount = columns.count
    parameterCount = columns.count * windows.shape.positions.count
    weightsOfHead = ranges
    maskCount = masks.count
    self.parametersOfMask = parametersOfMask
    let copied = tokens
    self.tokens = columns.indices.flatMap { column in
      (0..<windows.count).map { copied[$0 * columns.count + column] }
    }
    self.maskOfWindow = maskOfWindow
    var runs: [(mask: Int, windows: Range<Int>)] = []
    for (window, mask) in maskOfWindow.enumerated() {
      if let last = runs.last, last.mask == Int(mask) {
        runs[runs.count - 1].windows = last.windows.lowerBound..<window + 1
      } else {
        runs.append((Int(mask), window..<window + 1))
      }
    }
    self.runs = runs
    self.exists = exists
  }

  /// What σ depends on.
  private struct Mask: Hashable {
    let exists: [Bool]
    let position: Int
  }

  /// Number of features of one window, H·d.
  var width: Int { headCount * vocabulary }
  /// Distance between rows over windows.
  var rowLength: Int { paddedToLanes(windowCount) }
  /// Places of an array of features.
  var tableSize: Int { width * rowLength }

  /// σ for every mask: softmax of each head's weights over the lags that exist, 0 elsewhere.
  ///
  /// - Parameters:
  ///   - parameters: w, `parameterCount` values.
  ///   - attention: σ, shape (masks, weights).
  func attention(_ parameters: UnsafePointer<Double>, into attention: UnsafeMutablePointer<Double>)
  {
    for mask in 0..<maskCount {
      let sigma = attention + mask * weightCount
      let weights = parameters + parametersOfMask[mask]
      for range in weightsOfHead {
        var largest = -Double.infinity
        for j in range where exists[mask * weightCount + j] { largest = max(largest, weights[j]) }
        var total = 0.0
        for j in range {
          sigma[j] = exists[mask * weightCount + j] ? exp(weights[j] - largest) : 0
          total += sigma[j]
        }
        // A head that sees nothing copies nothing: all its σ stay 0.
        if total > 0 { for j in range { sigma[j] /= total } }
      }
    }
  }

  /// v for every window.
  ///
  /// - Parameters:
  ///   - attention: σ, shape (masks, weights).
  ///   - features: v, shape (H, d, windows).
  func forward(
    attention: UnsafePointer<Double>, into features: UnsafeMutablePointer<Double>
  ) {
    features.update(repeating: 0, count: tableSize)
    for (head, range) in weightsOfHead.enumerated() {
      let start = head &* vocabulary &* rowLength
      for weight in range {
        forEachRun(of: weight) { mask, first, tokens, count in
          gf_add_picked(
            attention[mask * weightCount + weight], features + start + first, tokens, rowLength,
            count)
        }
      }
    }
  }

  /// The tangents σ̇ and v̇ along ẇ.
  ///
  /// σ̇_i = σ_i (ẇ_i − Σ_j σ_j ẇ_j), and v̇ copies with σ̇ as v does with σ.
  func tangent(
    attention: UnsafePointer<Double>, weightTangent: UnsafePointer<Double>,
    attentionTangent: UnsafeMutablePointer<Double>,
    into featureTangent: UnsafeMutablePointer<Double>
  ) {
    for mask in 0..<maskCount {
      let sigma = attention + mask * weightCount
      let dot = weightTangent + parametersOfMask[mask]
      for range in weightsOfHead {
        var mean = 0.0
        for j in range { mean += sigma[j] * dot[j] }
        for j in range {
          attentionTangent[mask * weightCount + j] = sigma[j] * (dot[j] - mean)
        }
      }
    }
    forward(attention: attentionTangent, into: featureTangent)
  }

  /// Adds the adjoint of the weights: w̄_i += Σ_ω σ_i (v̄[ω_i] − ⟨v̄, v⟩).
  ///
  /// - Parameters:
  ///   - attention: σ, shape (masks, weights).
  ///   - features: v, shape (H, d, windows).
  ///   - featureAdjoint: v̄, shape (H, d, windows).
  ///   - weightAdjoint: w̄, accumulated into.
  func pullback(
    attention: UnsafePointer<Double>, features: UnsafePointer<Double>,
    featureAdjoint: UnsafePointer<Double>, into weightAdjoint: UnsafeMutablePointer<Double>
  ) {
    let gaps = gaps(featureAdjoint, [(featureAdjoint, features)])
    for (i, gap) in gaps.enumerated() { weightAdjoint[parameter(i)] += attention[i] * gap }
  }

  /// Adds the tangent of the adjoint of the weights.
  ///
  /// From w̄_i = Σ_ω σ_i (v̄[ω_i] − ⟨v̄, v⟩):
  /// w̄̇_i += Σ_ω σ̇_i (v̄[ω_i] − ⟨v̄, v⟩) + σ_i (v̄̇[ω_i] − ⟨v̄̇, v⟩ − ⟨v̄, v̇⟩).
  func pullbackTangent(
    attention: UnsafePointer<Double>, attentionTangent: UnsafePointer<Double>,
    features: UnsafePointer<Double>, featureTangent: UnsafePointer<Double>,
    featureAdjoint: UnsafePointer<Double>, featureAdjointTangent: UnsafePointer<Double>,
    into weightAdjointTangent: UnsafeMutablePointer<Double>
  ) {
    let gaps = gaps(featureAdjoint, [(featureAdjoint, features)])
    let gapTangents = self.gaps(
      featureAdjointTangent,
      [(featureAdjointTangent, features), (featureAdjoint, featureTangent)])
    for i in gaps.indices {
      weightAdjointTangent[parameter(i)] +=
        attentionTangent[i] * gaps[i] + attention[i] * gapTangents[i]
    }
  }

  /// The parameter that the entry of an array of shape (masks, weights) belongs to.
  private func parameter(_ index: Int) -> Int {
    parametersOfMask[index / weightCount] + index % weightCount
  }

  /// Adds Σ_ω ⟨v̄_ω, ∂²v_ω/∂w_i∂w_j⟩ to a symmetric matrix over the weights, which all positions share.
  ///
  /// With s_i = σ_i (v̄[ω_i] − ⟨v̄, v⟩): the second derivative within a head is
  /// δ_ij s_i − σ_j s_i − σ_i s_j (derived).
  ///
  /// - Parameters:
  ///   - attention: σ, shape (masks, weights).
  ///   - features: v, shape (H, d, windows).
  ///   - featureAdjoint: v̄, shape (H, d, windows).
  ///   - matrix: accumulated into, entries at `[row * stride + column]`.
  ///   - stride: distance between rows.
  func addSecondDerivative(
    attention: UnsafePointer<Double>, features: UnsafePointer<Double>,
    featureAdjoint: UnsafePointer<Double>, to matrix: UnsafeMutablePointer<Double>, stride: Int
  ) {
    let gaps = gaps(featureAdjoint, [(featureAdjoint, features)])
    for mask in 0..<maskCount {
      let sigma = attention + mask * weightCount
      let slopes = (0..<weightCount).map { sigma[$0] * gaps[mask * weightCount + $0] }
      for range in weightsOfHead {
        for i in range {
          matrix[i * stride + i] += slopes[i]
          for j in range {
            matrix[i * stride + j] -= sigma[j] * slopes[i] + sigma[i] * slopes[j]
          }
        }
      }
    }
  }

  /// Σ (x_ω[ω_i] − m_ω) over the windows ω of each mask that have a token for weight i, where m_ω is the
  /// sum of the inner products ⟨y_ω, z_ω⟩ of the weight's head; shape (masks, weights).
  ///
  /// x, y and z have the shape of features.
  private func gaps(
    _ x: UnsafePointer<Double>,
    _ products: [(UnsafePointer<Double>, UnsafePointer<Double>)]
  ) -> [Double] {
    var gaps = [Double](repeating: 0, count: maskCount * weightCount)
    for (head, range) in weightsOfHead.enumerated() {
      let start = head &* vocabulary &* rowLength
      var means = [Double](repeating: 0, count: maskCount)
      for (mask, windows) in runs {
        for (y, z) in products {
          for token in 0..<vocabulary {
            let first = start + token * rowLength + windows.lowerBound
            means[mask] += dot(y + first, z + first, windows.count)
          }
        }
      }
      for weight in range {
        for mask in 0..<maskCount where exists[mask * weightCount + weight] {
          gaps[mask * weightCount + weight] = -means[mask]
        }
        forEachRun(of: weight) { mask, first, tokens, count in
          gaps[mask * weightCount + weight] += gf_sum_picked(
            x + start + first, tokens, rowLength, count)
        }
      }
    }
    return gaps
  }

  /// Calls `body` with every run of windows that have a token for a weight: the mask, the first window,
  /// the tokens, and how many there are.
  private func forEachRun(of weight: Int, _ body: (Int, Int, UnsafePointer<Int16>, Int) -> Void) {
    tokens.withUnsafeBufferPointer { tokens in
      guard let tokens = tokens.baseAddress else { return }
      for (mask, windows) in runs where exists[mask * weightCount + weight] {
        let first = weight * windowCount + windows.lowerBound
        body(mask, windows.lowerBound, tokens + first, windows.count)
      }
    }
  }
}
