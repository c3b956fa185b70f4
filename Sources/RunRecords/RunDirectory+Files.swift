// Writing and reading the files of a run.

import Foundation
import Glibc

extension RunDirectory {
  /// Writes a table.
  public func write(_ table: Table, as name: FileName) throws(RecordError) {
    try table.write(to: path(of: name))
  }

  /// Writes a text, for example the resolved experiment or the final parameters.
  public func write(_ text: String, as name: FileName) throws(RecordError) {
    try AtomicFile.write(text, to: path(of: name))
  }

  /// Writes what a run begins with; if that fails, nothing of the run is left behind.
  ///
  /// - Parameters:
  ///   - experiment: the resolved experiment.
  ///   - manifest: that of a run that starts.
  /// - Throws: `RecordError` when one of the two cannot be written.
  public func begin(_ experiment: String, _ manifest: Manifest) throws(RecordError) {
    do {
      try write(experiment, as: .experiment)
      try write(manifest)
    } catch {
      if isNew { try? discard() }
      throw error
    }
  }

  /// Writes the manifest.
  public func write(_ manifest: Manifest) throws(RecordError) {
    try AtomicFile.write(manifest.json(), to: path(of: .manifest))
  }

  /// Writes arrays as an `.npz` file.
  public func write(_ arrays: [String: NumPyArray], as name: FileName) throws(RecordError) {
    try NumPyArchive.write(arrays, to: path(of: name))
  }

  /// Removes tables and final parameters, which a run that is resumed writes anew.
  public func removeResults() throws(RecordError) {
    for name in try Self.entries(of: path)
    where !name.hasPrefix(".") && (name.hasSuffix(".csv") || name == FileName.final.description) {
      guard unlink("\(path)/\(name)") == 0 || errno == ENOENT else {
        throw RecordError(path: "\(path)/\(name)", call: "unlink", code: errno)
      }
    }
  }

  /// Reads a table back.
  public func table(_ name: FileName) throws(RecordError) -> Table {
    try Table(contentsOf: path(of: name))
  }

  /// Reads a text back.
  public func text(_ name: FileName) throws(RecordError) -> String {
    let path = path(of: name)
    guard let text = String(validating: try OpenFile.contents(of: path), as: UTF8.self) else {
      throw RecordError(
        path: path, reason: .malformed("bytes that are not UTF-8"),
        advice: "Was the file changed by another program? Run the experiment again.")
    }
    return text
  }

  /// Reads the manifest back.
  public func manifest() throws(RecordError) -> Manifest {
    let path = path(of: .manifest)
    return try Manifest(json: OpenFile.contents(of: path, limit: 1 << 26), path: path)
  }
}
