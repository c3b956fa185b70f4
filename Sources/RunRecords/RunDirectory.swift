// A run directory: the only place where a run writes.

import Foundation
import Glibc

/// The folder of one run, new or read back.
///
/// Creating it makes the folder, so that a place that cannot be written to is found before anything
/// is computed; ``discard()`` takes it away again when nothing was.
public struct RunDirectory: Sendable {
  /// Where the folder is.
  public let path: String
  /// The folders made for this run, outermost first; empty for a run that existed.
  private let created: [String]

  /// A folder that stands already, whatever it holds.
  init(at path: String) {
    self.path = path
    created = []
  }

  init(path: String, created: [String]) {
    self.path = path
    self.created = created
  }

  /// Whether the folder was made for this run.
  public var isNew: Bool { !created.isEmpty }

  /// Makes the folder of a new run, with the folders above it.
  ///
  /// An existing folder, empty or not, is refused: a run never mixes with another one.
  public static func create(at path: String) throws(RecordError) -> RunDirectory {
    let path = try normalized(path)
    var created = try makeFolders(above: path)
    guard mkdir(path, 0o777) == 0 else {
      let code = errno
      remove(folders: created)
      guard code != EEXIST else {
        throw RecordError(
          path: path, reason: .alreadyExists,
          advice:
            "choose a new folder, for nothing is written over a run. An interrupted run goes on with "
            + "gradflow run … --resume, a sweep with gradflow sweep run."
        )
      }
      throw RecordError(path: path, call: "mkdir", code: code)
    }
    created.append(path)
    return try ready(RunDirectory(path: path, created: created))
  }

  /// Makes a folder `0001-name` with the next free number in the folder `runs`.
  ///
  /// Concurrent calls, also of other processes, get different numbers: a number is held by making
  /// the folder `.0001`, which then takes its final name.
  public static func createNumbered(
    name: FileName, in runs: String = "runs"
  ) throws(RecordError) -> RunDirectory {
    let runs = try normalized(runs)
    var created = try makeFolders(above: runs + "/x")
    var number = (try takenNumbers(in: runs).max() ?? 0) + 1
    while true {
      let digits = String(number)
      let padded = String(repeating: "0", count: max(0, 4 - digits.count)) + digits
      let held = "\(runs)/.\(padded)"
      guard mkdir(held, 0o777) == 0 else {
        let code = errno
        if code == EEXIST {
          number += 1
          continue
        }
        remove(folders: created)
        throw RecordError(path: runs, call: "mkdir", code: code)
      }
      // The holder of a number may have finished between the look above and this mkdir.
      guard try !takenNumbers(in: runs).contains(number) else {
        rmdir(held)
        number += 1
        continue
      }
      let path = "\(runs)/\(padded)-\(name)"
      guard rename(held, path) == 0 else {
        let code = errno
        rmdir(held)
        remove(folders: created)
        throw RecordError(path: path, call: "rename", code: code)
      }
      created.append(path)
      return try ready(RunDirectory(path: path, created: created))
    }
  }

  /// Opens the folder of an earlier run, which must hold a manifest.
  public static func open(at path: String) throws(RecordError) -> RunDirectory {
    let path = try normalized(path)
    var status = stat()
    guard stat(path, &status) == 0 else {
      throw RecordError(path: path, call: "stat", code: errno)
    }
    guard status.st_mode & S_IFMT == S_IFDIR else {
      throw RecordError(path: path, call: "stat", code: ENOTDIR)
    }
    let run = RunDirectory(path: path, created: [])
    guard run.has(.manifest) else {
      throw RecordError(
        path: path, reason: .notARun(missing: FileName.manifest.description),
        advice: "Give the folder that `gradflow run` named in its summary.")
    }
    return run
  }

  /// Opens the folder of a run that was interrupted, at whatever moment, or makes that of a new one.
  ///
  /// - Parameter path: the folder of a run, or of one that was killed before it wrote its manifest, or a new one.
  /// - Returns: the run.
  /// - Throws: `RecordError` when the folder holds something else.
  public static func resume(at path: String) throws(RecordError) -> RunDirectory {
    let path = try normalized(path)
    guard access(path, F_OK) == 0 else { return try create(at: path) }
    let run = RunDirectory(at: path)
    // A killed process may have got no further than this; without its lock, the file is somebody's own.
    let isBegun = access("\(path)/\(FolderLock.name)", F_OK) == 0
    let others = try entries(of: path).filter {
      !$0.hasPrefix(".") && !(isBegun && $0 == FileName.experiment.description)
    }
    guard run.has(.manifest) || others.isEmpty else {
      throw RecordError(
        path: path, reason: .notARun(missing: FileName.manifest.description),
        advice: "Give the folder of the run that was interrupted, or a new one.")
    }
    return run
  }

