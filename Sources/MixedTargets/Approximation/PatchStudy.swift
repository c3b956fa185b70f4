import MarkovChains
import ParallelLoops

/// Errors of ``PatchTransformer`` over numbers of heads, choices of nodes and sizes of weights.
public struct PatchStudy: Sendable, Equatable {
  /// One line of the study.
  public struct Row: Sendable, Equatable {
    /// The number of shared heads H that the transformer might have.
    public let heads: Int
    /// How the nodes were chosen.
    public let choice: LagKernel.NodeChoice
    /// The most that Σ |weights| of a slot might be.
    public let budget: Double
    /// The transformer.
    public let transformer: PatchTransformer
    /// The kind of the sequences.
    public let input: TokenInput
    /// How many sequences there were.
    public let sequences: Int
    /// The largest ‖IH_n − TF‖_∞ among them, and the bound that follows from the slots.
    public let result: BoundedError
  }

  /// The order n ≥ 2.
  public let order: Int
  /// The numbers of shared heads H ≥ n − 1.
  public let heads: [Int]
  /// How nodes are chosen.
  public let choices: [LagKernel.NodeChoice]
  /// The sizes of weights.
  public let budgets: [Double]
  /// The largest rate of optimised nodes.
  public let largestRate: Double
  /// The dimension d ≥ 1.
  public let dimension: Int
  /// ‖W*‖_{1,1} > 0.
  public let norm: Double
  /// The length L ≥ n + 1.
  public let length: Int
  /// The sequences.
  public let sampling: Sampling

  /// A study of all combinations.
  public init(
    order: Int, heads: [Int], choices: [LagKernel.NodeChoice], budgets: [Double],
    largestRate: Double, dimension: Int, norm: Double, length: Int, sampling: Sampling
  ) {
    self.order = order
    self.heads = heads
    self.choices = choices
    self.budgets = budgets
    self.largestRate = largestRate
    self.dimension = dimension
    self.norm = norm
    self.length = length
    self.sampling = sampling
  }

  /// Constructs the transformers and measures their errors.
  ///
  /// - Parameters:
  ///   - threads: threads to use; the rows do not depend on it.
  ///   - isStopped: asked before every transformer; what comes after a yes has no rows.
  /// - Returns: one row for every combination and kind of input, the kind varying fastest.
  public func rows(threads: Int, isStopped: () -> Bool) -> [Row] {
    let cases = choices.flatMap { choice in
      heads.flatMap { heads in budgets.map { (choice: choice, heads: heads, budget: $0) } }
    }
    return inLanes(cases.count, threads: threads, cost: { cases[$0].heads }) { range in
      range.flatMap { index -> [Row] in
        if isStopped() { return [] }
        let this = cases[index]
        return rows(this.choice, heads: this.heads, budget: this.budget)
      }
    }.flatMap(\.self)
  }

  private func rows(_ choice: LagKernel.NodeChoice, heads: Int, budget: Double) -> [Row] {
    let transformer = PatchTransformer(
      order: order, heads: heads, nodes: choice, budget: budget, largestRate: largestRate,
      dimension: dimension, norm: norm)
    // All transformers see the same sequences.
    var stream = RandomStream(
      seed: sampling.seed, purpose: .tokens, index: UInt64(1 << 32 + order))
    let comparison = ComparisonMatrix(
      .diagonal, dimension: dimension, norm: norm, from: &stream)
    return sampling.inputs.map { input in
      let sequences = RealTokens.all(
        of: input, length: length, against: comparison, samples: sampling.samples, from: &stream)
      let error = sequences.map { transformer.error(on: $0) }.max() ?? 0
      return Row(
        heads: heads, choice: choice, budget: budget, transformer: transformer, input: input,
        sequences: sequences.count,
        result: BoundedError(error: error, bound: transformer.bound))
    }
  }
}
