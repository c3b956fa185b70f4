/// An n-gram Markov chain: the next token depends on the tokens at n parent lags.
///
/// With vocabulary {0, …, d−1} and parents r₁ < … < r_n, the law of token x_t is the row of the
/// context (x_{t−r₁}, …, x_{t−r_n}). Row index, smallest lag least significant (as in
/// ``Windows``):
///
///     row = Σ_k x_{t−r_k} d^{k−1}.
///
/// For parents 1, …, n the row index is the index of the window of length n.
public struct NGramChain: Sendable, Equatable {
  /// The number d of tokens, in 2...256.
  public let vocabulary: Int

  /// The parent lags, at least one, positive and increasing.
  public let parents: [Int]

  /// The conditional laws, shape (d^n, d), flattened as [row · d + token].
  public internal(set) var rows: [Double]

  /// The chain with the given conditional laws.
  ///
  /// - Parameters:
  ///   - vocabulary: d in 2...256.
  ///   - parents: lags r₁ < … < r_n, at least one, each at least 1.
  ///   - rows: shape (d^n, d), flattened; each row non-negative with sum 1 to within 1e−9.
  public init(vocabulary: Int, parents: [Int], rows: [Double]) {
    self.init(uncheckedVocabulary: vocabulary, parents: parents, rows: rows)
    precondition(rows.count == rowCount * vocabulary, "A chain has dⁿ rows of d probabilities.")
    for row in 0..<rowCount {
      let law = self.law(ofRow: row)
      precondition(law.allSatisfy { $0 >= 0 }, "Probabilities are not negative.")
      precondition(abs(law.reduce(0, +) - 1) < 1e-9, "Each row sums to one.")
    }
  }

  /// Checks all but the rows; they are about to be drawn.
  init(uncheckedVocabulary vocabulary: Int, parents: [Int], rows: [Double]) {
    precondition((2...256).contains(vocabulary), "The vocabulary holds 2 to 256 tokens.")
    precondition(
      !parents.isEmpty && Windows.isIncreasing(parents), "Parents are positive, increasing lags.")
    self.vocabulary = vocabulary
    self.parents = parents
    self.rows = rows
  }

  /// The memory r_n, the largest parent lag.
  public var memory: Int { parents[parents.count - 1] }

  /// The number of contexts, dⁿ.
  public var rowCount: Int { Windows.count(vocabulary: vocabulary, length: parents.count) }

  /// The conditional law of the next token in one context, shape (d).
  public func law(ofRow row: Int) -> ArraySlice<Double> {
    rows[row * vocabulary..<(row + 1) * vocabulary]
  }

  /// The row of the context at a position of a sequence.
  ///
  /// - Parameters:
  ///   - position: t, at least the memory, at most the number of tokens.
  ///   - tokens: x₀, x₁, …, oldest first, each below d; only tokens before t are read.
  /// - Returns: the row index of the law of x_t.
  public func row(at position: Int, of tokens: borrowing Span<UInt8>) -> Int {
    precondition(position >= memory, "The context begins before the sequence.")
    var row = 0
    for lag in parents.reversed() { row = row * vocabulary + Int(tokens[position - lag]) }
    return row
  }
}
