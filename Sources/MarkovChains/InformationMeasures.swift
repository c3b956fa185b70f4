/// The χ² informations between a token and the tokens at a set of lags, for one chain.
public struct Information: Sendable, Equatable {
  /// The standard χ² mutual information, Σ_Z μ(Z) (Σ_e μ(e|Z)²/μ(e) − 1); at most d − 1.
  public var standard: Double

  /// The modified one, Σ_Z μ(Z)² (Σ_e μ(e|Z)²/μ(e) − 1); at most the standard one.
  public var modified: Double
}

/// The χ² informations of chains of one shape about a list of lag sets.
///
/// Under the stationary law μ of (z, Z), Z_S being the tokens at the lags in S,
///
///     I(S) = Σ_Z μ(Z)  (Σ_e μ(e|Z)²/μ(e) − 1),
///     Ĩ(S) = Σ_Z μ(Z)² (Σ_e μ(e|Z)²/μ(e) − 1),
///
/// evaluated as Σ_e (μ(e|Z) − μ(e))²/μ(e), which is never negative. I can only grow with S; Ĩ
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
  private let projections: [[Int]]
  private var solver: StationarySolver

  /// The measures for chains of one shape.
  ///
  /// - Parameters:
  ///   - vocabulary: d in 2...256.
  ///   - parents: the parent lags of the chains.
  ///   - lagSets: the sets S; each increasing, positive.
  public init(vocabulary: Int, parents: [Int], lagSets: [[Int]]) {
    let length = (lagSets + [parents]).compactMap(\.last).max() ?? 1
    self.vocabulary = vocabulary
    self.lagSets = lagSets
    windowLength = length
    projections = lagSets.map {
      Windows.projection(vocabulary: vocabulary, length: length, lags: $0)
    }
    solver = StationarySolver(vocabulary: vocabulary, parents: parents)
  }

  /// The informations of one chain, in the order of ``lagSets``.
  public mutating func measure(_ chain: borrowing NGramChain) -> [Information] {
    let joint = solver.windowLaw(of: chain, length: windowLength + 1)
    let token = joint.marginal(lags: [1])
    return zip(lagSets, projections).map { lags, projection in
      information(joint.probabilities, token: token, lagCount: lags.count, projection)
    }
  }

  private func information(
    _ joint: [Double], token: [Double], lagCount: Int, _ projection: [Int]
  ) -> Information {
    let d = vocabulary
    // pair[Z_S · d + e] = μ(e, Z_S)
    var pair = [Double](
      repeating: 0, count: Windows.count(vocabulary: d, length: lagCount + 1))
    for (window, index) in projection.enumerated() {
      for e in 0..<d { pair[index * d + e] += joint[window * d + e] }
    }
    var result = Information(standard: 0, modified: 0)
    for start in stride(from: 0, to: pair.count, by: d) {
      let window = pair[start..<start + d].reduce(0, +)
      guard window > 0 else { continue }
      var excess = 0.0  // μ(Z) (Σ_e μ(e|Z)²/μ(e) − 1)
      for e in 0..<d where token[e] > 0 {
        let difference = pair[start + e] / window - token[e]
        // μ(Z) |difference| is of the order of μ(e), so this order of operations cannot overflow.
        excess += (window * difference / token[e]) * difference
      }
      result.standard += excess
      result.modified += window * excess
    }
    return result
  }
}
