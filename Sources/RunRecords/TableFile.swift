// A table too long to hold: its rows go to the disk as they come.

/// A CSV file that is written row by row, and appears whole or not at all.
///
/// Until ``commit()`` the rows stand in a hidden file beside it, which goes with this value.
public struct TableFile: ~Copyable {
  private var file: AtomicFile
  private let columns: [String]

  /// Opens a file aside and writes the header line.
  ///
  /// - Parameters:
  ///   - path: the file.
  ///   - columns: the names, at least one, all different.
  ///   - replaces: whether a file may stand there already; it does so until the new one is committed.
  /// - Throws: `RecordError` when the file exists and may not, or its folder cannot be written to.
  public init(
    creating path: String, columns: [String], replacing replaces: Bool = false
  ) throws(RecordError) {
    if !replaces { try AtomicFile.refuseExisting(path) }
    var bytes: [UInt8] = []
    Table(columns: columns).appendHeader(to: &bytes)
    var file = try AtomicFile(path: path)
    try file.write(bytes)
    self.file = file
    self.columns = columns
  }

  /// Appends the rows of a table of the same columns.
  public mutating func append(_ table: Table) throws(RecordError) {
    precondition(table.columns == columns, "the table has other columns")
    var bytes: [UInt8] = []
    table.appendRows(0..<table.rowCount, to: &bytes)
    try file.write(bytes)
  }

  /// Appends a row, one cell per column.
  public mutating func append(_ row: [Cell]) throws(RecordError) {
    var table = Table(columns: columns)
    table.append(row)
    try append(table)
  }

  /// Makes the file appear under its name, on the disk.
  public consuming func commit() throws(RecordError) {
    try file.commit()
  }
}
