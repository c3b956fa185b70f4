#if canImport(Glibc)
  import Glibc
#endif

/// The χ² informations between a token and the tokens at a set of lags, for one law.
public struct Information: Sendable, Equatable {
  /// The standard χ² mutual information, Σ_Z μ(Z) (Σ_e μ(e|Z)²/μ(e) − 1); at most d − 1.
  public var standard: Double

  /// The modified one, Σ_Z μ(Z)² (Σ_e μ(e|Z)²/μ(e) − 1); at most the standard one.
  public var modified: Double

  /// What takes the place of the modified one where a prediction is taken as logits,
  /// G = Σ_Z μ(Z)² Σ_e (μ(e|Z) − s_e)(μ(e|Z) − μ(e)) with s = softmax(μ); derived.
  public var logits: Double
}

/// What the flow selects the largest of, among the sets.
public enum SelectionCriterion: Sendable, Equatable {
  /// Ĩ, where predictions are probabilities.
  case modified
  /// G, where they are logits.
  case logits

  func value(of information: Information) -> Double {
    self == .modified ? information.modified : information.logits
  }
}

extension Information {
  /// The informations of a joint law of tokens e and sub-windows Z, or of counts.
  ///
  /// - Parameters:
  ///   - pairs: μ(Z, e) up to a factor, flattened as [Z · d + e]; not negative, not all zero.
  ///   - vocabulary: d.
  ///   - total: the sum of `pairs`: 1 for a law.
  init(ofPairs pairs: Span<Double>, vocabulary: Int, total: Double = 1) {
    let (pair, d) = (pairs, vocabulary)
    var token = [Double](repeating: 0, count: d)
    for start in stride(from: 0, to: pair.count, by: d) {
      for e in 0..<d { token[e] += pair[start + e] }
    }
    for e in 0..<d { token[e] /= total }
    let softmaxSum = token.reduce(0) { $0 + exp($1) }
    var (standard, modified, logits) = (0.0, 0.0, 0.0)
    for start in stride(from: 0, to: pair.count, by: d) {
      var sum = 0.0
      for e in 0..<d { sum += pair[start + e] }
      guard sum > 0 else { continue }
      let window = sum / total
      var excess = 0.0  // μ(Z) (Σ_e μ(e|Z)²/μ(e) − 1)
      for e in 0..<d {
        let difference = pair[start + e] / sum - token[e]
        let gap = pair[start + e] / sum - exp(token[e]) / softmaxSum
        logits += window * window * gap * difference
        guard token[e] > 0 else { continue }
        // μ(Z) |difference| is of the order of μ(e), so this order of operations cannot overflow.
        excess += (window * difference / token[e]) * difference
      }
      standard += excess
      modified += window * excess
    }
    self.init(standard: standard, modified: modified, logits: logits)
  }
}

/// The χ² informations of chains of one shape about a list of lag sets.
///
/// Under the stationary law μ of (z, Z), Z_S being the tokens at the lags in S,
///
///     I(S) = Σ_Z μ(Z)  (Σ_e μ(e|Z)²/μ(e) − 1),
///     Ĩ(S) = Σ_Z μ(Z)² (Σ_e μ(e|Z)²/μ(e) − 1),
///     G(S) = Σ_Z μ(Z)² Σ_e (μ(e|Z) − s_e)(μ(e|Z) − μ(e)),   s = softmax(μ),
///
/// the first two evaluated as Σ_e (μ(e|Z) − μ(e))²/μ(e), which is never negative. I can only grow with S; Ĩ
/// pays for size, by d^{−|S|} where windows are uniform.
///
/// Reference: Chen, Sheen, Wang, Yang, arXiv 2409.10559 (the modified information); the form
/// evaluated here is derived.
public struct InformationMeasures: Sendable {
  /// The lag sets S, each increasing and positive; the empty set has information zero.
  public let lagSets: [[Int]]

  /// The length M of the window Z: the largest lag of any set or parent.
  public let windowLength: Int

  private let vocabulary: Int
  /// What is left of the joint law while lags are summed out, shape (d^{M+1}) at first.
  private var pair: [Double]
  /// The solver, which knows the classes of the chain measured last.
  private(set) var solver: StationarySolver

  /// The measures for chains of one shape.
  ///
  /// - Parameters:
  ///   - vocabulary: d in 2...256.
  ///   - parents: the parent lags of the chains.
  ///   - lagSets: the sets S; each increasing, positive.
  public init(vocabulary: Int, parents: [Int], lagSets: [[Int]]) {
    precondition(lagSets.allSatisfy { Windows.isIncreasing($0) }, "Lags are positive and increase.")
    self.vocabulary = vocabulary
    self.lagSets = lagSets
    windowLength = (lagSets + [parents]).compactMap(\.last).max() ?? 1
    pair = [Double](
      repeating: 0, count: Windows.count(vocabulary: vocabulary, length: windowLength + 1))
    solver = StationarySolver(vocabulary: vocabulary, parents: parents)
  }

  /// The informations of one chain, in the order of ``lagSets``.
  public mutating func measure(_ chain: borrowing NGramChain) -> [Information] {
    let joint = solver.windowLaw(of: chain, length: windowLength + 1).probabilities
    return lagSets.map { lags in
      let count = sumOut(allBut: lags, of: joint)
      return Information(ofPairs: pair.span.extracting(0..<count), vocabulary: vocabulary)
    }
  }

  /// Writes μ(z, Z_S) into the front of ``pair``, index [Z_S · d + z].
  ///
  /// The digit of lag m has the stride d^m as long as all smaller lags are there, so lags are
  /// summed out from the largest on; what is summed moves to the front and overwrites nothing
  /// that is still to be read.
  ///
  /// - Returns: the number of entries, d^{|S|+1}.
  private mutating func sumOut(allBut lags: [Int], of joint: [Double]) -> Int {
    let d = vocabulary
    var kept = lags[...]
    var stride = joint.count
    var count = joint.count
    return unsafe pair.withUnsafeMutableBufferPointer { pair in
      unsafe pair.baseAddress?.update(from: joint, count: count)
      for lag in Swift.stride(from: windowLength, to: 0, by: -1) {
        stride /= d
        if kept.last == lag {
          kept.removeLast()
          continue
        }
        for block in 0..<count / (stride * d) {
          let (into, from) = (block * stride, block * stride * d)
          for i in 0..<stride { unsafe pair[into + i] = pair[from + i] }
          for digit in 1..<d {
            let from = from + digit * stride
            for i in 0..<stride { unsafe pair[into + i] += pair[from + i] }
          }
        }
        count /= d
      }
      return count
    }
  }
}
