import CKernels
import MarkovChains
import ParallelLoops

/// Sequences of independent N(0, 1) tokens, kept eight side by side.
public struct GaussianSample: Sendable {
  /// S, how many sequences.
  public let count: Int
  /// L, how many tokens each has.
  public let length: Int
  /// x₁…x_L of eight sequences after the other, shape (chunks, L, 8); idle places are zero.
  let tokens: [Double]

  static let lanes = 8

  /// Draws sequences; sequence i is the same whatever their number.
  ///
  /// - Parameters:
  ///   - count: S, at least 1.
  ///   - length: L, at least 4.
  ///   - seed: with the index of a sequence it names its random numbers.
  ///   - threads: threads to use; the result does not depend on it.
  public init(count: Int, length: Int, seed: UInt64, threads: Int) {
    precondition(count >= 1 && length >= 4, "a sample has sequences of at least four tokens")
    self.count = count
    self.length = length
    let chunks = (count + Self.lanes - 1) / Self.lanes
    tokens = inLanes(chunks, threads: threads) { range in
      var part = [Double](repeating: 0, count: range.count * length * Self.lanes)
      for chunk in range {
        Self.fill(
          &part, at: (chunk - range.lowerBound) * length * Self.lanes, chunk: chunk, count: count,
          length: length, seed: seed)
      }
      return part
    }.flatMap { $0 }
  }

  /// The sequences of a range, a multiple of eight at its start.
  init(_ other: GaussianSample, range: Range<Int>) {
    precondition(range.lowerBound % Self.lanes == 0 && !range.isEmpty, "chunks stay whole")
    count = range.count
    length = other.length
    let size = length * Self.lanes
    let chunks = (range.upperBound + Self.lanes - 1) / Self.lanes
    var part = Array(other.tokens[range.lowerBound / Self.lanes * size..<chunks * size])
    // What the last chunk has beyond the range is idle.
    for place in range.count % Self.lanes..<Self.lanes where range.count % Self.lanes != 0 {
      for token in 0..<length { part[part.count - size + token * Self.lanes + place] = 0 }
    }
    tokens = part
  }

  /// Writes eight sequences, as far as there are so many.
  static func fill(
    _ tokens: inout [Double], at first: Int, chunk: Int, count: Int, length: Int, seed: UInt64
  ) {
    for place in 0..<lanes {
      let index = chunk * lanes + place
      guard index < count else { break }
      var stream = RandomStream(seed: seed, purpose: .tokens, index: UInt64(index))
      for token in 0..<length { tokens[first + token * lanes + place] = stream.normal() }
    }
  }

  /// Ranges of about equal size that begin at multiples of eight, at most `parts` of them.
  static func parts(of count: Int, into parts: Int) -> [Range<Int>] {
    let chunks = (count + lanes - 1) / lanes
    return balancedRanges(chunks, lanes: parts) { _ in 1 }.map {
      $0.lowerBound * lanes..<min(count, $0.upperBound * lanes)
    }
  }
}

/// The attention of both layers by position: all of the transformer that depends on no token.
struct PositionalAttention {
  /// N.
  let terms: Int
  let ratio: Double
  /// 1/Z_s with two derivatives by p₁, and ω_s with two by p; shapes (3, N).
  let normalisers, weights: [Double]

  init(firstRate p1: Double, rate p: Double, terms: Int) {
    self.terms = terms
    let q1 = Jet.decay(p1, times: 1, [1, 0]).0
    ratio = q1.value
    var normalisers = [Double](repeating: 0, count: 3 * terms)
    var total = Jet(1)
    for i in 0..<terms {
      if i > 0 { total = 1 + q1 * total }
      let inverse = total.inverse
      normalisers[i] = inverse.value
      normalisers[terms + i] = inverse.first.x
      normalisers[2 * terms + i] = inverse.second.x
    }
    self.normalisers = normalisers
    let powers = (0..<terms).map { Jet.decay(p, times: Double(terms - 1 - $0), [1, 0]).0 }
    let sum = powers.reduce(Jet(0), +).inverse
    let weights = powers.map { $0 * sum }
    self.weights =
      weights.map(\.value) + weights.map(\.first.x) + weights.map(\.second.x)
  }

  /// Calls `body` with the transformer's parameters as the kernels take them.
  func withPoint<Result>(
    product: Double, order: Int, byFirstRate: Bool,
    _ body: (UnsafePointer<gf_mixed_point>) -> Result
  ) -> Result {
    normalisers.withUnsafeBufferPointer { normalisers in
      weights.withUnsafeBufferPointer { weights in
        guard let normalisers = normalisers.baseAddress, let weights = weights.baseAddress else {
          preconditionFailure("there are positions")
        }
        let point = gf_mixed_point(
          terms: terms, order: Int32(order), by_first_layer: byFirstRate ? 1 : 0, ratio: ratio,
          product: product, normalisers: normalisers, weights: weights)
        return withUnsafePointer(to: point, body)
      }
    }
  }
}

extension GaussianSample {
  /// The tokens x₁…x_L of one sequence.
  public func sequence(_ index: Int) -> [Double] {
    let first = index / Self.lanes * length * Self.lanes + index % Self.lanes
    return (0..<length).map { tokens[first + $0 * Self.lanes] }
  }
}
