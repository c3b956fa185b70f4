/// The Bayes predictor of the next token from its context alone, when every sequence has a chain of its own with
/// rows from a Dirichlet prior.
///
/// Rows are independent under the prior, so the posterior law of the next token is that of its own row,
/// (n_e + α)/(n + dα), with n_e the times that e followed the same parents. That the first tokens come from the
/// stationary law of the chain, which tells a little more of it, is left out.
public struct InContextPredictor: Sendable, Equatable {
  /// d.
  public let vocabulary: Int
  /// The lags of the parents, increasing.
  public let parents: [Int]
  /// α > 0.
  public let concentration: Double

  /// The predictor for a prior.
  public init(vocabulary: Int, parents: [Int], concentration: Double) {
    precondition(concentration > 0 && Windows.isIncreasing(parents), "A prior has a concentration.")
    self.vocabulary = vocabulary
    self.parents = parents
    self.concentration = concentration
  }

  /// The posterior law of the last token given all before it.
  ///
  /// - Parameter tokens: x_1…x_L and the target, which is not read; L is at least the largest parent.
  /// - Returns: d probabilities.
  public func law(of tokens: borrowing Span<UInt8>) -> [Double] {
    let memory = parents.last ?? 0
    let end = tokens.count - 1
    precondition(end >= memory, "The context begins before the sequence.")
    var counts = [Double](repeating: concentration, count: vocabulary)
    for position in memory..<end
    where parents.allSatisfy({ tokens[position - $0] == tokens[end - $0] }) {
      counts[Int(tokens[position])] += 1
    }
    let total = counts.reduce(0, +)
    return counts.map { $0 / total }
  }
}
