/// A measured error beside its bound.
public struct BoundedError: Sendable, Equatable {
  /// What was measured.
  public let error: Double
  /// What it may be at most.
  public let bound: Double

  /// An error and its bound.
  public init(error: Double, bound: Double) {
    self.error = error
    self.bound = bound
  }

  /// The room left for the rounding of the measurement itself, relative to the bound.
  ///
  /// Sums over 10⁵ terms, each right to a few 2⁻⁵³, in a ratio that may be 1.
  public static let tolerance = 1e-10

  /// Whether the error is within its bound.
  public var holds: Bool { error <= bound * (1 + Self.tolerance) }

  /// error/bound; 0 where both vanish.
  public var ratio: Double { error == 0 ? 0 : error / bound }
}

/// What several kinds of sequences have in common: the seed, and how many there are.
public struct Sampling: Sendable, Equatable {
  /// The seed of all random numbers.
  public let seed: UInt64
  /// How many random sequences there are of every kind.
  public let samples: Int
  /// The kinds.
  public let inputs: [TokenInput]

  /// Sequences of the given kinds.
  public init(seed: UInt64, samples: Int, inputs: [TokenInput]) {
    self.seed = seed
    self.samples = samples
    self.inputs = inputs
  }
}
