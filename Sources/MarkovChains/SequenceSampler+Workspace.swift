extension SequenceSampler {
  /// The chain of the sequence sampled last, and buffers that are reused for every sequence.
  public struct Workspace: Sendable {
    /// The chain of the sequence sampled last: its rows are the laws of its tokens.
    public internal(set) var chain: NGramChain

    /// The stationary law of that chain, if the start is stationary.
    public private(set) var stationary: StationarySolver?

    /// Whether ``thresholds`` and ``windowThresholds`` belong to the current chain.
    var isPrepared = false

    /// Cumulative rows in units of 2⁻⁵³, shape (d^n, d): see ``cumulate(_:_:_:)``.
    private var thresholds: [UInt64]
    private var windowThresholds: [UInt64]

    init(chain: NGramChain, start: Start) {
      self.chain = chain
      thresholds = [UInt64](repeating: 0, count: chain.rows.count)
      windowThresholds = []
      if start == .stationary {
        let solver = StationarySolver(vocabulary: chain.vocabulary, parents: chain.parents)
        windowThresholds = [UInt64](repeating: 0, count: solver.probabilities.count)
        stationary = solver
      }
    }

    /// Brings the cumulative laws up to date with the chain.
    mutating func prepare(_ start: Start) {
      let d = chain.vocabulary
      for row in stride(from: 0, to: thresholds.count, by: d) {
        cumulate(chain.rows, row..<row + d, &thresholds)
      }
      if stationary != nil {
        stationary?.solve(chain)
        if let law = stationary?.probabilities {
          cumulate(law, 0..<law.count, &windowThresholds)
        }
      }
      isPrepared = true
    }

    /// Draws the first r_n tokens from the start law and the others from the kernel.
    mutating func fill(
      _ tokens: UnsafeMutableBufferPointer<UInt8>, _ start: Start, from stream: inout RandomStream
    ) {
      let d = chain.vocabulary
      let memory = chain.memory
      switch start {
      case .uniform:
        for t in 0..<memory {
          let token = (stream.uniformBits() &* UInt64(d)) &>> 53
          if t < tokens.count { unsafe tokens[t] = UInt8(truncatingIfNeeded: token) }
        }
      case .stationary:
        let bits = stream.uniformBits()
        var window = unsafe windowThresholds.withUnsafeBufferPointer { unsafe lowerCount($0, bits) }
        for t in (0..<memory).reversed() {
          if t < tokens.count {
            unsafe tokens[t] = UInt8(truncatingIfNeeded: window % d)
          }
          window /= d
        }
      }
      unsafe thresholds.withUnsafeBufferPointer { thresholds in
        guard let thresholds = thresholds.baseAddress else { return }
        switch d {
        case 2: unsafe walk(tokens, thresholds, 2, from: &stream)
        case 3: unsafe walk(tokens, thresholds, 3, from: &stream)
        case 4: unsafe walk(tokens, thresholds, 4, from: &stream)
        default: unsafe walk(tokens, thresholds, d, from: &stream)
        }
      }
    }

    /// Draws tokens from the kernel, given the first r_n.
    ///
    /// Inlined with a constant d, so that the inner loop is unrolled.
    @inline(__always)
    private func walk(
      _ tokens: UnsafeMutableBufferPointer<UInt8>, _ thresholds: UnsafePointer<UInt64>, _ d: Int,
      from stream: inout RandomStream
    ) {
      let count = tokens.count
      let memory = chain.memory
      guard count > memory, let x = tokens.baseAddress else { return }
      var random = stream  // a local copy stays in registers
      let parents = chain.parents
      unsafe parents.withUnsafeBufferPointer { parents in
        let n = parents.count
        @inline(__always) func draw(_ t: Int, _ row: Int) -> Int {
          let law = unsafe UnsafeBufferPointer(start: thresholds + row &* d, count: d)
          let token = unsafe lowerCount(law, random.uniformBits())
          unsafe x[t] = UInt8(truncatingIfNeeded: token)
          return token
        }
        func row(_ t: Int) -> Int {
          var row = 0
          for k in stride(from: n - 1, through: 0, by: -1) {
            row = unsafe row &* d &+ Int(x[t &- parents[k]])
          }
          return row
        }
        guard memory == n else {
          for t in memory..<count { _ = draw(t, row(t)) }
          return
        }
        // With parents 1, …, n the next row is known but for the token that is being drawn.
        var next = row(memory)
        let rowCount = chain.rowCount
        for t in memory..<count {
          let rest = unsafe next &* d &- Int(x[t &- n]) &* rowCount
          next = rest &+ draw(t, next)
        }
      }
      stream = random
    }
  }
}

/// Writes the thresholds T_j = 1 + ⌊2⁵³ Σ_{i≤j} p_i⌋ of a law; with them #{j : T_j ≤ k} has that law.
///
/// Here k is uniform on 1...2⁵³ − 1. From the last positive probability on, thresholds are out of
/// reach, so that rounding never lets a token of probability zero appear.
package func cumulate(_ law: [Double], _ range: Range<Int>, _ thresholds: inout [UInt64]) {
  var sum = 0.0
  var last = range.lowerBound
  for i in range {
    if law[i] > 0 { last = i }
    sum += law[i]
    thresholds[i] = UInt64(min(sum, 1) * 0x1p53) + 1
  }
  for i in last..<range.upperBound { thresholds[i] = .max }
}

/// The number of thresholds at or below k, for increasing thresholds of which the last is above.
@inline(__always)
private func lowerCount(_ thresholds: UnsafeBufferPointer<UInt64>, _ k: UInt64) -> Int {
  let count = thresholds.count
  guard let base = thresholds.baseAddress else { return 0 }
  if count <= 16 {
    var below = 0
    for j in 0..<(count &- 1) { below &+= unsafe base[j] <= k ? 1 : 0 }
    return below
  }
  // Binary search without branches: `low` counts thresholds known to be at or below k.
  var low = 0
  var size = count
  while size > 1 {
    let half = size &>> 1
    low = unsafe base[low &+ half &- 1] <= k ? low &+ half : low
    size &-= half
  }
  return unsafe low &+ (base[low] <= k ? 1 : 0)
}
