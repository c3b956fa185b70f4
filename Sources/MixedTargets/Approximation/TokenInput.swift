package import MarkovChains

/// The kinds of token sequences on which errors are measured, all with ‖x‖_∞ ≤ 1.
public enum TokenInput: String, Sendable, CaseIterable, Hashable {
  /// Independent coordinates, uniform on [−1, 1].
  case uniform
  /// Independent coordinates ±1.
  case signs
  /// Tokens ±b in blocks of equal length, b a vector of signs: adversarial.
  ///
  /// Blocks of one token are the alternating sequence, on which the bound for IH₂ is attained; long
  /// blocks feel the whole tail of a lag kernel with one sign.
  case squareWaves = "square-waves"
}

/// A sequence x_1…x_L of real vectors.
public struct RealTokens: Sendable, Equatable {
  /// The dimension d.
  public let dimension: Int
  /// The length L.
  public let length: Int
  /// All coordinates, shape (L, d), token by token.
  public let values: [Double]

  /// A sequence from its coordinates.
  ///
  /// - Parameters:
  ///   - values: shape (L, d), token by token.
  ///   - dimension: d ≥ 1.
  public init(_ values: [Double], dimension: Int) {
    precondition(dimension >= 1 && values.count % dimension == 0, "whole tokens are needed")
    self.values = values
    self.dimension = dimension
    length = values.count / dimension
  }

  /// Coordinate `c` of x_s, s = 1…L.
  package subscript(position s: Int, c: Int) -> Double { values[(s - 1) * dimension + c] }

  /// Independent coordinates, uniform on [−1, 1].
  package static func uniform(
    length: Int, dimension: Int, from stream: inout RandomStream
  ) -> RealTokens {
    var values = [Double](repeating: 0, count: length * dimension)
    for place in values.indices { values[place] = 2 * stream.uniform() - 1 }
    return RealTokens(values, dimension: dimension)
  }

  /// Independent coordinates ±1.
  package static func signs(length: Int, dimension: Int, from stream: inout RandomStream)
    -> RealTokens
  {
    var values = [Double](repeating: 0, count: length * dimension)
    for place in values.indices { values[place] = stream.next() >> 63 == 0 ? 1 : -1 }
    return RealTokens(values, dimension: dimension)
  }

  /// Blocks of `block` tokens, +b and −b in turn, then the token `last`.
  ///
  /// The last block is whole and +b, so that a patch at the end does not contradict itself.
  package static func squareWave(
    length: Int, block: Int, key b: [Double], last: [Double]
  ) -> RealTokens {
    var values: [Double] = []
    values.reserveCapacity(length * b.count)
    for s in 0..<(length - 1) {
      let sign: Double = ((length - 2 - s) / block) % 2 == 0 ? 1 : -1
      for coordinate in b { values.append(sign * coordinate) }
    }
    values += last
    return RealTokens(values, dimension: b.count)
  }

  /// The sequences of one kind: `samples` random ones, or square waves of 1, 2, 4, … 64 tokens.
  ///
  /// - Parameters:
  ///   - input: the kind.
  ///   - length: L ≥ 2.
  ///   - comparison: its signs make the square waves adversarial.
  ///   - samples: how many random sequences there are.
  ///   - stream: where they are drawn from.
  /// - Returns: the sequences.
  package static func all(
    of input: TokenInput, length: Int, against comparison: ComparisonMatrix, samples: Int,
    from stream: inout RandomStream
  ) -> [RealTokens] {
    let d = comparison.dimension
    switch input {
    case .uniform:
      return (0..<samples).map { _ in uniform(length: length, dimension: d, from: &stream) }
    case .signs:
      return (0..<samples).map { _ in signs(length: length, dimension: d, from: &stream) }
    case .squareWaves:
      let (query, key) = comparison.worstSigns
      // Longer blocks differ from these by tails of q^64.
      return sequence(first: 1) { $0 * 2 <= min(64, length / 2) ? $0 * 2 : nil }
        .map { squareWave(length: length, block: $0, key: key, last: query) }
    }
  }
}
