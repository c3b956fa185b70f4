import Foundation

/// The prior over n-gram chains: rows independent and identically Dirichlet(α, …, α).
public struct DirichletPrior: Sendable, Equatable {
  /// The number d of tokens, in 2...256.
  public let vocabulary: Int

  /// The parent lags, at least one, positive and increasing.
  public let parents: [Int]

  /// The concentration α > 0; small values make the rows nearly deterministic.
  public let concentration: Double

  /// The prior over chains of one shape.
  ///
  /// - Parameters:
  ///   - vocabulary: d in 2...256.
  ///   - parents: lags r₁ < … < r_n, at least one, each at least 1.
  ///   - concentration: α, in 1e−8...1e8.
  public init(vocabulary: Int, parents: [Int], concentration: Double) {
    precondition((2...256).contains(vocabulary), "The vocabulary holds 2 to 256 tokens.")
    precondition(
      !parents.isEmpty && Windows.isIncreasing(parents), "Parents are positive, increasing lags.")
    precondition((1e-8...1e8).contains(concentration), "α lies in 1e−8...1e8.")
    self.vocabulary = vocabulary
    self.parents = parents
    self.concentration = concentration
  }

  /// The chain of sequence `index`.
  ///
  /// It is drawn from the stream (seed, kernels, index) alone.
  public func chain(seed: UInt64, index: UInt64) -> NGramChain {
    var chain = blankChain
    draw(&chain, seed: seed, index: index)
    return chain
  }

  /// Replaces the rows of a chain of this shape by those of sequence `index`, in place.
  ///
  /// Gamma(α, 1) variates are drawn as a factor of moderate size and the logarithm of another,
  /// U^{1/α}, which alone may underflow. Taking out the largest of these logarithms in a row
  /// leaves one weight of moderate size at least: no row is ever zero or NaN, whatever α. Entries
  /// below about 1e−308 of the largest are exactly zero.
  func draw(_ chain: inout NGramChain, seed: UInt64, index: UInt64) {
    var stream = RandomStream(seed: seed, purpose: .kernels, index: index)
    let d = vocabulary
    let gamma = GammaLaw(shape: concentration)
    let count = chain.rows.count
    unsafe chain.rows.withUnsafeMutableBufferPointer { rows in
      for start in stride(from: 0, to: count, by: d) {
        var largest = -Double.infinity
        for i in start..<start + d {
          let logarithm = stream.logBoost(gamma)
          unsafe rows[i] = logarithm
          largest = max(largest, logarithm)
        }
        var sum = 0.0
        for i in start..<start + d {
          let weight = unsafe exp(rows[i] - largest) * stream.gammaFactor(gamma)
          unsafe rows[i] = weight
          sum += weight
        }
        for i in start..<start + d { unsafe rows[i] /= sum }
      }
    }
  }

  /// A chain of this shape whose rows are yet to be drawn.
  var blankChain: NGramChain {
    let entries = Windows.count(vocabulary: vocabulary, length: parents.count + 1)
    return NGramChain(
      uncheckedVocabulary: vocabulary, parents: parents,
      rows: [Double](repeating: 1 / Double(vocabulary), count: entries))
  }
}