  /// Removes the files that a killed process was writing.
  ///
  /// - Precondition: the run is locked.
  func removeUnfinished() throws(RecordError) {
    for name in try Self.entries(of: path) where AtomicFile.isAside(name) {
      guard unlink("\(path)/\(name)") == 0 || errno == ENOENT else {
        throw RecordError(path: "\(path)/\(name)", call: "unlink", code: errno)
      }
    }
  }

  /// Removes what this value created: the folder with all in it, and folders above it left empty.
  ///
  /// For a run that failed before anything was computed.
  ///
  /// - Precondition: the run was created, not opened.
  public func discard() throws(RecordError) {
    guard let own = created.last else {
      preconditionFailure("only a run that was created here can be discarded")
    }
    do {
      try FileManager.default.removeItem(atPath: own)
    } catch {
      let underlying = (error as NSError).userInfo[NSUnderlyingErrorKey] as? NSError
      throw RecordError(path: own, call: "unlink", code: Int32(underlying?.code ?? Int(EIO)))
    }
    Self.remove(folders: created.dropLast())
  }

  /// The path of a file of this run.
  public func path(of name: FileName) -> String { "\(path)/\(name)" }

  /// Whether this run has a file of that name.
  public func has(_ name: FileName) -> Bool { access(path(of: name), F_OK) == 0 }

  // MARK: - Folders

  /// Refuses what no folder can be called, and drops a slash at the end.
  private static func normalized(_ path: String) throws(RecordError) -> String {
    var path = path
    while path.utf8.count > 1, path.hasSuffix("/") { path.removeLast() }
    guard !path.isEmpty, !path.utf8.contains(0) else {
      throw RecordError(
        path: path, reason: .invalidName, advice: "Give the path of a folder.")
    }
    return path
  }

  /// Makes the missing folders above `path`; gives those it made, outermost first.
  static func makeFolders(above path: String) throws(RecordError) -> [String] {
    var missing: [String] = []
    var folder = AtomicFile.folder(of: path)
    while access(folder, F_OK) != 0, errno == ENOENT {
      missing.append(folder)
      folder = AtomicFile.folder(of: folder)
    }
    var created: [String] = []
    for folder in missing.reversed() {
      if mkdir(folder, 0o777) == 0 {
        created.append(folder)
      } else if errno != EEXIST {
        let code = errno
        remove(folders: created)
        throw RecordError(path: folder, call: "mkdir", code: code)
      }
    }
    return created
  }

  /// Removes folders as far as they are empty, innermost first.
  private static func remove(folders: some BidirectionalCollection<String>) {
    for folder in folders.reversed() { rmdir(folder) }
  }

  /// Checks that a new folder is durable and takes files.
  private static func ready(_ run: RunDirectory) throws(RecordError) -> RunDirectory {
    do {
      try AtomicFile.syncFolder(AtomicFile.folder(of: run.path))
      // Opening a file aside fails where nothing can be written; it removes itself.
      _ = try AtomicFile(path: run.path(of: .manifest))
    } catch {
      remove(folders: run.created)
      throw error
    }
    return run
  }

  /// The numbers at the start of the names in a folder.
  private static func takenNumbers(in folder: String) throws(RecordError) -> Set<Int> {
    Set(
      try entries(of: folder).compactMap { name in
        let digits = name.prefix { $0.isASCII && $0.isNumber }
        // What only looks like a number of ours, so long that counting on would overflow, is none.
        guard digits.count < 10, name.dropFirst(digits.count).first == "-" else { return nil }
        return Int(digits)
      })
  }

  /// The names in a folder, sorted; hidden ones too.
  package static func entries(of folder: String) throws(RecordError) -> [String] {
    guard let stream = opendir(folder) else {
      throw RecordError(path: folder, call: "opendir", code: errno)
    }
    defer { closedir(stream) }
    var names: [String] = []
    while let entry = readdir(stream) {
      // The name's declared length is a bound of the C type, not of the memory: go by the pointer.
      let offset = MemoryLayout<dirent>.offset(of: \.d_name) ?? 0
      let start = UnsafeRawPointer(entry).advanced(by: offset)
      names.append(String(cString: start.assumingMemoryBound(to: CChar.self)))
    }
    return names.filter { $0 != "." && $0 != ".." }.sorted()
  }
}
