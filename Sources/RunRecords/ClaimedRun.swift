// A run inside a sweep that one process has for itself.

import Foundation
import Glibc

/// A run that is written aside and takes its place in one step, when it is whole.
///
/// The folder aside is locked while its process lives. What a killed process leaves there is cleared by the next
/// one that claims the run.
public final class ClaimedRun: Sendable {
  /// Where the run writes.
  public let directory: RunDirectory
  private let destination: String
  /// Holds the lock as long as this lives.
  private let lock: OpenFile

  private init(aside: String, destination: String, lock: consuming OpenFile) {
    directory = RunDirectory(path: aside, created: [aside])
    self.destination = destination
    self.lock = lock
  }

  /// The name of the lock in the folder aside.
  private static let lockName = ".lock"

  /// Claims a run.
  ///
  /// - Parameter destination: where it will stand.
  /// - Returns: the run; nil if it stands already, or if another process has it.
  /// - Throws: `RecordError` when the folder cannot be made.
  static func claim(_ destination: String) throws(RecordError) -> ClaimedRun? {
    let folder = AtomicFile.folder(of: destination)
    let aside = "\(folder)/.\(destination.dropFirst(folder.utf8.count + 1))"
    while true {
      if access(destination, F_OK) == 0 { return nil }
      _ = try RunDirectory.makeFolders(above: aside)
      if mkdir(aside, 0o777) != 0, errno != EEXIST {
        throw RecordError(path: aside, call: "mkdir", code: errno)
      }
      let lock: OpenFile
      do {
        lock = try OpenFile(path: "\(aside)/\(lockName)", flags: O_RDWR | O_CREAT)
      } catch {
        // Another process has just put the folder into its place, or cleared it.
        if case .systemCall(_, ENOENT) = error.reason { continue }
        throw error
      }
      guard try lock.lockIfFree() else { return nil }
      // A lock that is in no folder any more guards nothing.
      guard try lock.isLinked else { continue }
      for name in try RunDirectory.entries(of: aside) where name != lockName {
        do {
          try FileManager.default.removeItem(atPath: "\(aside)/\(name)")
        } catch {
          throw RecordError(path: "\(aside)/\(name)", call: "unlink", code: EIO)
        }
      }
      return ClaimedRun(aside: aside, destination: destination, lock: lock)
    }
  }

  /// Puts the run into its place.
  public func publish() throws(RecordError) {
    guard rename(directory.path, destination) == 0 else {
      throw RecordError(path: destination, call: "rename", code: errno)
    }
    unlink("\(destination)/\(Self.lockName)")
    try AtomicFile.syncFolder(AtomicFile.folder(of: destination))
  }

  /// Makes the folder aside again, if it was removed because the run could not start.
  ///
  /// - Returns: whether it is there, for this process.
  /// - Throws: `RecordError` when it cannot be made.
  public func restore() throws(RecordError) -> Bool {
    if mkdir(directory.path, 0o777) == 0 { return true }
    guard errno == EEXIST else {
      throw RecordError(path: directory.path, call: "mkdir", code: errno)
    }
    // Without its name the lock is lost, and the folder that of another process.
    return try lock.isLinked
  }

  /// Removes the run, so that it can be claimed again.
  public func discard() throws(RecordError) { try directory.discard() }
}

extension RunDirectory {
  /// Claims a run inside this one, to write it aside.
  ///
  /// - Parameter inner: its place, from here on.
  /// - Returns: the run; nil if it stands already, or if another process has it.
  /// - Throws: `RecordError` when the folder cannot be made.
  public func claimInner(at inner: String) throws(RecordError) -> ClaimedRun? {
    try ClaimedRun.claim("\(path)/\(inner)")
  }

  /// The run that stands inside at a place; nil if there is none.
  ///
  /// - Parameter inner: its place, from here on.
  public func inner(at inner: String) -> RunDirectory? {
    let run = RunDirectory(at: "\(path)/\(inner)")
    return run.has(.manifest) ? run : nil
  }

  /// Removes a run that stands inside.
  ///
  /// - Parameter inner: its place, from here on.
  /// - Throws: `RecordError` when it cannot be removed.
  public func removeInner(at inner: String) throws(RecordError) {
    try RunDirectory(path: "\(path)/\(inner)", created: ["\(path)/\(inner)"]).discard()
  }
}
