// Several named arrays in one file: NumPy's .npz, a zip archive without compression.

/// Writing of `.npz` archives.
public enum NumPyArchive {
  /// Writes arrays under their names to `path`, whole or not at all.
  ///
  /// The arrays are written from where they stand, in the order of their names and with a fixed
  /// date, so equal arrays give equal bytes.
  ///
  /// - Precondition: no name is empty or holds `/`.
  public static func write(
    _ arrays: [String: NumPyArray], to path: String
  ) throws(RecordError) {
    try write(arrays, to: path, limit: 0xFFFF_FFFF)
  }

  /// As ``write(_:to:)``, with zip64's long forms for sizes and positions from `limit` on.
  package static func write(
    _ arrays: [String: NumPyArray], to path: String, limit: Int
  ) throws(RecordError) {
    var file = try AtomicFile(path: path)
    var directory: [UInt8] = []
    var position = 0
    let members = arrays.sorted { $0.key < $1.key }
    for (name, array) in members {
      precondition(!name.isEmpty && !name.contains("/"), "an array named \"\(name)\"")
      var checksum = CRC32()
      array.forEachPart { checksum.update($0) }
      let member = ZipMember(
        name: Array("\(name).npy".utf8), checksum: checksum.value, size: array.byteCount,
        position: position, limit: limit)
      let header = member.localHeader
      try file.write(header)
      try array.forEachPart { part throws(RecordError) in try file.write(raw: part) }
      directory += member.directoryEntry
      position += header.count + array.byteCount
    }
    try file.write(directory)
    try file.write(
      ZipMember.archiveEnd(
        count: members.count, position: position, size: directory.count, limit: limit))
    try file.commit()
  }
}

/// One stored file of a zip archive; the field names are those of the format's specification.
///
/// Reference: PKWARE, *APPNOTE.TXT – .ZIP File Format Specification* 6.3.10, sections 4.3 and 4.5.3.
private struct ZipMember {
  let name: [UInt8]
  let checksum: UInt32
  let size: Int
  let position: Int
  let limit: Int

  /// Version needed, flags (bit 11: UTF-8 names), method (stored), time and date (1 January 1980).
  private var common: [UInt8] {
    bytes16(isLong ? 45 : 20) + bytes16(0x0800) + bytes16(0) + bytes16(0) + bytes16(0x0021)
      + bytes32(Int(checksum))
  }

  private var isLong: Bool { size >= limit || position >= limit }

  var localHeader: [UInt8] {
    let extra = size >= limit ? bytes16(1) + bytes16(16) + bytes64(size) + bytes64(size) : []
    let shown = size >= limit ? 0xFFFF_FFFF : size
    return bytes32(0x0403_4B50) + common + bytes32(shown) + bytes32(shown)
      + bytes16(name.count) + bytes16(extra.count) + name + extra
  }

  var directoryEntry: [UInt8] {
    var long: [UInt8] = []
    if size >= limit { long += bytes64(size) + bytes64(size) }
    if position >= limit { long += bytes64(position) }
    let extra = long.isEmpty ? [] : bytes16(1) + bytes16(long.count) + long
    let shownSize = size >= limit ? 0xFFFF_FFFF : size
    // Made by: version 4.5 on Unix; external attributes: a file that its owner may write.
    return bytes32(0x0201_4B50) + bytes16(3 << 8 | 45) + common
      + bytes32(shownSize) + bytes32(shownSize) + bytes16(name.count) + bytes16(extra.count)
      + bytes16(0) + bytes16(0) + bytes16(0) + bytes32(0o100644 << 16)
      + bytes32(position >= limit ? 0xFFFF_FFFF : position) + name + extra
  }

  static func archiveEnd(count: Int, position: Int, size: Int, limit: Int) -> [UInt8] {
    var end: [UInt8] = []
    let isLong = position >= limit || size >= limit || count >= 0xFFFF
    if isLong {
      end += bytes32(0x0606_4B50) + bytes64(44) + bytes16(3 << 8 | 45) + bytes16(45)
      end += bytes32(0) + bytes32(0) + bytes64(count) + bytes64(count)
      end += bytes64(size) + bytes64(position)
      // Where the record above starts.
      end += bytes32(0x0706_4B50) + bytes32(0) + bytes64(position + size) + bytes32(1)
    }
    let shownCount = isLong ? 0xFFFF : count
    end += bytes32(0x0605_4B50) + bytes16(0) + bytes16(0)
    end += bytes16(shownCount) + bytes16(shownCount)
    end += bytes32(isLong ? 0xFFFF_FFFF : size) + bytes32(isLong ? 0xFFFF_FFFF : position)
    return end + bytes16(0)
  }
}

private func bytes16(_ value: Int) -> [UInt8] { littleEndian(value, count: 2) }
private func bytes32(_ value: Int) -> [UInt8] { littleEndian(value, count: 4) }
private func bytes64(_ value: Int) -> [UInt8] { littleEndian(value, count: 8) }

private func littleEndian(_ value: Int, count: Int) -> [UInt8] {
  (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
}
