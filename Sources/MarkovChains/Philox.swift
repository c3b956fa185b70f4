/// The counter-based generator Philox4x64 with ten rounds: a keyed bijection of 256-bit blocks.
///
/// It serves here only to turn (seed, purpose, index) into well-mixed initial states.
///
/// Reference: Salmon, Moraes, Dror, Shaw, *Parallel random numbers: as easy as 1, 2, 3*, SC 2011.
enum Philox {
  /// The block that belongs to a counter under a key.
  ///
  /// - Parameters:
  ///   - counter: four 64-bit words, lowest first.
  ///   - key: two 64-bit words.
  static func block(
    counter: SIMD4<UInt64>, key: (UInt64, UInt64)
  ) -> SIMD4<UInt64> {
    var c = counter
    var k = key
    for round in 0..<10 {
      if round > 0 {
        k.0 &+= 0x9E37_79B9_7F4A_7C15  // golden ratio
        k.1 &+= 0xBB67_AE85_84CA_A73B  // √3 − 1
      }
      let first = c[0].multipliedFullWidth(by: 0xD2E7_470E_E14C_6C93)
      let second = c[2].multipliedFullWidth(by: 0xCA5A_8263_9512_1157)
      c = [second.high ^ c[1] ^ k.0, second.low, first.high ^ c[3] ^ k.1, first.low]
    }
    return c
  }
}
