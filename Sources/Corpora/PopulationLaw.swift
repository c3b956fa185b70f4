public import MarkovChains
import ParallelLoops

/// Infinitely long sequences of K chains: the limit of a corpus at fixed kernels as L → ∞.
///
/// The counts N(ω, e)/L of a sequence tend to the stationary law μ^π(ω, e) of its chain, and the
/// window and the target at the output position follow that law, too (derived).
public struct PopulationLaw: Sendable {
  /// All d^(number of lags) windows.
  public let windows: WindowTable
  /// The K chains.
  public let chains: [NGramChain]
  /// μ^π(ω, e): the law of a token e and the window ω before it, shape (K, d, windows).
  public let joint: [Double]

  /// The stationary laws of some chains.
  ///
  /// - Parameters:
  ///   - chains: at least one, all of the same vocabulary and parents, with at most
  ///     `StationarySolver.maximumWindowCount` windows of the length of their memory.
  ///   - shape: the windows wanted; the read-out must be over full windows, since the start of an
  ///     infinite sequence has no weight.
  ///   - threads: threads to use; the result does not depend on it.
  public init(chains: [NGramChain], shape: WindowShape, threads: Int = 1) {
    guard let first = chains.first, let codes = shape.codeCount else {
      preconditionFailure("a population has a chain, and fewer than 2^63 windows")
    }
    precondition(shape.range == .fullWindow && shape.lags.first != 0, "windows are full")
    precondition(
      chains.allSatisfy {
        $0.vocabulary == shape.vocabulary && $0.parents == first.parents
      }, "the chains have one shape")
    let d = shape.vocabulary
    let length = max(shape.lags.last ?? 1, first.memory)
    let projection = Windows.projection(vocabulary: d, length: length, lags: shape.lags)
    var symbols: [UInt16] = []
    symbols.reserveCapacity(codes * shape.lags.count)
    for code in 0..<codes { shape.decode(UInt64(code), into: &symbols) }
    windows = WindowTable(shape: shape, symbols: symbols)
    self.chains = chains
    var joint = [Double](repeating: 0, count: chains.count * d * codes)
    let ranges = balancedRanges(chains.count, lanes: 64) { _ in 1 }
    joint.withUnsafeMutableBufferPointer { joint in
      nonisolated(unsafe) let joint = joint
      forEachLane(ranges.count, threads: threads) { lane in
        var solver = StationarySolver(vocabulary: d, parents: first.parents)
        for index in ranges[lane] {
          let law = solver.windowLaw(of: chains[index], length: length + 1)
          let row = index * d * codes
          for (pair, probability) in law.probabilities.enumerated() {
            joint[row + pair % d * codes + projection[pair / d]] += probability
          }
        }
      }
    }
    self.joint = joint
  }

  /// K.
  public var chainCount: Int { chains.count }

  /// Bytes held by the arrays.
  public var bytes: Int {
    joint.count * 8 + windows.symbols.count * 2 + chains.reduce(0) { $0 + $1.rows.count * 8 }
  }
}
