import Objectives

#if canImport(Glibc)
  import Glibc
#endif

// What is watched along a flow of the GIH transformer: shares, attention, the conserved
// quantities of theory law G1, and the phase transitions.

extension GIHTransformer {
  /// `share.1+2` for every subset with a coefficient, then `attention.1.3` for head 1, lag 3, or `attention.1.20.3`
  /// at position 20.
  public var observableNames: [String] {
    coefficientSubsets.map { "share.\(Self.name(of: $0))" }
      + weightBlocks.flatMap { block in
        heads[block.head].lags.map { "attention.\(block.name).\($0)" }
      }
  }

  /// The shares of all subsets with a coefficient, then the attention of every head.
  ///
  /// - Parameters:
  ///   - parameters: θ.
  ///   - values: one per name in ``observableNames``.
  public func observe(_ parameters: Span<Double>, into values: inout MutableSpan<Double>) {
    let all = shares(at: parameters) + attention(at: parameters).joined()
    for (i, value) in all.enumerated() { values[i] = value }
  }

  /// C_D, the sign of every c_S, and the sum of each head's weights.
  ///
  /// The loss is invariant under c → λc, if the kernel is divided by C_D, and under w^h → w^h + const, so
  /// the gradient is orthogonal to c and to the constant vector; and ċ_S is a multiple of c_S, so c_S never
  /// reaches zero (derived).
  var conservationLaws: [ConservationLaw] {
    let sums = heads.indices.map { head in
      let ranges = weightBlocks.filter { $0.head == head }.map(\.range)
      return ConservationLaw(
        name: "sum w.\(head + 1) conserved",
        explanation: "largest change of a sum of the weights of head \(head + 1) over all samples"
      ) { now, start in
        ranges.reduce(0) { largest, range in
          max(largest, abs(range.reduce(0) { $0 + (now[$1] - start[$1]) }))
        }
      }
    }
    return kernel.conservationLaws + sums
  }

  /// Log-odds up to which nothing counts as having risen through zero.
  ///
  /// Two symmetric subsets or lags share equally for ever: their log-odds tend to 0 and touch it by
  /// rounding, which is no transition. Others pass from 0 to this in far less than any error bar.
  private static let tie = 1e-10

  /// Selection of each subset and copying by each head, as log-odds.
  ///
  /// - `selection.S`: p_S reaches 1/2; `selection-complete.S`: p_S reaches `completeShare`.
  /// - `copying.h`: the attention of head h on its own lag reaches 1/2; `copying-complete.h`: 0.99; at the
  ///   output position, where positions have weights of their own.
  ///
  /// - Parameter completeShare: how complete a selection must be; nil for no such event.
  /// - Returns: the events, each rising through zero at its transition.
  func phaseEvents(completeShare: Double?) -> [PhaseEvent] {
    var events: [PhaseEvent] = []
    let count = coefficientCount
    for (chosen, subset) in coefficientSubsets.enumerated() where count > 1 {
      // log p_S/(1−p_S); c never changes sign along the flow, so it is finite in exact arithmetic.
      let logOdds: @Sendable (Span<Double>) -> Double = { parameters in
        var others = Double.leastNormalMagnitude
        for i in 0..<count where i != chosen { others += parameters[i] * parameters[i] }
        let own = max(parameters[chosen] * parameters[chosen], .leastNormalMagnitude)
        return log(own) - log(others)
      }
      let name = Self.name(of: subset)
      events.append(
        PhaseEvent(name: "selection.\(name)", groups: ["c"]) { logOdds($0) - Self.tie })
      if let completeShare, completeShare > 0.5 {
        let level = log(completeShare / (1 - completeShare))
        events.append(
          PhaseEvent(name: "selection-complete.\(name)", groups: ["c"]) { logOdds($0) - level })
      }
    }
    for (h, head) in heads.enumerated() where head.lags.count > 1 {
      guard let own = head.lags.firstIndex(of: head.ownLag) else { continue }
      let offset = weightBlocks[h].range.lowerBound
      let lags = head.lags.count
      let logOdds: @Sendable (Span<Double>) -> Double = { parameters in
        var largest = -Double.infinity
        for i in 0..<lags where i != own { largest = max(largest, parameters[offset + i]) }
        var others = 0.0
        for i in 0..<lags where i != own { others += exp(parameters[offset + i] - largest) }
        return parameters[offset + own] - largest - log(others)
      }
      events.append(
        PhaseEvent(name: "copying.\(h + 1)", groups: ["w"]) { logOdds($0) - Self.tie })
      let level = log(99.0)
      events.append(
        PhaseEvent(name: "copying-complete.\(h + 1)", groups: ["w"]) { logOdds($0) - level })
    }
    return events
  }
}
