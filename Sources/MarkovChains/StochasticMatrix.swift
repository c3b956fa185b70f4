/// A square matrix of transition probabilities, p_ij = P(next state is j | state is i).
public struct StochasticMatrix: Sendable, Equatable {
  /// The number n of states.
  public let size: Int

  /// The entries, shape (n, n), row-major.
  public let entries: [Double]

  /// The matrix with the given entries.
  ///
  /// - Parameters:
  ///   - size: n ≥ 1.
  ///   - entries: shape (n, n), row-major; rows non-negative with sum 1 to within 1e−9.
  public init(size: Int, entries: [Double]) {
    precondition(size >= 1 && entries.count == size * size, "A matrix has n × n entries, n ≥ 1.")
    for i in 0..<size {
      let row = entries[i * size..<(i + 1) * size]
      precondition(row.allSatisfy { $0 >= 0 }, "Probabilities are not negative.")
      precondition(abs(row.reduce(0, +) - 1) < 1e-9, "Each row sums to one.")
    }
    self.size = size
    self.entries = entries
  }

  /// The probability of a step from state `i` to state `j`.
  public subscript(i: Int, j: Int) -> Double { entries[i * size + j] }

  /// The states that one step from `i` may reach, in increasing order.
  func successors(of i: Int) -> [Int] {
    (0..<size).filter { entries[i * size + $0] > 0 }
  }
}
