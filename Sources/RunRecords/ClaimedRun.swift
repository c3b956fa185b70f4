// A run inside a sweep that one process has for itself.

import Foundation
import Glibc

/// A run that is written aside and takes its place in one step, when it is whole.
///
/// The folder aside is locked while its process lives. Of what a killed process leaves there the next
/// one that claims the run keeps the checkpoints.
public final class ClaimedRun: Sendable {
  /// Where the run writes.
  public let directory: RunDirectory
  private let destination: String
  /// Held as long as this lives.
  private let lock: FolderLock

  private init(aside: String, destination: String, lock: FolderLock) {
    directory = RunDirectory(path: aside, created: [aside])
    self.destination = destination
    self.lock = lock
  }

  /// Claims a run.
  ///
  /// - Parameters:
  ///   - destination: where it will stand.
  ///   - replaces: whether what stands there is replaced, if it still does when the run is locked.
  /// - Returns: the run, with the checkpoints that an earlier claimer left; nil if it stands already, or if another
  ///   process has it.
  /// - Throws: `RecordError` when the folder cannot be made.
  static func claim(
    _ destination: String, replacing replaces: (RunDirectory) throws(RecordError) -> Bool
  ) throws(RecordError) -> ClaimedRun? {
    func isTaken() throws(RecordError) -> Bool {
      guard access(destination, F_OK) == 0 else { return false }
      return try !replaces(RunDirectory(at: destination))
    }
    let folder = AtomicFile.folder(of: destination)
    let aside = "\(folder)/.\(destination.dropFirst(folder.count + 1))"
    while true {
      if try isTaken() { return nil }
      _ = try RunDirectory.makeFolders(above: aside)
      if mkdir(aside, 0o777) != 0, errno != EEXIST {
        throw RecordError(path: aside, call: "mkdir", code: errno)
      }
      let lock: FolderLock
      switch try FolderLock.lock(aside) {
      case .locked(let own): lock = own
      case .taken: return nil
      // Another process has just put the folder into its place, or discarded it.
      case .gone: continue
      }
      let claimed = ClaimedRun(aside: aside, destination: destination, lock: lock)
      // It may have been published between the look above and the lock.
      if try isTaken() {
        try claimed.discard()
        return nil
      }
      let kept =
        [FolderLock.name, FileName.manifest.description]
        + CheckpointStore.names.map(\.description)
      for name in try RunDirectory.entries(of: aside) where !kept.contains(name) {
        try remove("\(aside)/\(name)")
      }
      return claimed
    }
  }

  /// Puts the run into its place; what stood there goes.
  public func publish() throws(RecordError) {
    let old = access(destination, F_OK) == 0 ? Self.hidden(beside: destination) : nil
    if let old, rename(destination, old) != 0 {
      throw RecordError(path: destination, call: "rename", code: errno)
    }
    guard rename(directory.path, destination) == 0 else {
      throw RecordError(path: destination, call: "rename", code: errno)
    }
    try AtomicFile.syncFolder(AtomicFile.folder(of: destination))
    if let old { try Self.remove(old) }
  }

  /// Leaves the run to be claimed again: with its checkpoints, if there are any.
  public func abandon() throws(RecordError) {
    if CheckpointStore(directory).isPresent { return }
    try discard()
  }

  /// Removes the run, so that it can be claimed again.
  public func discard() throws(RecordError) {
    // Moved away first, with its lock, so that nobody claims what is being removed.
    let hidden = Self.hidden(beside: destination)
    guard rename(directory.path, hidden) == 0 else {
      throw RecordError(path: directory.path, call: "rename", code: errno)
    }
    try Self.remove(hidden)
  }

  /// A new name for what is on its way out.
  private static func hidden(beside path: String) -> String {
    "\(AtomicFile.folder(of: path))/.gone-" + String(UInt64.random(in: .min ... .max), radix: 36)
  }

  private static func remove(_ path: String) throws(RecordError) {
    do {
      try FileManager.default.removeItem(atPath: path)
    } catch {
      throw RecordError(path: path, call: "unlink", code: EIO)
    }
  }
}

extension RunDirectory {
  /// Claims a run inside this one, to write it aside.
  ///
  /// - Parameters:
  ///   - inner: its place, from here on.
  ///   - replaces: whether a run that stands there is replaced; asked again once the place is locked.
  /// - Returns: the run; nil if it stands already, or if another process has it.
  /// - Throws: `RecordError` when the folder cannot be made.
  public func claimInner(
    at inner: String,
    replacing replaces: (RunDirectory) throws(RecordError) -> Bool = { _ throws(RecordError) in
      false
    }
  ) throws(RecordError) -> ClaimedRun? {
    let destination = try place(of: inner)
    let folder = AtomicFile.folder(of: inner)
    _ = try place(of: "\(folder)/.\(inner.dropFirst(folder.count + 1))")
    return try ClaimedRun.claim(destination, replacing: replaces)
  }

  /// The run that stands inside at a place; nil if there is none.
  ///
  /// - Parameter inner: its place, from here on.
  /// - Returns: the run, whole.
  /// - Throws: `RecordError` when something else stands there: a run appears there with its manifest or not at all.
  public func inner(at inner: String) throws(RecordError) -> RunDirectory? {
    let run = RunDirectory(at: try place(of: inner))
    if run.has(.manifest) { return run }
    guard access(run.path, F_OK) == 0 else { return nil }
    throw RecordError(
      path: run.path, reason: .notARun(missing: FileName.manifest.description),
      advice: "Remove it, and run it again.")
  }
}
