import BigInt
import Foundation
import MarkovChains
import Testing

/// A matrix with the given off-diagonal entries and the rest of each row on the diagonal.
func matrix(_ size: Int, _ entry: (Int, Int) -> Double) -> StochasticMatrix {
  var entries = [Double](repeating: 0, count: size * size)
  for i in 0..<size {
    var rest = 1.0
    for j in 0..<size where j != i {
      entries[i * size + j] = entry(i, j)
      rest -= entry(i, j)
    }
    entries[i * size + i] = max(rest, 0)
  }
  return StochasticMatrix(size: size, entries: entries)
}

/// The largest relative error of any component against exact arithmetic.
func worstError(_ law: [Double], _ matrix: StochasticMatrix) -> Double {
  let exact = ExactStationaryLaw(matrix)
  return law.indices.reduce(0) { max($0, exact.relativeError(law[$1], $1)) }
}

@Suite struct StationaryLawTests {
  /// A few roundings per elimination step; measured 7e−16 at n = 9.
  static let tolerance = 4e-15

  @Test(arguments: [2, 3, 5, 8])
  func randomChainsAgreeWithExactArithmetic(size: Int) {
    var worst = 0.0
    for index in 0..<20 as Range<UInt64> {
      let prior = DirichletPrior(vocabulary: size, parents: [1], concentration: 0.3)
      let chain = StochasticMatrix(size: size, entries: prior.chain(seed: 2, index: index).rows)
      worst = max(worst, worstError(chain.stationaryDistribution().probabilities, chain))
    }
    print("random chains, n = \(size): worst relative error \(worst)")
    #expect(worst < Self.tolerance)
  }

  /// Two blocks of three states joined by entries of order ε, one way three times as strong.
  static func nearlyDecomposable(_ ε: Double, _ index: UInt64) -> StochasticMatrix {
    var stream = RandomStream(seed: 4, purpose: .parameters, index: index)
    let u = (0..<36).map { _ in stream.uniform() }
    return matrix(6) { i, j in
      if i / 3 == j / 3 { return 0.4 * u[i * 6 + j] }
      return (i < j ? 3 : 1) * ε * u[i * 6 + j]
    }
  }

  @Test(arguments: [1e-2, 1e-14, 1e-100, 1e-200, 1e-300])
  func nearlyDecomposableChainsKeepRelativeAccuracy(ε: Double) {
    var worst = 0.0
    for index in 0..<20 as Range<UInt64> {
      let chain = Self.nearlyDecomposable(ε, index)
      worst = max(worst, worstError(chain.stationaryDistribution().probabilities, chain))
    }
    print("coupling \(ε): worst relative error \(worst)")
    #expect(worst < Self.tolerance)
  }

  @Test func powerIterationFailsTheSameCheck() {
    let chain = Self.nearlyDecomposable(1e-14, 0)
    var law = [Double](repeating: 1.0 / 6, count: 6)
    for _ in 0..<1000 {
      law = (0..<6).map { j in (0..<6).reduce(0) { $0 + law[$1] * chain[$1, j] } }
    }
    #expect(worstError(law, chain) > 0.1)
  }

  /// Leaving the pair {0, 1} for 4 and back takes two rare steps each way: the censored
  /// probabilities are of order 1e−400 and only a wide exponent holds them.
  @Test(arguments: [1e-150, 1e-200, 1e-300])
  func productsBelowTheRangeOfADoubleAreResolved(ε: Double) {
    let chain = matrix(5) { i, j in
      switch (i, j) {
      case (0, 1), (1, 0), (3, 4), (4, 3): 0.25
      case (1, 2): ε
      case (2, 1), (2, 3): i < j ? ε : 0.75
      case (3, 2): 2 * ε
      default: 0
      }
    }
    // Last is first to go: without state 2, state 1 reaches 3 with probability of order ε².
    let order = [0, 1, 3, 4, 2]
    let permuted = StochasticMatrix(
      size: 5, entries: (0..<25).map { chain[order[$0 / 5], order[$0 % 5]] })
    #expect(worstError(chain.stationaryDistribution().probabilities, chain) < Self.tolerance)
    #expect(worstError(permuted.stationaryDistribution().probabilities, permuted) < Self.tolerance)
  }

