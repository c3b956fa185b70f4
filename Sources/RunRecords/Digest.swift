// SHA-256 of bytes: a run is recognised by the digest of its resolved experiment.

import Crypto

/// SHA-256 digests as lower-case hexadecimal text.
public enum Digest {
  /// The SHA-256 of `bytes`, 64 hexadecimal digits.
  public static func sha256(_ bytes: some Sequence<UInt8>) -> String {
    SHA256.hash(data: Array(bytes)).map { byte in
      (byte < 16 ? "0" : "") + String(byte, radix: 16)
    }.joined()
  }
}
