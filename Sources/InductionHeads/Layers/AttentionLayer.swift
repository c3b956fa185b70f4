import LinearAlgebra

#if canImport(Glibc)
  import Glibc
#endif

/// An attention layer with relative positional weights and, if wanted, content: block h of the output is
/// z^h = Σ_i σ_i^h x(l − i) with σ^h = softmax over the lags i of ⟨W_Qᵀ x(l), W_Kᵀ x(l − i)⟩ + w_i.
///
/// Without content the logits are w_i alone. x(l) is a lower window's column of the input, so all scores are
/// entries of one matrix G = (W_Qᵀ X)ᵀ (W_Kᵀ X) over pairs of lower windows.
package final class AttentionLayer: FeatureLayer {
  /// One head.
  package struct Head: Sendable {
    /// Its lags, each with the place of its weight in θ; −1 for the position itself, whose logit is fixed.
    package let lags: [(lag: Int, weight: Int)]
    /// Where W_Q and W_K begin in θ, each of shape (width, width); nil without content.
    package let projections: (query: Int, key: Int)?

    /// Describes a head.
    package init(lags: [(lag: Int, weight: Int)], projections: (query: Int, key: Int)?) {
      self.lags = lags
      self.projections = projections
    }
  }

  private let input: FeatureTable
  package var inputs: [FeatureTable] { [input] }
  package let output: FeatureTable
  /// The logit of the position itself, 1e−6, as in the public code of arXiv 2409.10559.
  static let ownLogit = 1e-6

  private let stage: WindowStages.Stage
  private let heads: [HeadState]

  /// A head with its buffers.
  private final class HeadState {
    let lags: [(lag: Int, weight: Int)]
    let projections: (query: Int, key: Int)?
    /// σ, what the scores have it be, and their tangents and adjoints, shape (lags, windows).
    let attention, attentionTangent, pull, pullTangent: Buffer
    /// W_Qᵀ X and W_Kᵀ X, shape (width, lower windows), and G, shape (lower windows, lower windows).
    let queries, keys, scores: Buffer
    let queryTangents, keyTangents, scoreTangents: Buffer
    let scoreAdjoints, scoreAdjointTangents: Buffer
    let queryAdjoints, keyAdjoints: Buffer

    init(_ head: Head, width: Int, windows: Int, lowerWindows n: Int) {
      lags = head.lags
      projections = head.projections
      let entries = head.lags.count * windows
      (attention, attentionTangent) = (Buffer(entries), Buffer(entries))
      (pull, pullTangent) = (Buffer(entries), Buffer(entries))
      let size = head.projections == nil ? 0 : n
      (queries, keys) = (Buffer(width * size), Buffer(width * size))
      (queryTangents, keyTangents) = (Buffer(width * size), Buffer(width * size))
      (queryAdjoints, keyAdjoints) = (Buffer(width * size), Buffer(width * size))
      (scores, scoreTangents) = (Buffer(size * size), Buffer(size * size))
      (scoreAdjoints, scoreAdjointTangents) = (Buffer(size * size), Buffer(size * size))
    }
  }

  /// Makes the output, a block of the input's width for each head.
  ///
  /// - Parameters:
  ///   - input: a column for each lower window of the stage.
  ///   - stage: the windows.
  ///   - heads: at least one.
  package init(_ input: FeatureTable, _ stage: WindowStages.Stage, heads: [Head]) {
    precondition(input.count == stage.lowerCount, "the input is of other windows")
    self.input = input
    self.stage = stage
    output = FeatureTable(width: heads.count * input.width, count: stage.count)
    self.heads = heads.map {
      HeadState($0, width: input.width, windows: stage.count, lowerWindows: stage.lowerCount)
    }
  }

  /// σ_i^h of a window, in the order of the head's lags; 0 where the position does not exist.
  package func attention(head: Int, window: Int) -> [Double] {
    heads[head].lags.indices.map { heads[head].attention.pointer[$0 * stage.count + window] }
  }

  package func forward(_ theta: UnsafePointer<Double>) {
    let n = stage.count
    output.value.clear()
    for (h, head) in heads.enumerated() {
      if let (query, key) = head.projections {
        project(theta + query, input.value, into: head.queries)
        project(theta + key, input.value, into: head.keys)
        score(head.queries, head.keys, keeping: 0, into: head.scores)
      }
      let sigma = head.attention.pointer
      for window in 0..<n {
        var largest = -Double.infinity
        forEachLag(head, window) { place, weight, score, _ in
          let logit =
            (weight < 0 ? Self.ownLogit : theta[weight])
            + (score < 0 ? 0 : head.scores.pointer[score])
          sigma[place] = logit
          largest = max(largest, logit)
        }
        var total = 0.0
        forEachLag(head, window) { place, _, _, _ in
          sigma[place] = exp(sigma[place] - largest)
          total += sigma[place]
        }
        forEachLag(head, window) { place, _, _, lower in
          sigma[place] /= total
          copy(sigma[place], input.value, lower, to: output.value, head: h, window)
        }
      }
    }
  }

  package func tangent(_ theta: UnsafePointer<Double>, _ direction: UnsafePointer<Double>) {
    output.tangent.clear()
    for (h, head) in heads.enumerated() {
      if let (query, key) = head.projections {
        projectTangent(theta + query, direction + query, into: head.queryTangents)
        projectTangent(theta + key, direction + key, into: head.keyTangents)
        score(head.queryTangents, head.keys, keeping: 0, into: head.scoreTangents)
        score(head.queries, head.keyTangents, keeping: 1, into: head.scoreTangents)
      }
      let (sigma, sigmaDot) = (head.attention.pointer, head.attentionTangent.pointer)
      for window in 0..<stage.count {
        var mean = 0.0
        forEachLag(head, window) { place, weight, score, _ in
          let logitDot =
            (weight < 0 ? 0 : direction[weight])
            + (score < 0 ? 0 : head.scoreTangents.pointer[score])
          sigmaDot[place] = logitDot
          mean += sigma[place] * logitDot
        }
        forEachLag(head, window) { place, _, _, lower in
          sigmaDot[place] = sigma[place] * (sigmaDot[place] - mean)
          copy(sigmaDot[place], input.value, lower, to: output.tangent, head: h, window)
          if input.isConstant { return }
          copy(sigma[place], input.tangent, lower, to: output.tangent, head: h, window)
        }
      }
    }
  }

  package func pullBack(_ theta: UnsafePointer<Double>, into gradient: UnsafeMutablePointer<Double>)
  {
    for (h, head) in heads.enumerated() {
      let (sigma, pull) = (head.attention.pointer, head.pull.pointer)
      head.scoreAdjoints.clear()
      for window in 0..<stage.count {
        // σ̄_i = ⟨z̄, x_i⟩, and the logit's adjoint is σ_i (σ̄_i − Σ σ σ̄).
        var mean = 0.0
        forEachLag(head, window) { place, _, _, lower in
          pull[place] = product(output.adjoint, head: h, window, input.value, lower)
          mean += sigma[place] * pull[place]
        }
        forEachLag(head, window) { place, weight, score, lower in
          let logitAdjoint = sigma[place] * (pull[place] - mean)
          if weight >= 0 { gradient[weight] += logitAdjoint }
          if score >= 0 { head.scoreAdjoints.pointer[score] += logitAdjoint }
          if input.isConstant { return }
          copyBack(sigma[place], output.adjoint, head: h, window, to: input.adjoint, lower)
        }
      }
      guard let (query, key) = head.projections else { continue }
      unscore(head.scoreAdjoints, queries: head.queries, keys: head.keys, keeping: 0, head)
      unproject(theta + query, head.queryAdjoints, into: gradient + query)
      unproject(theta + key, head.keyAdjoints, into: gradient + key)
    }
  }

  package func pullBackTangent(
    _ theta: UnsafePointer<Double>, _ direction: UnsafePointer<Double>,
    into product: UnsafeMutablePointer<Double>
  ) {
    for (h, head) in heads.enumerated() {
      let (sigma, sigmaDot) = (head.attention.pointer, head.attentionTangent.pointer)
      let (pull, pullDot) = (head.pull.pointer, head.pullTangent.pointer)
      head.scoreAdjointTangents.clear()
      for window in 0..<stage.count {
        var (mean, meanDot) = (0.0, 0.0)
        forEachLag(head, window) { place, _, _, lower in
          pullDot[place] = self.product(output.adjointTangent, head: h, window, input.value, lower)
          if !input.isConstant {
            pullDot[place] += self.product(output.adjoint, head: h, window, input.tangent, lower)
          }
          mean += sigma[place] * pull[place]
          meanDot += sigmaDot[place] * pull[place] + sigma[place] * pullDot[place]
        }
        forEachLag(head, window) { place, weight, score, lower in
          let logitAdjointDot =
            sigmaDot[place] * (pull[place] - mean) + sigma[place] * (pullDot[place] - meanDot)
          if weight >= 0 { product[weight] += logitAdjointDot }
          if score >= 0 { head.scoreAdjointTangents.pointer[score] += logitAdjointDot }
          if input.isConstant { return }
          copyBack(
            sigmaDot[place], output.adjoint, head: h, window, to: input.adjointTangent, lower)
          copyBack(
            sigma[place], output.adjointTangent, head: h, window, to: input.adjointTangent, lower)
        }
      }
      guard let (query, key) = head.projections else { continue }
      // W̄ = X Q̄ᵀ and X̄ = W Q̄: first what moves with the factors, with Q̄ and K̄ as the pull-back left them.
      unprojectTangent(direction + query, head.queryAdjoints, into: product + query)
      unprojectTangent(direction + key, head.keyAdjoints, into: product + key)
      unscore(
        head.scoreAdjointTangents, queries: head.queries, keys: head.keys, keeping: 0, head)
      unscore(
        head.scoreAdjoints, queries: head.queryTangents, keys: head.keyTangents, keeping: 1, head)
      unproject(
        theta + query, head.queryAdjoints, into: product + query, adjoint: \.adjointTangent)
      unproject(theta + key, head.keyAdjoints, into: product + key, adjoint: \.adjointTangent)
    }
  }

  /// Calls `body` for every lag of a head that exists at a window: the place of the entry, of its weight in θ, of
  /// its score in G (−1 without content), and the lower window.
  @inline(__always)
  private func forEachLag(
    _ head: HeadState, _ window: Int, _ body: (Int, Int, Int, Int) -> Void
  ) {
    let own = stage.lower(0, window)
    for (entry, (lag, weight)) in head.lags.enumerated() {
      let lower = stage.lower(lag, window)
      if lower < 0 { continue }
      body(
        entry * stage.count + window, weight,
        head.projections == nil ? -1 : own * stage.lowerCount + lower, lower)
    }
  }

  /// Adds a factor times a lower window's column to a block of a window's.
  @inline(__always)
  private func copy(
    _ factor: Double, _ from: Buffer, _ lower: Int, to: Buffer, head: Int, _ window: Int
  ) {
    for i in 0..<input.width {
      to.pointer[(head * input.width + i) * output.rowLength + window] +=
        factor * from.pointer[i * input.rowLength + lower]
    }
  }

  /// The other way.
  @inline(__always)
  private func copyBack(
    _ factor: Double, _ from: Buffer, head: Int, _ window: Int, to: Buffer, _ lower: Int
  ) {
    for i in 0..<input.width {
      to.pointer[i * input.rowLength + lower] +=
        factor * from.pointer[(head * input.width + i) * output.rowLength + window]
    }
  }

  /// The inner product of both.
  @inline(__always)
  private func product(
    _ upper: Buffer, head: Int, _ window: Int, _ below: Buffer, _ lower: Int
  ) -> Double {
    var sum = 0.0
    for i in 0..<input.width {
      sum +=
        upper.pointer[(head * input.width + i) * output.rowLength + window]
        * below.pointer[i * input.rowLength + lower]
    }
    return sum
  }
}

