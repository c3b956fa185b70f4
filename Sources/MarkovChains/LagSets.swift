/// The sets of lags that a window offers.
public enum LagSets {
  /// The non-empty sets of lags 1…M of at most a given size, small ones first, then in order.
  ///
  /// - Parameters:
  ///   - window: M ≥ 1.
  ///   - largest: the size of the largest set, in 1...M.
  /// - Returns: sets of increasing lags; ``count(window:largest:)`` of them.
  public static func all(window: Int, largest: Int) -> [[Int]] {
    precondition(window >= 1 && (1...window).contains(largest), "Sets fit into the window.")
    var sets: [[Int]] = []
    var sizes: [[Int]] = [[]]
    for _ in 1...largest {
      sizes = sizes.flatMap { set in
        ((set.last ?? 0) + 1..<window + 1).map { set + [$0] }
      }
      sets += sizes
    }
    return sets
  }

  /// How many sets there are, Σ_k (M choose k) over k from 1 to the largest size.
  ///
  /// A real number: it may be larger than any `Int`.
  public static func count(window: Int, largest: Int) -> Double {
    var count = 0.0
    var binomial = 1.0
    for size in 1...max(1, largest) {
      binomial *= Double(window - size + 1) / Double(size)
      count += binomial
    }
    return count.rounded()
  }

  /// The name of a set as in tables: `1+2`.
  public static func name(_ lags: [Int]) -> String {
    lags.isEmpty ? "0" : lags.map(String.init).joined(separator: "+")
  }
}