  @Test func componentsDownToTheSmallestDoubleAreResolved() {
    // A birth-death chain: π_i ∝ 10^{−100 i}, exactly representable down to i = 3.
    let chain = matrix(4) { i, j in j == i + 1 ? 1e-100 : (j == i - 1 ? 0.5 : 0) }
    let law = chain.stationaryDistribution().probabilities
    #expect(worstError(law, chain) < Self.tolerance)
    #expect(abs(law[3] / 8e-300 - 1) < 1e-13)
  }

  @Test(arguments: [1e-8, 1e-3, 0.05, 0.1, 1])
  func windowLawsAgreeWithExactArithmetic(concentration: Double) {
    let prior = DirichletPrior(vocabulary: 3, parents: [1, 2], concentration: concentration)
    var solver = StationarySolver(vocabulary: 3, parents: [1, 2])
    var worst = 0.0
    var compared = 0
    for index in 0..<20 as Range<UInt64> {
      let chain = prior.chain(seed: 6, index: index)
      solver.solve(chain)
      let matrix = windowMatrix(chain)
      let classes = matrix.communicatingClasses()
      #expect(solver.recurrentClassCount == classes.recurrent.count)
      #expect(solver.period == classes.period)
      guard classes.recurrent.count == 1, classes.transient.isEmpty else { continue }
      let exact = ExactStationaryLaw(matrix)
      // Smaller components than 1e−290 are rounded to the subnormal grid.
      for i in 0..<9 where exact.probability(i) > 1e-290 {
        worst = max(worst, exact.relativeError(solver.probabilities[i], i))
        compared += 1
      }
    }
    print("windows at α = \(concentration): worst relative error \(worst) of \(compared)")
    #expect(worst < Self.tolerance)
    if concentration >= 0.05 { #expect(compared > 150) }
  }

  /// The window chain as a dense matrix, written out from the definition.
  func windowMatrix(_ chain: NGramChain) -> StochasticMatrix {
    let d = chain.vocabulary
    let n = Windows.count(vocabulary: d, length: chain.memory)
    let row = Windows.projection(vocabulary: d, length: chain.memory, lags: chain.parents)
    var entries = [Double](repeating: 0, count: n * n)
    for w in 0..<n {
      for e in 0..<d { entries[w * n + (w * d + e) % n] += chain.rows[row[w] * d + e] }
    }
    return StochasticMatrix(size: n, entries: entries)
  }

  @Test(arguments: [[1], [2], [1, 2], [1, 3], [2, 4], [1, 2, 3, 4, 5]], [0.05, 0.1, 1])
  func windowLawsAreInvariant(parents: [Int], concentration: Double) {
    let prior = DirichletPrior(vocabulary: 3, parents: parents, concentration: concentration)
    var solver = StationarySolver(vocabulary: 3, parents: parents)
    let memory = solver.parents.reduce(0, max)
    for index in 0..<5 as Range<UInt64> {
      let chain = prior.chain(seed: 7, index: index)
      let long = solver.windowLaw(of: chain, length: memory + 2)
      let window = solver.windowLaw(of: chain, length: memory + 1).probabilities
      let recent = long.marginal(lags: Array(1...memory + 1))
      let older = long.marginal(lags: Array(2...memory + 2))
      #expect(abs(long.probabilities.reduce(0, +) - 1) < 1e-13)
      for w in window.indices where window[w] > 1e-290 {
        // The older window is the law extended by one token, the recent one that law one step on.
        #expect(abs(older[w] / window[w] - 1) < 1e-13)
        #expect(abs(recent[w] / window[w] - 1) < 1e-13)
      }
      let joint = chain.jointLaw(windowLength: memory)
      #expect(joint.probabilities == window)
    }
  }
}
