/// The stationary law μ of windows of consecutive tokens.
///
/// The law of a window of M + 1 tokens is also the joint law of (z, Z), a token z and the window
/// Z of the M tokens before it: its index is [window · d + z], see ``Windows``.
public struct WindowLaw: Sendable, Equatable {
  /// The number d of tokens.
  public let vocabulary: Int

  /// The number of tokens in a window.
  public let length: Int

  /// The probability of each window, shape (d^length), indexed as in ``Windows``.
  public let probabilities: [Double]

  /// The law of the sub-window at some lags, lag 1 being the window's newest token.
  ///
  /// - Parameter lags: increasing, each in 1...length.
  /// - Returns: shape (d^(number of lags)), smallest lag least significant.
  public func marginal(lags: [Int]) -> [Double] {
    let projection = Windows.projection(vocabulary: vocabulary, length: length, lags: lags)
    var law = [Double](
      repeating: 0, count: Windows.count(vocabulary: vocabulary, length: lags.count))
    for (window, index) in projection.enumerated() { law[index] += probabilities[window] }
    return law
  }
}

extension StationarySolver {
  /// The law of the windows of a given length under the stationary law of a chain.
  ///
  /// The law of r_n tokens comes from ``solve(_:)``; longer windows follow by the kernel,
  /// μ_{m+1}(w d + e) = μ_m(w) π(e | w).
  ///
  /// - Parameters:
  ///   - chain: a chain of the solver's vocabulary and parents.
  ///   - length: M, at least the memory r_n.
  /// - Returns: the law, shape (d^M).
  public mutating func windowLaw(of chain: borrowing NGramChain, length: Int) -> WindowLaw {
    precondition(length >= chain.memory, "A window covers at least the memory.")
    solve(chain)
    let d = vocabulary
    let states = probabilities.count
    var law = probabilities
    for _ in chain.memory..<length {
      var longer = [Double](repeating: 0, count: law.count * d)
      for w in 0..<law.count {
        let row = row(ofWindow: w % states) * d
        for e in 0..<d { longer[w * d + e] = law[w] * chain.rows[row + e] }
      }
      law = longer
    }
    return WindowLaw(vocabulary: d, length: length, probabilities: law)
  }
}

extension NGramChain {
  /// The stationary law of the windows of a given length.
  ///
  /// For many chains of one shape a ``StationarySolver`` saves the set-up.
  ///
  /// - Parameter length: M, at least the memory r_n.
  /// - Returns: the law, shape (d^M).
  public func windowLaw(length: Int) -> WindowLaw {
    var solver = StationarySolver(vocabulary: vocabulary, parents: parents)
    return solver.windowLaw(of: self, length: length)
  }

  /// The stationary joint law of a token z and the window Z of the tokens before it.
  ///
  /// - Parameter length: M, the length of Z, at least r_n − 1.
  /// - Returns: the law of windows of length M + 1; index [Z · d + z].
  public func jointLaw(windowLength length: Int) -> WindowLaw {
    windowLaw(length: length + 1)
  }
}
