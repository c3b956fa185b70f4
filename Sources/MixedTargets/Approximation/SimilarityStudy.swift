import MarkovChains

/// Errors of the leading singular functions of a similarity, and of the GIH₂ that uses them.
///
///     GIH₂ = Σ_{s=2}^{L−1} softmax_s(g(x_L, x_{s−1})) x_s
///
/// The FFN behind the first layer turns a number u into √σ_1 φ_1(u), …, √σ_R φ_R(u), so that the dot
/// product of the second layer is the part of rank R of g. A singular value counts with the sign of
/// its eigenvalue on the side of the query.
public struct SimilarityStudy: Sendable, Equatable {
  /// One line of the study.
  public struct Row: Sendable, Equatable {
    /// The rank R.
    public let rank: Int
    /// The error of rank R in L²(μ × μ), by quadrature.
    public let squareError: Double
    /// The ℓ² tail of the singular values, which it equals.
    public let squareTail: Double
    /// The error in the maximum norm on a grid, and Σ_{r>R} σ_r ‖φ_r‖_∞².
    public let supremum: BoundedError
    /// The largest ‖GIH₂ − TF‖_∞ of the sequences, and what follows from the bound of g.
    public let output: BoundedError
  }

  /// The similarity g.
  public let kernel: SimilarityKernel
  /// The measure μ.
  public let measure: SimilarityMeasure
  /// The ranks R ≥ 1.
  public let ranks: [Int]
  /// The length L ≥ 3 of the sequences.
  public let length: Int
  /// The sequences; their tokens are scaled to the measure's reach.
  public let sampling: Sampling

  /// The points in each coordinate at which errors are taken for the maximum norm.
  public static let gridCount = 401
  /// A study of all ranks.
  public init(
    kernel: SimilarityKernel, measure: SimilarityMeasure, ranks: [Int], length: Int,
    sampling: Sampling
  ) {
    self.kernel = kernel
    self.measure = measure
    self.ranks = ranks
    self.length = length
    self.sampling = sampling
  }

  /// Measures.
  ///
  /// - Parameter isStopped: asked before every rank; what comes after a yes has no rows.
  /// - Returns: one row for every rank; nil if LAPACK could not expand the kernel.
  public func rows(isStopped: () -> Bool) -> [Row]? {
    guard let expansion = SingularExpansion(of: kernel, under: measure) else { return nil }
    let highest = min(ranks.max() ?? 1, expansion.values.count)
    guard let squareErrors = squareErrors(of: expansion, highest: highest) else { return nil }
    let reach = measure.reach
    let grid = (0..<Self.gridCount).map {
      reach * (2 * Double($0) / Double(Self.gridCount - 1) - 1)
    }
    let gridFunctions = grid.map { expansion.functions(at: $0, rank: highest) }
    let tails = expansion.sumTails(after: ranks, over: grid)
    let sequences = sequences(reach: reach)
    let sequenceFunctions = sequences.map { tokens in
      tokens.values.map { expansion.functions(at: $0, rank: highest) }
    }
    var rows: [Row] = []
    for (index, rank) in ranks.enumerated() where !isStopped() {
      let tail = tails[index]
      let values = expansion.values.prefix(min(rank, highest))
      func residual(_ u: Double, _ v: Double, _ φu: [Double], _ φv: [Double]) -> Double {
        var sum = kernel.value(u, v)
        for (r, λ) in values.enumerated() { sum -= λ * φu[r] * φv[r] }
        return sum
      }
      var supremum = 0.0
      // g is symmetric: one triangle is enough.
      for a in grid.indices {
        for b in 0...a {
          supremum = max(
            supremum, abs(residual(grid[a], grid[b], gridFunctions[a], gridFunctions[b])))
        }
      }
      var output = 0.0
      for (tokens, functions) in zip(sequences, sequenceFunctions) {
        let last = tokens.length - 1
        let keys = 0..<(last - 1)
        let x = tokens.values
        output = max(
          output,
          SoftmaxReadOut.change(
            logits: keys.map { kernel.value(x[last], x[$0]) },
            perturbations: keys.map { -residual(x[last], x[$0], functions[last], functions[$0]) },
            tokens: x[1..<last], dimension: 1))
      }
      rows.append(
        Row(
          rank: rank, squareError: squareErrors[index],
          squareTail: expansion.squareTail(after: rank),
          supremum: BoundedError(error: supremum, bound: tail),
          output: BoundedError(
            error: output, bound: reach * SoftmaxReadOut.bound(perturbation: tail))))
    }
    return rows
  }

  /// The errors in L²(μ × μ) of all ranks, by quadrature.
  ///
  /// Under the uniform measure the triangle v < u is integrated, twice: there the error is smooth,
  /// also that of |u − v|, and Gauss rules that resolve twice the highest frequency are exact to
  /// rounding.
  private func squareErrors(of expansion: SingularExpansion, highest: Int) -> [Double]? {
    let isUniform = measure == .uniform
    // cos² of the frequency Rπ/2 needs Rπ/2 nodes, and a few more.
    guard
      let rule = GaussRule(measure, count: isUniform ? max(120, 2 * highest + 40) : 160)
    else { return nil }
    let functions = rule.nodes.map { expansion.functions(at: $0, rank: highest) }
    var squares = [Double](repeating: 0, count: ranks.count)
    for (a, u) in rule.nodes.enumerated() {
      for (b, node) in rule.nodes.enumerated() {
        let v = isUniform ? (u + 1) * (node + 1) / 2 - 1 : node
        let right = isUniform ? expansion.functions(at: v, rank: highest) : functions[b]
        let weight = rule.weights[a] * rule.weights[b] * (isUniform ? u + 1 : 1)
        var partial = [kernel.value(u, v)]
        for r in 0..<highest {
          partial.append(partial[r] - expansion.values[r] * functions[a][r] * right[r])
        }
        for (index, rank) in ranks.enumerated() {
          let value = partial[min(rank, highest)]
          squares[index] += weight * value * value
        }
      }
    }
    return squares.map { $0.squareRoot() }
  }

  /// The sequences, on the points of the grid: a bound over the grid then bounds their errors.
  private func sequences(reach: Double) -> [RealTokens] {
    var stream = RandomStream(seed: sampling.seed, purpose: .tokens, index: 2 << 32)
    let comparison = ComparisonMatrix([1], dimension: 1)
    let half = Double(Self.gridCount - 1) / 2
    return sampling.inputs.flatMap { input in
      RealTokens.all(
        of: input, length: length, against: comparison, samples: sampling.samples, from: &stream
      ).map { tokens in
        RealTokens(
          tokens.values.map { reach * (($0 * half).rounded() / half) }, dimension: 1)
      }
    }
  }
}
