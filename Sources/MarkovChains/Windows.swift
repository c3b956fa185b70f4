/// How windows of tokens are numbered.
///
/// A window of length M holds the last M tokens Z = (z₋₁, …, z₋M). Its index is
///
///     w = Σ_m z₋ₘ d^{m−1},
///
/// the base-d number whose digits, written in reading order, are the tokens oldest first: the
/// newest token is the least significant digit. Hence
///
/// - after token e the window becomes (w d + e) mod d^M;
/// - the pair (window w of length M, next token e) has the index of a window of length M + 1,
///   w d + e;
/// - the m newest tokens alone have index w mod d^m.
///
/// A sub-window at lags s₁ < … < s_k is numbered alike: Σ_i z₋ₛᵢ d^{i−1}.
public enum Windows {
  /// The number of windows, d^length.
  ///
  /// - Parameters:
  ///   - vocabulary: d in 2...256.
  ///   - length: at least 0; d^length must fit an `Int`.
  /// - Returns: the count.
  public static func count(vocabulary: Int, length: Int) -> Int {
    var count = 1
    for _ in 0..<length {
      let (product, overflow) = count.multipliedReportingOverflow(by: vocabulary)
      precondition(!overflow, "There are more windows than an Int can number.")
      count = product
    }
    return count
  }

  /// For each window, the index of its sub-window at the given lags.
  ///
  /// - Parameters:
  ///   - vocabulary: d in 2...256.
  ///   - length: M, at least the largest lag.
  ///   - lags: increasing, each in 1...M; may be empty.
  /// - Returns: shape (d^M), values in 0..<d^(number of lags).
  public static func projection(vocabulary: Int, length: Int, lags: [Int]) -> [Int] {
    precondition(isIncreasing(lags), "Lags are positive and increase.")
    precondition((lags.last ?? 0) <= length, "A lag reaches beyond the window.")
    return (0..<count(vocabulary: vocabulary, length: length)).map { window in
      var rest = window
      var index = 0
      var stride = 1
      var next = 0
      for lag in 1...max(length, 1) where next < lags.count {
        if lags[next] == lag {
          index += rest % vocabulary * stride
          stride *= vocabulary
          next += 1
        }
        rest /= vocabulary
      }
      return index
    }
  }

  /// Whether the lags are positive and strictly increasing.
  static func isIncreasing(_ lags: [Int]) -> Bool {
    var previous = 0
    for lag in lags {
      if lag <= previous { return false }
      previous = lag
    }
    return true
  }
}