// The scores: products of small matrices.
extension AttentionLayer {
  /// W, shape (width, width).
  private func matrix(_ weights: UnsafePointer<Double>) -> MatrixView {
    MatrixView(weights, rows: input.width, columns: input.width)
  }

  /// Columns over lower windows without padding, shape (width, lower windows).
  private func columns(_ buffer: Buffer) -> MatrixView {
    MatrixView(buffer.pointer, rows: input.width, columns: input.count)
  }

  /// Values over pairs of lower windows.
  private func pairs(_ buffer: Buffer) -> MatrixView {
    MatrixView(buffer.pointer, rows: input.count, columns: input.count)
  }

  /// X, or a tangent or adjoint of it.
  private func inputs(_ buffer: Buffer) -> MatrixView {
    MatrixView(
      buffer.pointer, rows: input.width, columns: input.count, stride: input.rowLength)
  }

  /// Wᵀ X.
  private func project(
    _ weights: UnsafePointer<Double>, _ from: Buffer, keeping: Double = 0, into: Buffer
  ) {
    multiply(
      matrix(weights).transposed, inputs(from), keeping: keeping, into: into.pointer)
  }

  /// Ẇᵀ X + Wᵀ Ẋ.
  private func projectTangent(
    _ weights: UnsafePointer<Double>, _ direction: UnsafePointer<Double>, into: Buffer
  ) {
    project(direction, input.value, into: into)
    if !input.isConstant { project(weights, input.tangent, keeping: 1, into: into) }
  }

