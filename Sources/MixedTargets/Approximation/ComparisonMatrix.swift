public import MarkovChains

/// The matrix W* that compares a query with a key: the logit is x_Lᵀ W* x_{s−1}.
public struct ComparisonMatrix: Sendable, Equatable {
  /// The forms that an experiment names.
  public enum Form: String, Sendable, CaseIterable, Hashable {
    /// A multiple of the identity: keys like the query.
    case diagonal
    /// All entries equal.
    case ones
    /// Independent entries, uniform on [−1, 1] before scaling.
    case random
  }

  /// The dimension d.
  public let dimension: Int
  /// The entries, shape (d, d), row by row.
  public let entries: [Double]

  /// A matrix from its entries.
  ///
  /// - Parameters:
  ///   - entries: shape (d, d), row by row.
  ///   - dimension: d ≥ 1.
  public init(_ entries: [Double], dimension: Int) {
    precondition(dimension >= 1 && entries.count == dimension * dimension, "W* is d × d")
    self.entries = entries
    self.dimension = dimension
  }

  /// A matrix of a named form with a given norm.
  ///
  /// - Parameters:
  ///   - form: its form.
  ///   - d: the dimension, ≥ 1.
  ///   - norm: ‖W*‖_{1,1} = Σ |W*_{ab}| ≥ 0.
  ///   - stream: where random entries come from.
  public init(_ form: Form, dimension d: Int, norm: Double, from stream: inout RandomStream) {
    var entries = [Double](repeating: 0, count: d * d)
    for place in entries.indices {
      switch form {
      case .diagonal: entries[place] = place % (d + 1) == 0 ? 1 : 0
      case .ones: entries[place] = 1
      case .random: entries[place] = 2 * stream.uniform() - 1
      }
    }
    let sum = entries.reduce(0) { $0 + abs($1) }
    self.init(entries.map { $0 * (norm / sum) }, dimension: d)
  }

  /// ‖W*‖_{1,1} = Σ |W*_{ab}|.
  public var norm: Double { entries.reduce(0) { $0 + abs($1) } }

  /// u = W*ᵀ q, so that the logit of a key k is ⟨u, k⟩.
  package func transposed(times q: ArraySlice<Double>) -> [Double] {
    precondition(q.count == dimension, "a query has d coordinates")
    var u = [Double](repeating: 0, count: dimension)
    for (a, value) in q.enumerated() {
      for b in 0..<dimension { u[b] += entries[a * dimension + b] * value }
    }
    return u
  }

  /// Vectors of signs a, b with a large aᵀ W* b, by alternating maximisation from b = 1.
  ///
  /// For the forms `diagonal` and `ones` the value is ‖W*‖_{1,1}, the largest there is.
  package var worstSigns: (query: [Double], key: [Double]) {
    let d = dimension
    var key = [Double](repeating: 1, count: d)
    var query = key
    for _ in 0..<(2 * d + 2) {
      for a in 0..<d {
        query[a] = (0..<d).reduce(0) { $0 + entries[a * d + $1] * key[$1] } < 0 ? -1 : 1
      }
      key = transposed(times: query[...]).map { $0 < 0 ? -1 : 1 }
    }
    return (query, key)
  }
}
