// What a run directory holds, and whether it is complete.

import Foundation
import Glibc

/// The state of a run directory, for `gradflow inspect`.
public struct RunInspection: Sendable {
  /// One file or folder of the run.
  public struct Entry: Equatable, Sendable {
    /// The name.
    public let name: String
    /// The size; nil for a folder.
    public let byteCount: Int?
    /// For a readable table, its number of rows.
    public let rowCount: Int?
    /// For a readable table, its number of columns.
    public let columnCount: Int?
  }

  /// Where the run is.
  public let path: String
  /// What was computed, by what, on what, and how it ended.
  public let manifest: Manifest
  /// The files and folders, by name; files still being written are left out.
  public let entries: [Entry]
  /// One sentence for each thing that keeps the run from being complete; empty if it is.
  public let problems: [String]

  /// Whether the run finished, has all its files, and these are readable and belong together.
  public var isComplete: Bool { problems.isEmpty }
}

extension RunDirectory {
  /// Looks at every file of the run.
  ///
  /// Only a folder without a readable manifest is an error; all else is told in `problems`.
  public func inspection() throws(RecordError) -> RunInspection {
    let manifest = try manifest()
    var problems: [String] = []
    if manifest.status.state == .running {
      problems.append("The run still runs, or was killed before its end.")
    } else if manifest.status.state != .finished {
      let message = manifest.status.message.map { ": " + $0 } ?? "."
      problems.append("The run is \(manifest.status.state.rawValue)\(message)")
    }
    for name in FileName.required where !has(name) {
      problems.append("\(name) is missing.")
    }
    if has(.experiment) {
      let digest = Digest.sha256(try OpenFile.contents(of: path(of: .experiment)))
      if digest != manifest.experimentSHA256 {
        problems.append("experiment.yaml is not the one the manifest names; it was changed.")
      }
    }
    var entries: [RunInspection.Entry] = []
    for name in try Self.entries(of: path) where !name.hasPrefix(".") {
      var status = stat()
      // A file may go between the listing and the look.
      guard stat("\(path)/\(name)", &status) == 0 else { continue }
      let isFolder = status.st_mode & S_IFMT == S_IFDIR
      var table: Table?
      if !isFolder, name.hasSuffix(".csv") {
        do {
          let bytes = try OpenFile.contents(of: "\(path)/\(name)")
          table = try Table(csv: bytes, path: "\(path)/\(name)")
          if bytes.last != UInt8(ascii: "\n") {
            problems.append("\(name) ends in the middle of a line; it was cut short.")
          }
        } catch {
          problems.append(error.description)
        }
      }
      entries.append(
        RunInspection.Entry(
          name: name, byteCount: isFolder ? nil : Int(status.st_size), rowCount: table?.rowCount,
          columnCount: table?.columns.count))
    }
    return RunInspection(path: path, manifest: manifest, entries: entries, problems: problems)
  }
}
