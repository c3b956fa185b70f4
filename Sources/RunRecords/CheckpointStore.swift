// The checkpoints of a run that is not finished.

import Foundation
import Glibc

/// What a checkpoint may be resumed by: the same experiment and the same program.
public struct CheckpointOrigin: Codable, Equatable, Sendable {
  /// The SHA-256 of the resolved experiment.
  public var experimentSHA256: String
  /// The SHA-256 of the program.
  public var programSHA256: String
  /// The instruction set of the kernels that ran.
  public var kernelPath: String
  /// The layout of the words.
  public var format: Int

  /// Describes where a checkpoint comes from.
  public init(experimentSHA256: String, programSHA256: String, kernelPath: String, format: Int) {
    self.experimentSHA256 = experimentSHA256
    self.programSHA256 = programSHA256
    self.kernelPath = kernelPath
    self.format = format
  }

  enum CodingKeys: String, CodingKey {
    case experimentSHA256 = "experiment_sha256"
    case programSHA256 = "program_sha256"
    case kernelPath = "kernel_path"
    case format
  }
}

/// The last two checkpoints of a run, `checkpoint.bin` and `checkpoint-previous.bin`.
///
/// A file is a line with the SHA-256 of everything after it, a line of JSON with the ``CheckpointOrigin``, and 64-bit
/// words in the byte order of the machine. It appears whole or not at all, and the one before stays until it has; so
/// whenever a process is killed or the power fails, one of the two is whole.
public struct CheckpointStore: Sendable {
  /// The run.
  public let directory: RunDirectory

  /// The checkpoints of a run.
  public init(_ directory: RunDirectory) { self.directory = directory }

  /// A checkpoint that was read.
  public struct Stored: Sendable {
    /// Where it comes from.
    public let origin: CheckpointOrigin
    /// What it holds.
    public let words: [UInt64]
    /// The file it was read from.
    public let path: String
  }

  /// The names of both, the newer first.
  static let names: [FileName] = [.checkpoint, .previousCheckpoint]

  /// Writes a checkpoint; the one before the last goes.
  ///
  /// - Parameters:
  ///   - words: what it holds.
  ///   - origin: where it comes from.
  /// - Throws: `RecordError` when it cannot be written; the last one still stands.
  public func write(_ words: [UInt64], from origin: CheckpointOrigin) throws(RecordError) {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    var content: [UInt8]
    do {
      content = Array(try encoder.encode(origin)) + [.lineFeed]
    } catch {
      preconditionFailure("an origin is made of texts: \(error)")
    }
    unsafe words.withUnsafeBytes { unsafe content += $0 }
    var file = try AtomicFile(path: directory.path(of: .checkpoint))
    try file.write(Digest.sha256(content) + "\n")
    try file.write(content)
    let (newest, previous) = (
      directory.path(of: .checkpoint), directory.path(of: .previousCheckpoint)
    )
    try file.commit(clearing: { () throws(RecordError) in
      if access(newest, F_OK) == 0, rename(newest, previous) != 0 {
        throw RecordError(path: previous, call: "rename", code: errno)
      }
    })
  }

  /// Reads the newest checkpoint that is whole.
  ///
  /// - Parameter damaged: told of each file that is not whole, with what is wrong.
  /// - Returns: nil if there is none.
  public func newest(damaged: (RecordError) -> Void) -> Stored? {
    var unusable: [RecordError] = []
    defer { for error in unusable { damaged(error) } }
    for name in Self.names where directory.has(name) {
      do {
        let found = try read(name)
        // The next one written would otherwise take the place of the one that is whole.
        for error in unusable { unlink(error.path) }
        return found
      } catch {
        unusable.append(error)
      }
    }
    return nil
  }

  private func read(_ name: FileName) throws(RecordError) -> Stored {
    let path = directory.path(of: name)
    var status = stat()
    guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      throw RecordError(
        path: path, reason: .malformed("no file"),
        advice: "The checkpoint before it is used; without one the run begins anew.")
    }
    let bytes = try OpenFile.contents(of: path)
    let damage = RecordError(
      path: path, reason: .malformed("damaged: its bytes do not have the checksum they begin with"),
      advice: "The checkpoint before it is used; without one the run begins anew.")
    let digestEnd = 64
    guard bytes.count > digestEnd, bytes[digestEnd] == .lineFeed else { throw damage }
    let content = bytes[(digestEnd + 1)...]
    guard Digest.sha256(content).utf8.elementsEqual(bytes[..<digestEnd]),
      let lineEnd = content.firstIndex(of: .lineFeed), (content.endIndex - lineEnd - 1) % 8 == 0,
      let origin = try? JSONDecoder().decode(
        CheckpointOrigin.self, from: Data(content[..<lineEnd]))
    else { throw damage }
    let payload = content[(lineEnd + 1)...]
    let words = [UInt64](unsafeUninitializedCapacity: payload.count / 8) { buffer, count in
      unsafe UnsafeMutableRawBufferPointer(buffer).copyBytes(from: payload)
      count = payload.count / 8
    }
    return Stored(origin: origin, words: words, path: path)
  }

  /// Whether there is any.
  public var isPresent: Bool { Self.names.contains { directory.has($0) } }

  /// Removes both.
  ///
  /// - Throws: `RecordError` when one stands and cannot be removed.
  public func remove() throws(RecordError) {
    // On a disk that takes nothing, removing what is not there fails, too.
    for name in Self.names where directory.has(name) {
      let path = directory.path(of: name)
      guard unlink(path) == 0 || errno == ENOENT else {
        throw RecordError(path: path, call: "unlink", code: errno)
      }
    }
  }
}
