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

  /// A run inside the run of an experiment that has several.
  public struct Inner: Equatable, Sendable {
    /// Where it is, from the run around it on: `flows/000001/replicates/002`.
    public let path: String
    /// How it stands; nil where it cannot be read.
    public let state: RunStatus.State?
    /// What keeps it from being complete.
    public let problems: [String]
  }

  /// Where the run is.
  public let path: String
  /// What was computed, by what, on what, and how it ended.
  public let manifest: Manifest
  /// The runs inside, in order; none for an ordinary run.
  public let inner: [Inner]
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
    if manifest.status.state != .finished, CheckpointStore(self).isPresent {
      problems.append(
        "It can go on: gradflow run \(self.path(of: .experiment).shellWord) --out "
          + "\(path.shellWord) --resume")
    }
    for name in Self.required(by: manifest) where access("\(path)/\(name)", F_OK) != 0 {
      problems.append("\(name) is missing.")
    }
    if has(.experiment) {
      let digest = Digest.sha256(try OpenFile.contents(of: path(of: .experiment)))
      if digest != manifest.experimentSHA256 {
        problems.append("experiment.yaml is not the one the manifest names; it was changed.")
      }
    }
    let inner = manifest.flows == nil ? [] : try inspectInner()
    if let flows = manifest.flows, inner.count < flows.total {
      problems.append("\(flows.total - inner.count) of \(flows.total) runs are missing.")
    }
    let incomplete = inner.filter { !$0.problems.isEmpty }
    problems += incomplete.prefix(20).map { "\($0.path): " + $0.problems.joined(separator: " ") }
    if incomplete.count > 20 {
      problems.append("\(incomplete.count - 20) more of the runs inside are not complete.")
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
    return RunInspection(
      path: path, manifest: manifest, inner: inner, entries: entries, problems: problems)
  }

  /// The names of the files that a finished run with this manifest has in any case.
  private static func required(by manifest: Manifest) -> [String] {
    if let tables = manifest.tables {
      return [FileName.manifest, .experiment].map(\.description) + tables
    }
    return (manifest.flows == nil ? FileName.required : FileName.requiredAtTop)
      .map(\.description)
  }

  private func inspectInner() throws(RecordError) -> [RunInspection.Inner] {
    var runs: [RunInspection.Inner] = []
    for inner in try innerPaths() {
      do {
        let inspection = try RunDirectory.open(at: "\(path)/\(inner)").inspection()
        runs.append(
          RunInspection.Inner(
            path: inner, state: inspection.manifest.status.state, problems: inspection.problems))
      } catch {
        runs.append(
          RunInspection.Inner(path: inner, state: nil, problems: [error.description]))
      }
    }
    return runs
  }
}
