import MarkovChains
import ParallelLoops

/// Errors of ``BigramTransformer`` over dimensions, norms of W*, lengths, kinds of input and rates.
public struct BigramStudy: Sendable, Equatable {
  /// One line of the study.
  public struct Row: Sendable, Equatable {
    /// The dimension d.
    public let dimension: Int
    /// ‖W*‖_{1,1}.
    public let norm: Double
    /// The length L.
    public let length: Int
    /// The kind of the sequences.
    public let input: TokenInput
    /// The rate p.
    public let rate: Double
    /// How many sequences there were.
    public let sequences: Int
    /// The largest ‖IH₂ − TF‖_∞ among them, and 2‖W*‖_{1,1}e^{−p}.
    public let result: BoundedError
  }

  /// The dimensions d ≥ 1.
  public let dimensions: [Int]
  /// ‖W*‖_{1,1} > 0.
  public let norms: [Double]
  /// The form of W*.
  public let form: ComparisonMatrix.Form
  /// The lengths L ≥ 3.
  public let lengths: [Int]
  /// The rates p > 0.
  public let rates: [Double]
  /// The sequences.
  public let sampling: Sampling

  /// A study of all combinations.
  public init(
    dimensions: [Int], norms: [Double], form: ComparisonMatrix.Form, lengths: [Int],
    rates: [Double], sampling: Sampling
  ) {
    self.dimensions = dimensions
    self.norms = norms
    self.form = form
    self.lengths = lengths
    self.rates = rates
    self.sampling = sampling
  }

  private struct Case {
    let dimension: Int
    let norm: Double
    let length: Int
    let input: TokenInput
    /// The index of the random stream.
    let stream: Int
  }

  private var cases: [Case] {
    var cases: [Case] = []
    for dimension in dimensions {
      for norm in norms {
        for length in lengths {
          for input in sampling.inputs {
            cases.append(
              Case(
                dimension: dimension, norm: norm, length: length, input: input,
                stream: cases.count))
          }
        }
      }
    }
    return cases
  }

  /// Measures.
  ///
  /// - Parameters:
  ///   - threads: threads to use; the rows do not depend on it.
  ///   - isStopped: asked before every combination; what comes after a yes has no rows.
  /// - Returns: one row for every combination, the rate varying fastest.
  public func rows(threads: Int, isStopped: () -> Bool) -> [Row] {
    let cases = cases
    // Items of one lane follow one another, and long sequences stand together.
    return inLanes(cases.count, threads: threads, cost: { cases[$0].length * cases[$0].dimension })
    {
      range in range.flatMap { isStopped() ? [] : rows(of: cases[$0]) }
    }.flatMap(\.self)
  }

  private func rows(of this: Case) -> [Row] {
    // The same W* for all lengths and inputs of a dimension.
    var weights = RandomStream(
      seed: sampling.seed, purpose: .parameters, index: UInt64(this.dimension))
    var stream = RandomStream(seed: sampling.seed, purpose: .tokens, index: UInt64(this.stream))
    let comparison = ComparisonMatrix(
      form, dimension: this.dimension, norm: this.norm, from: &weights)
    let sequences = RealTokens.all(
      of: this.input, length: this.length, against: comparison, samples: sampling.samples,
      from: &stream)
    return rates.map { rate in
      let transformer = BigramTransformer(comparison: comparison, rate: rate)
      let error = sequences.map { transformer.error(on: $0) }.max() ?? 0
      return Row(
        dimension: this.dimension, norm: this.norm, length: this.length, input: this.input,
        rate: rate, sequences: sequences.count,
        result: BoundedError(error: error, bound: transformer.bound))
    }
  }
}
