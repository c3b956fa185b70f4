// A path as a word of a command that people copy.

extension String {
  /// The text as one word of a shell: in quotes where it needs them.
  public var shellWord: String {
    let plain = utf8.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), 0x80...:
        true
      default: "/._-+,:@%=".utf8.contains(byte)
      }
    }
    return plain && !isEmpty
      ? self
      : "'"
        + split(
          separator: "'", omittingEmptySubsequences: false
        ).joined(separator: "'\\''") + "'"
  }
}
