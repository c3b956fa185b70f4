/// The counter-based generator Philox4x64 with ten rounds: a keyed bijection of 256-bit blocks.
///
/// It serves here only to turn (seed, purpose, index) into well-mixed initial states.
///
/// Reference: Salmon, Moraes, Dror, Shaw, *Parallel random numbers: as easy as 1, 2, 3*, SC 2011.
package enum Philox {
  /// The block that belongs to a counter under a key.
  ///
  /// - Parameters:
  ///   - counter: four 64-bit words, lowest first.
  ///   - key: two 64-bit words.
  /// - Returns: the block, four 64-bit words, lowest first.
  package static func block(
    counter: SIMD4<UInt64>, key: (UInt64, UInt64)
  ) -> SIMD4<UInt64> {
    // Scalars: vectors of 64-bit products are slow.
    var (c0, c1, c2, c3) = (counter[0], counter[1], counter[2], counter[3])
    var (k0, k1) = key
    for _ in 0..<10 {
      let first = c0.multipliedFullWidth(by: 0xD2E7_470E_E14C_6C93)
      let second = c2.multipliedFullWidth(by: 0xCA5A_8263_9512_1157)
      (c0, c1, c2, c3) = (
        second.high ^ c1 ^ k0, second.low, first.high ^ c3 ^ k1, first.low
      )
      k0 &+= 0x9E37_79B9_7F4A_7C15  // golden ratio
      k1 &+= 0xBB67_AE85_84CA_A73B  // √3 − 1
    }
    return [c0, c1, c2, c3]
  }
}
