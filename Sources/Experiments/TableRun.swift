import RunRecords

/// What a run leaves that computes tables and integrates no flow of its own.
protocol TableReport {
  /// Whether the user stopped it, so that tables are missing.
  var isStopped: Bool { get set }
  /// How long it took, in seconds.
  var seconds: Double { get set }
  /// How exact it is.
  var checks: [LawCheck] { get }
}

extension RunDirectory {
  /// Computes a report and records it: manifest, resolved experiment, tables.
  ///
  /// - Parameters:
  ///   - resolved: the experiment.
  ///   - manifest: that of the run as it starts.
  ///   - isStopped: whether the run is to end; then no table is written.
  ///   - tables: those of a whole report.
  ///   - compute: makes the report.
  /// - Returns: the report.
  /// - Throws: `RecordError` when a file cannot be written, and what `compute` throws; the manifest then says so.
  func record<Report: TableReport>(
    _ resolved: String, _ manifest: Manifest, isStopped: () -> Bool,
    tables: (Report) -> [(name: FileName, table: Table)], _ compute: () throws -> Report
  ) throws -> Report {
    var manifest = manifest
    manifest.tables = []
    try begin(resolved, manifest)
    do {
      var report = try compute()
      report.isStopped = isStopped()
      if !report.isStopped {
        let tables = tables(report)
        for (name, table) in tables { try write(table, as: name) }
        manifest.tables = tables.map(\.name.description)
        manifest.laws = report.checks
      }
      let end = Timestamp.now()
      manifest.end = end
      manifest.status = report.isStopped ? .stopped : .finished
      report.seconds = end.seconds(since: manifest.start)
      // The manifest comes last: once it says finished, everything is there.
      try write(manifest)
      return report
    } catch {
      manifest.end = .now()
      manifest.status = .failed("\(error)")
      try? write(manifest)
      throw error
    }
  }
}
