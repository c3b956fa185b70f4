// Runs inside a run: the replicates and flows of one experiment.

import Glibc

extension RunDirectory {
  /// Where something inside this run is, after a look at every folder on the way.
  ///
  /// A link would lead what is written, and what is removed, out of the run.
  ///
  /// - Parameter inner: its place, from here on.
  /// - Returns: the path.
  /// - Throws: `RecordError` when one of them is a symbolic link.
  func place(of inner: String) throws(RecordError) -> String {
    var place = path
    for part in inner.split(separator: "/") {
      place += "/\(part)"
      var status = stat()
      guard lstat(place, &status) == 0, status.st_mode & S_IFMT == S_IFLNK else { continue }
      throw RecordError(
        path: place,
        reason: .unfit("a symbolic link, and a run is only written below its own folder"),
        advice: "Remove the link; the whole run may be below another folder that is one.")
    }
    return place
  }

  /// Makes the folder of a run inside this one.
  ///
  /// Concurrent calls are allowed, also while an earlier inner run is discarded.
  ///
  /// - Parameters:
  ///   - folders: where it is, from here on: `["flows/000001", "replicates/001"]`.
  ///   - isResumed: whether it may stand already.
  /// - Returns: the run.
  /// - Throws: ``RecordError`` as ``create(at:)``.
  public func createInner(
    at folders: [String], resuming isResumed: Bool = false
  ) throws(RecordError) -> RunDirectory {
    let path = try place(of: folders.joined(separator: "/"))
    if isResumed, access(path, F_OK) == 0 { return try Self.resume(at: path) }
    var attempts = 100
    while true {
      do {
        return try Self.create(at: path)
      } catch {
        // A discarded run takes the folders above it away when they are empty, perhaps just now.
        attempts -= 1
        guard attempts > 0, case .systemCall(_, ENOENT) = error.reason else { throw error }
      }
    }
  }

  /// Writes `events.csv` from those of the runs inside.
  ///
  /// - Parameters:
  ///   - runs: for each run its flow and replicate, and where it is; one without an
  ///     `events.csv` adds nothing.
  ///   - replaces: whether the file may stand already.
  /// - Throws: `RecordError` when one of them is no such table, or the file cannot be written.
  public func collectEvents(
    of runs: [([Cell], String)], replacing replaces: Bool = false
  ) throws(RecordError) {
    let own = Table(events: []).columns
    let columns = ["flow", "replicate"] + own
    var file = try TableFile(
      creating: path(of: .events), columns: columns, replacing: replaces)
    for (leading, inner) in runs {
      let path = "\(path)/\(inner)/\(FileName.events)"
      guard access(path, F_OK) == 0 else { continue }
      let events = try Table(contentsOf: path)
      guard events.columns == own else {
        throw RecordError(
          path: path, reason: .malformed("other columns than \(own.joined(separator: ","))"),
          advice: "Was the file changed by another program? Run the experiment again.")
      }
      var table = Table(columns: columns)
      for row in 0..<events.rowCount { table.append(leading + events.row(row)) }
      try file.append(table)
    }
    try file.commit()
  }

  /// The runs inside, by their place from here on, in order; none for an ordinary run.
  package func innerPaths() throws(RecordError) -> [String] {
    var paths: [String] = []
    for group in ["flows", "replicates"] where access("\(path)/\(group)", F_OK) == 0 {
      for name in try Self.entries(of: "\(path)/\(group)") where !name.hasPrefix(".") {
        let inner = RunDirectory(at: "\(path)/\(group)/\(name)")
        let deeper = try inner.innerPaths()
        if !deeper.isEmpty {
          paths += deeper.map { "\(group)/\(name)/\($0)" }
        } else if access("\(inner.path)/replicates", F_OK) != 0 {
          // Otherwise its replicates are all still aside.
          paths.append("\(group)/\(name)")
        }
      }
    }
    return paths
  }
}
