import Foundation
import LinearAlgebra

/// What is measured of one chain.
public struct ChainFacts: Sendable, Equatable {
  /// The informations, in the order of the analyser's lag sets.
  public let informations: [Information]

  /// The entropy rate Σ_w μ(w) H(π(· | w)) in nats, over the windows of length r_n.
  public let entropyRate: Double

  /// The spectral gap 1 − |λ₂| in 0...1: see ``ChainAnalyser``.
  ///
  /// Exactly 0 for reducible and periodic chains, and for them only. What lies below
  /// ``gapResolution`` is reported as that. NaN if the eigenvalues could not be computed.
  public let spectralGap: Double

  /// The number of recurrent classes of windows; with more than one the stationary law is a mixture.
  public let recurrentClassCount: Int

  /// The least common multiple of the periods of the recurrent classes.
  public let period: Int

  /// The number of windows in no recurrent class; the stationary law gives them probability 0.
  public let transientCount: Int

  /// The relaxation time 1/(1 − |λ₂|) in steps, infinite where the gap is 0.
  ///
  /// At the resolution of the gap, 10¹⁴ steps is a lower bound.
  public var relaxationTime: Double { 1 / spectralGap }

  /// Gaps up to this cannot be told from each other: the rounding of the eigenvalues is of its
  /// size. (At nine states errors up to 4e−15 were seen against sixty digits.)
  public static let gapResolution = 1e-14
}

/// Measures chains of one shape: informations, entropy rate, spectral gap and classes.
///
/// The states are the windows of length r_n. λ₂ is the eigenvalue of second largest modulus of
/// their transition matrix on the recurrent windows:
///
/// - one recurrent class, aperiodic: |λ₂| < 1, and the distance to stationarity falls like |λ₂|^t;
/// - several recurrent classes, or a period above 1: there are further eigenvalues of modulus 1,
///   so the gap is 0 and the relaxation time infinite, exactly and without a computation;
/// - transient windows are left out: a sequence that starts from the stationary law never
///   visits them.
///
/// Classes are those of the zeros of the kernel as it is stored; a probability of 1e−300 counts.
public struct ChainAnalyser: Sendable {
  private var measures: InformationMeasures

  /// The lag sets S.
  public var lagSets: [[Int]] { measures.lagSets }

  /// An analyser for chains of one shape.
  ///
  /// - Parameters:
  ///   - vocabulary: d in 2...256.
  ///   - parents: the parent lags, with d^{r_n} at most ``StationarySolver/maximumWindowCount``.
  ///   - lagSets: the sets S; each increasing, positive.
  public init(vocabulary: Int, parents: [Int], lagSets: [[Int]]) {
    measures = InformationMeasures(vocabulary: vocabulary, parents: parents, lagSets: lagSets)
  }

  /// Measures one chain.
  ///
  /// - Parameter chain: a chain of the analyser's vocabulary and parents.
  /// - Returns: what is measured of it.
  public mutating func facts(of chain: borrowing NGramChain) -> ChainFacts {
    let informations = measures.measure(chain)
    let solver = measures.solver
    var rate = 0.0
    for (window, probability) in solver.probabilities.enumerated() where probability > 0 {
      rate += probability * entropy(of: chain.law(ofRow: solver.row(ofWindow: window)))
    }
    let (gap, transientCount) = spectralGap(of: chain, solver)
    return ChainFacts(
      informations: informations, entropyRate: rate, spectralGap: gap,
      recurrentClassCount: solver.recurrentClassCount, period: solver.period,
      transientCount: transientCount)
  }

  private func entropy(of law: ArraySlice<Double>) -> Double {
    var sum = 0.0
    for p in law where p > 0 { sum -= p * log(p) }
    return max(0, sum)
  }

  private func spectralGap(
    of chain: borrowing NGramChain, _ solver: StationarySolver
  ) -> (gap: Double, transientCount: Int) {
    let size = solver.probabilities.count
    let entries = solver.transitionMatrix(of: chain)
    var block = entries
    var order = size
    if chain.rows.contains(0) {
      let classes = StochasticMatrix(size: size, entries: entries).communicatingClasses()
      guard classes.recurrent.count == 1 && classes.period == 1 else {
        return (0, classes.transient.count)
      }
      if !classes.transient.isEmpty {
        let states = classes.recurrent[0].states
        order = states.count
        block = states.flatMap { i in states.map { j in entries[i * size + j] } }
      }
    }
    guard var values = eigenvalues(of: block, order: order) else { return (.nan, size - order) }
    // The Perron root is 1 up to rounding; which of two values near 1 is taken for it is the same.
    let root = values.indices.min { distance(values[$0]) < distance(values[$1]) } ?? 0
    values.remove(at: root)
    let modulus = values.map(\.modulus).max() ?? 0
    return (min(1, max(ChainFacts.gapResolution, 1 - modulus)), size - order)
  }

  private func distance(_ value: Eigenvalue) -> Double {
    hypot(value.real - 1, value.imaginary)
  }
}

extension StationarySolver {
  /// The transition matrix of the windows of length r_n.
  ///
  /// - Parameter chain: a chain of the solver's vocabulary and parents.
  /// - Returns: shape (d^{r_n}, d^{r_n}), row-major.
  public func transitionMatrix(of chain: borrowing NGramChain) -> [Double] {
    let n = probabilities.count
    let d = vocabulary
    var matrix = [Double](repeating: 0, count: n * n)
    for w in 0..<n {
      let next = w * d % n
      let row = row(ofWindow: w) * d
      for e in 0..<d { matrix[w * n + next + e] = chain.rows[row + e] }
    }
    return matrix
  }
}
