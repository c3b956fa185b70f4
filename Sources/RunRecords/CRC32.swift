// The checksum of zip archives.

/// CRC-32 with the reversed polynomial 0xEDB88320, eight bytes at a time.
///
/// Reference: Kounavis, Berry, *IEEE Transactions on Computers* 57 (2008) 1550–1560.
package struct CRC32 {
  private var state: UInt32 = 0xFFFF_FFFF

  /// tables[k · 256 + b]: the remainder of byte b followed by k zero bytes.
  private static let tables: [UInt32] = {
    var tables: [UInt32] = []
    for byte in 0..<256 {
      var value = UInt32(byte)
      for _ in 0..<8 {
        value = value & 1 == 0 ? value >> 1 : (value >> 1) ^ 0xEDB8_8320
      }
      tables.append(value)
    }
    for index in 256..<2048 {
      let previous = tables[index - 256]
      tables.append((previous >> 8) ^ tables[Int(previous & 0xFF)])
    }
    return tables
  }()

  /// The checksum of no bytes.
  package init() {}

  /// The checksum of the bytes so far.
  package var value: UInt32 { ~state }

  /// Takes in the next bytes.
  package mutating func update(_ bytes: RawSpan) {
    let tables = Self.tables
    var state = state
    bytes.withUnsafeBytes { bytes in
      var index = 0
      while index + 8 <= bytes.count {
        let word = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self))
        let mixed = word ^ UInt64(state)
        state = 0
        for byte in 0..<8 {
          let next = Int((mixed >> UInt64(8 * byte)) & 0xFF)
          state ^= tables[(7 - byte) * 256 + next]
        }
        index += 8
      }
      while index < bytes.count {
        let next = Int((state ^ UInt32(bytes[index])) & 0xFF)
        state = (state >> 8) ^ tables[next]
        index += 1
      }
    }
    self.state = state
  }
}
