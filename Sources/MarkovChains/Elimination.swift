/// A number type for elimination without subtraction: Double, or one of wider range.
protocol EliminationScalar {
  static var zero: Self { get }
  init(_ value: Double)
  var double: Double { get }
  var isZero: Bool { get }
  /// Whether a product of two such positive numbers cannot leave the range.
  var isSafe: Bool { get }
  static func + (a: Self, b: Self) -> Self
  static func * (a: Self, b: Self) -> Self
  static func / (a: Self, b: Self) -> Self
}

extension Double: EliminationScalar {
  @inline(__always) init(_ value: Double) { self = value }
  @inline(__always) var double: Double { self }
  @inline(__always) var isSafe: Bool { self >= 0x1p-480 && self <= 0x1p480 }
}

/// Grassmann–Taksar–Heyman elimination: the stationary law of an irreducible chain.
///
/// States are censored one by one, last first. Censoring state k sends its visitors on:
///
///     p_ij += p_ik p_kj / s_k,   s_k = Σ_{j<k} p_kj,   i, j < k,
///
/// then π_0 = 1 and π_k = Σ_{i<k} π_i p_ik / s_k, normalised. Only sums, products and quotients
/// of non-negative numbers occur, so every component keeps its relative accuracy, however small.
/// The diagonal is never read: it stands for one minus the rest of its row.
///
/// Reference: Grassmann, Taksar, Heyman, *Operations Research* 33 (1985) 1107–1116.
enum Elimination {
  /// Solves in place; the cost is O(n³), less where rows are sparse.
  ///
  /// - Parameters:
  ///   - p: transition probabilities, shape (n, n), row-major; overwritten.
  ///   - weights: receives the stationary law, shape (n), normalised.
  ///   - columns: scratch, shape (n).
  /// - Returns: false if a positive intermediate number came near the ends of the range of
  ///   `Scalar`, so that the result cannot be trusted; ``WideDouble`` always succeeds.
  @inline(__always)
  static func solve<Scalar: EliminationScalar>(
    _ p: UnsafeMutableBufferPointer<Scalar>,
    weights: UnsafeMutableBufferPointer<Scalar>,
    columns: UnsafeMutableBufferPointer<Int32>
  ) -> Bool {
    let n = weights.count
    guard let p = p.baseAddress, let weights = weights.baseAddress,
      let columns = columns.baseAddress
    else { return false }
    for k in stride(from: n - 1, to: 0, by: -1) {
      let source = unsafe p + k * n
      // Row k and column k are final here, and all further products are made of final numbers:
      // when every one of them is safe, none has underflowed unseen.
      var s = Scalar.zero
      var safe = true
      var filled = 0
      for j in 0..<k {
        let entry = unsafe source[j]
        unsafe columns[filled] = Int32(truncatingIfNeeded: j)
        filled += entry.isZero ? 0 : 1
        safe = safe && (entry.isZero || entry.isSafe)
        s = s + entry
      }
      if !safe || !s.isSafe { return false }
      for i in 0..<k {
        let row = unsafe p + i * n
        let into = unsafe row[k]
        if into.isZero { continue }
        if !into.isSafe { return false }
        let f = into / s
        unsafe row[k] = f
        if 2 * filled < k {
          for c in 0..<filled {
            let j = unsafe Int(columns[c])
            unsafe row[j] = row[j] + f * source[j]
          }
        } else {
          for j in 0..<k { unsafe row[j] = row[j] + f * source[j] }
        }
      }
    }
    return unsafe substitute(p, weights: weights, count: n)
  }

  /// The stationary law from the eliminated matrix, column k above the diagonal holding p_ik / s_k.
  @inline(__always)
  private static func substitute<Scalar: EliminationScalar>(
    _ p: UnsafeMutablePointer<Scalar>, weights: UnsafeMutablePointer<Scalar>, count n: Int
  ) -> Bool {
    unsafe weights[0] = Scalar(1)
    var total = Scalar(1)
    for k in 1..<max(n, 1) {
      var weight = Scalar.zero
      for i in 0..<k { unsafe weight = weight + weights[i] * p[i * n + k] }
      if !weight.isSafe { return false }
      unsafe weights[k] = weight
      total = total + weight
    }
    for k in 0..<n { unsafe weights[k] = weights[k] / total }
    return true
  }
}
