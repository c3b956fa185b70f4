// A file that appears whole or not at all.

import Foundation
import Glibc

/// A file being written aside, to take its name only when it is complete.
///
/// The bytes go to a hidden file in the same folder; ``commit()`` syncs it to the disk, renames it
/// over the destination and syncs the folder. Whatever fails before the rename, the destination
/// keeps what it held, and the hidden file is removed when this value goes. A symbolic link at the
/// destination is replaced, not followed.
public struct AtomicFile: ~Copyable {
  /// The destination.
  public let path: String
  private let asidePath: String
  private var file: OpenFile
  private var buffer: [UInt8] = []
  private var isRenamed = false

  private static let (prefix, suffix) = (".gradflow-", ".tmp")

  /// Whether a file of this name is one aside.
  static func isAside(_ name: String) -> Bool {
    name.hasPrefix(prefix) && name.hasSuffix(suffix)
  }

  private static let bufferSize = 1 << 18

  /// Opens a file aside, in the folder of `path`.
  public init(path: String) throws(RecordError) {
    let folder = Self.folder(of: path)
    let token = UInt64.random(in: .min ... .max)
    let asidePath = folder + "/" + Self.prefix + String(token, radix: 36) + Self.suffix
    // O_EXCL: never write into a file that someone else has just made.
    let file = try OpenFile(path: path, opened: asidePath, flags: O_WRONLY | O_CREAT | O_EXCL)
    self.path = path
    self.asidePath = asidePath
    self.file = file
    buffer.reserveCapacity(Self.bufferSize)
  }

  deinit {
    if !isRenamed { unlink(asidePath) }
  }

  /// Appends `bytes`.
  public mutating func write(_ bytes: [UInt8]) throws(RecordError) {
    if bytes.count < Self.bufferSize {
      buffer += bytes
      if buffer.count >= Self.bufferSize { try flush() }
    } else {
      try write(raw: bytes.span.bytes)
    }
  }

  /// Appends `text` in UTF-8.
  public mutating func write(_ text: String) throws(RecordError) {
    try write(Array(text.utf8))
  }

  /// Appends the bytes of a span without copying them.
  public mutating func write(raw bytes: RawSpan) throws(RecordError) {
    try flush()
    try bytes.withUnsafeBytes { pointer throws(RecordError) in try file.write(pointer) }
  }

  /// Makes the file appear under its name, on the disk.
  public consuming func commit() throws(RecordError) {
    try commit(clearing: { () throws(RecordError) in })
  }

  /// The same; once all bytes are on the disk, `clear` moves away what stands at the name.
  consuming func commit(clearing clear: () throws(RecordError) -> Void) throws(RecordError) {
    try flush()
    try file.sync()
    try file.close()
    try clear()
    guard rename(asidePath, path) == 0 else {
      throw RecordError(path: path, call: "rename", code: errno)
    }
    isRenamed = true
    try Self.syncFolder(Self.folder(of: path))
  }

  /// Writes the file at `path` whole: all of `bytes`, or nothing.
  public static func write(_ bytes: [UInt8], to path: String) throws(RecordError) {
    var file = try AtomicFile(path: path)
    try file.write(bytes)
    try file.commit()
  }

  /// Writes the file at `path` whole: all of `text` in UTF-8, or nothing.
  public static func write(_ text: String, to path: String) throws(RecordError) {
    try write(Array(text.utf8), to: path)
  }

  /// Throws if something stands at `path`, be it a link that leads nowhere.
  static func refuseExisting(_ path: String) throws(RecordError) {
    var status = stat()
    if lstat(path, &status) == 0 {
      throw RecordError(
        path: path, reason: .alreadyExists, advice: "Choose another name, or move it away.")
    }
  }

  private mutating func flush() throws(RecordError) {
    guard !buffer.isEmpty else { return }
    try buffer.span.bytes.withUnsafeBytes { pointer throws(RecordError) in
      try file.write(pointer)
    }
    buffer.removeAll(keepingCapacity: true)
  }

  /// Makes the entries of a folder durable.
  static func syncFolder(_ folder: String) throws(RecordError) {
    let opened = try OpenFile(path: folder, flags: O_RDONLY | O_DIRECTORY)
    try opened.sync()
  }

  /// The folder that holds `path`; `.` for a bare name.
  package static func folder(of path: String) -> String {
    guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return "." }
    let folder = String(path[..<slash])
    return folder.isEmpty ? "/" : folder
  }
}
