// A folder that one process has for itself.

import Glibc

/// A lock on a folder, held while its process lives: the file `.lock` in it.
///
/// The file goes with the lock; that of a killed process stays, and locks nothing.
public final class FolderLock: Sendable {
  /// The name of the file.
  static let name = ".lock"

  private let path: String
  private let file: OpenFile

  private init(path: String, file: consuming OpenFile) {
    self.path = path
    self.file = file
  }

  deinit {
    // Where the folder was moved meanwhile, another one's file may stand at the path.
    if file.isFile(at: path) { unlink(path) }
  }

  /// What came of the try to lock a folder.
  enum Outcome {
    case locked(FolderLock)
    /// Another process has it.
    case taken
    /// The folder was removed or moved just now.
    case gone
  }

  /// Locks a folder, if no other process has it.
  ///
  /// - Parameter folder: the folder.
  /// - Returns: what came of it.
  /// - Throws: `RecordError` when the file cannot be made.
  static func lock(_ folder: String) throws(RecordError) -> Outcome {
    let path = "\(folder)/\(name)"
    let wasThere = access(path, F_OK) == 0
    let file: OpenFile
    do {
      file = try OpenFile(path: path, flags: O_RDWR | O_CREAT | O_NOFOLLOW)
    } catch {
      if case .systemCall(_, ENOENT) = error.reason { return .gone }
      throw error
    }
    do {
      guard try file.lockIfFree() else { return .taken }
    } catch {
      // Another process may have it.
      if !wasThere { unlink(path) }
      throw error
    }
    // A lock that stands elsewhere by now guards nothing here.
    guard file.isFile(at: path) else { return .gone }
    return .locked(FolderLock(path: path, file: file))
  }
}

extension RunDirectory {
  /// Removes what a run that is whole has no use for: its checkpoints, and the lock of a process that was killed just
  /// after it had put the run into its place.
  ///
  /// - Parameter inner: the place of the run, from here on.
  /// - Throws: `RecordError` when a checkpoint cannot be removed.
  public func settle(inner: String) throws(RecordError) {
    let place = try place(of: inner)
    unlink("\(place)/\(FolderLock.name)")
    try CheckpointStore(RunDirectory(at: place)).remove()
  }

  /// Takes the run for this process, and removes what a killed one was writing.
  ///
  /// - Returns: the lock; the run is free again when it goes.
  /// - Throws: `RecordError` when another process has it.
  public func lock() throws(RecordError) -> FolderLock {
    for _ in 0..<100 {
      let outcome: FolderLock.Outcome
      do {
        outcome = try FolderLock.lock(path)
      } catch {
        if isNew { try? discard() }
        throw error.asRefusal
      }
      switch outcome {
      case .locked(let lock):
        try removeUnfinished()
        return lock
      case .gone: continue
      case .taken: break
      }
      break
    }
    throw RecordError(
      path: path, reason: .inUse,
      advice: "Wait until that one has ended, or choose another folder.")
  }
}
