/// Computes stationary window laws of many chains of one shape, without allocating for each.
///
/// The windows of length r_n (the memory) form a Markov chain with d^{r_n} states of d
/// successors each, w → (w d + e) mod d^{r_n}. Its stationary law is the law of r_n consecutive
/// tokens of the stationary chain; window indices are those of ``Windows``.
public struct StationarySolver: Sendable {
  /// The most windows a solver accepts: the elimination needs the square of it in memory.
  public static let maximumWindowCount = 4096

  /// The number d of tokens.
  public let vocabulary: Int

  /// The parent lags.
  public let parents: [Int]

  /// The law found last: probability of each window of length r_n, shape (d^{r_n}).
  public private(set) var probabilities: [Double]

  /// The number of recurrent classes of the chain solved last.
  public private(set) var recurrentClassCount = 1

  /// The least common multiple of the periods of the chain solved last.
  public private(set) var period = 1

  /// For each window, the row of the kernel that acts on it.
  private let rowOfWindow: [Int]
  private var matrix: [Double]
  private var columns: [Int32]

  /// A solver for chains of one shape.
  ///
  /// - Parameters:
  ///   - vocabulary: d in 2...256.
  ///   - parents: r₁ < … < r_n, with d^{r_n} at most ``maximumWindowCount``.
  public init(vocabulary: Int, parents: [Int]) {
    let memory = parents.last ?? 0
    let count = Windows.count(vocabulary: vocabulary, length: memory)
    precondition(count <= Self.maximumWindowCount, "Too many windows for a stationary law.")
    self.vocabulary = vocabulary
    self.parents = parents
    rowOfWindow = Windows.projection(vocabulary: vocabulary, length: memory, lags: parents)
    probabilities = [Double](repeating: 1 / Double(count), count: count)
    matrix = [Double](repeating: 0, count: count * count)
    columns = [Int32](repeating: 0, count: count)
  }

  /// Computes the stationary window law of a chain into ``probabilities``.
  ///
  /// A kernel without zeros makes the window chain irreducible and aperiodic, and elimination
  /// follows at once. Otherwise the classes are found first: see
  /// ``StochasticMatrix/stationaryDistribution()``, whose conventions hold here too (several
  /// recurrent classes: absorption from uniformly drawn windows).
  ///
  /// - Parameter chain: a chain of the solver's vocabulary and parents.
  public mutating func solve(_ chain: borrowing NGramChain) {
    precondition(
      chain.vocabulary == vocabulary && chain.parents == parents,
      "The chain has another shape than its solver.")
    var isPositive = true
    for entry in chain.rows { isPositive = isPositive && entry > 0 }
    assemble(chain.rows)
    if isPositive && eliminate() {
      recurrentClassCount = 1
      period = 1
      return
    }
    if isPositive { assemble(chain.rows) }  // a failed elimination has overwritten it
    let law = StochasticMatrix(size: probabilities.count, entries: matrix)
      .stationaryDistribution()
    probabilities = law.probabilities
    recurrentClassCount = law.recurrentClassCount
    period = law.period
  }

  /// The kernel's row that acts on a window of length r_n.
  func row(ofWindow window: Int) -> Int { rowOfWindow[window] }

  /// Writes the transition matrix of the window chain.
  private mutating func assemble(_ rows: [Double]) {
    let n = probabilities.count
    let d = vocabulary
    unsafe matrix.withUnsafeMutableBufferPointer { matrix in
      unsafe matrix.update(repeating: 0)
      var next = 0  // w d mod n, counted rather than divided
      for w in 0..<n {
        let row = rowOfWindow[w] * d
        for e in 0..<d { unsafe matrix[w * n + next + e] = rows[row + e] }
        next += d
        if next == n { next = 0 }
      }
    }
  }

  /// Elimination in Doubles; false if their range does not suffice.
  private mutating func eliminate() -> Bool {
    unsafe matrix.withUnsafeMutableBufferPointer { matrix in
      unsafe probabilities.withUnsafeMutableBufferPointer { probabilities in
        unsafe columns.withUnsafeMutableBufferPointer { columns in
          unsafe Elimination.solve(matrix, weights: probabilities, columns: columns)
        }
      }
    }
  }
}
