/// One stream of random numbers, named by (seed, purpose, index).
///
/// The generator is xoshiro256++. Its 256-bit state is the one block of Philox4x64-10 with
/// key (seed, purpose) and counter (index, 0, 0, 0). Stream i is therefore the same whatever
/// the number of streams, the order in which they are drawn, or the number of threads, and
/// drawing more from one stream disturbs no other.
///
/// References: Blackman, Vigna, *Scrambled linear pseudorandom number generators*, ACM TOMS 47
/// (2021); Salmon, Moraes, Dror, Shaw, SC 2011. The combination is derived.
public struct RandomStream: RandomNumberGenerator, Sendable {
  /// What the numbers are used for; part of the stream's name.
  ///
  /// The raw values are fixed for ever: changing one changes every result that used it.
  public enum Purpose: UInt64, Sendable, CaseIterable {
    /// Transition kernels of Markov chains.
    case kernels = 1
    /// Tokens of sequences, given their kernels.
    case tokens = 2
    /// Initial parameters of models.
    case parameters = 3
    /// The order in which mini-batches take sequences.
    case batches = 4
    /// Points of a sweep.
    case sweeps = 5
  }

  @usableFromInline var s0: UInt64
  @usableFromInline var s1: UInt64
  @usableFromInline var s2: UInt64
  @usableFromInline var s3: UInt64

  /// The second normal variate of the last polar pair, or NaN.
  var spareNormal = Double.nan

  /// The stream with this name.
  ///
  /// - Parameters:
  ///   - seed: the experiment's seed; any value.
  ///   - purpose: what the numbers are used for.
  ///   - index: which sequence, replicate or parameter block; any value.
  public init(seed: UInt64, purpose: Purpose, index: UInt64) {
    let block = Philox.block(counter: [index, 0, 0, 0], key: (seed, purpose.rawValue))
    self.init(state: block)
  }

  /// The generator in a given state; the all-zero state, its one fixed point, is replaced.
  package init(state: SIMD4<UInt64>) {
    (s0, s1, s2, s3) = (state[0], state[1], state[2], state[3])
    if state == SIMD4<UInt64>.zero { s0 = 0x9E37_79B9_7F4A_7C15 }
  }

  /// The next 64 random bits.
  @inlinable
  @inline(__always)
  public mutating func next() -> UInt64 {
    let sum = s0 &+ s3
    let result = ((sum &<< 23) | (sum &>> 41)) &+ s0
    let t = s1 &<< 17
    s2 ^= s0
    s3 ^= s1
    s1 ^= s2
    s0 ^= s3
    s2 ^= t
    s3 = (s3 &<< 45) | (s3 &>> 19)
    return result
  }

  /// A uniform integer in 1...2⁵³ − 1: a uniform variate in units of 2⁻⁵³.
  @inlinable
  @inline(__always)
  public mutating func uniformBits() -> UInt64 {
    var bits = next() &>> 11
    // Zero comes once in 2⁵³ draws; without it the law is symmetric about one half.
    while bits == 0 { bits = next() &>> 11 }
    return bits
  }

  /// A uniform variate in the open interval (0, 1), a multiple of 2⁻⁵³.
  ///
  /// Neither 0 nor 1 is ever returned, so `log(u)` and `log(1 − u)` are finite.
  @inlinable
  @inline(__always)
  public mutating func uniform() -> Double {
    Double(uniformBits()) * 0x1p-53
  }
}
