import Foundation

/// SplitMix64: the same numbers for the same seed, which a failing test names.
package struct SeededRandom: RandomNumberGenerator {
  private var state: UInt64

  /// Starts the stream of a seed.
  package init(_ seed: UInt64) { state = seed }

  package mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  /// Any element of a collection that has one.
  package mutating func element<Elements: Collection>(of elements: Elements) -> Elements.Element {
    let offset = Int.random(in: 0..<elements.count, using: &self)
    return elements[elements.index(elements.startIndex, offsetBy: offset)]
  }

  /// A standard normal variate, by Box and Muller.
  package mutating func normal() -> Double {
    // Never 0: half a unit above a multiple of 2⁻⁵³.
    let uniform = (Double(next() >> 11) + 0.5) * 0x1p-53
    return (-2 * log(uniform)).squareRoot() * cos(Double.random(in: 0..<2 * .pi, using: &self))
  }
}