  /// Qᵀ K.
  private func score(_ queries: Buffer, _ keys: Buffer, keeping: Double, into: Buffer) {
    multiply(columns(queries).transposed, columns(keys), keeping: keeping, into: into.pointer)
  }

  /// Q̄ = K Ḡᵀ and K̄ = Q Ḡ.
  private func unscore(
    _ scores: Buffer, queries: Buffer, keys: Buffer, keeping: Double, _ head: HeadState
  ) {
    multiply(
      columns(keys), pairs(scores).transposed, keeping: keeping, into: head.queryAdjoints.pointer)
    multiply(columns(queries), pairs(scores), keeping: keeping, into: head.keyAdjoints.pointer)
  }

  /// W̄ += X Q̄ᵀ and X̄ += W Q̄.
  private func unproject(
    _ weights: UnsafePointer<Double>, _ adjoints: Buffer,
    into gradient: UnsafeMutablePointer<Double>,
    adjoint: KeyPath<FeatureTable, Buffer> = \.adjoint
  ) {
    multiply(
      inputs(input.value), columns(adjoints).transposed, keeping: 1, into: gradient)
    if input.isConstant { return }
    multiply(
      matrix(weights), columns(adjoints), keeping: 1, into: input[keyPath: adjoint].pointer,
      stride: input.rowLength)
  }

  /// W̄̇ += Ẋ Q̄ᵀ and X̄̇ += Ẇ Q̄.
  private func unprojectTangent(
    _ direction: UnsafePointer<Double>, _ adjoints: Buffer,
    into product: UnsafeMutablePointer<Double>
  ) {
    if input.isConstant { return }
    multiply(
      inputs(input.tangent), columns(adjoints).transposed, keeping: 1, into: product)
    multiply(
      matrix(direction), columns(adjoints), keeping: 1, into: input.adjointTangent.pointer,
      stride: input.rowLength)
  }
}
