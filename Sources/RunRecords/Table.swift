// A table: named columns, rows of typed cells.

/// One cell of a ``Table``.
public enum Cell: Equatable, Sendable {
  /// A real number; infinities and NaN are allowed.
  case real(Double)
  /// A whole number.
  case integer(Int)
  /// Text.
  case text(String)
  /// Nothing.
  case empty
}

/// Rows of cells under named columns: what a CSV file of a run directory holds.
public struct Table: Equatable, Sendable {
  /// What all cells of one column have in common.
  public enum ColumnKind: String, Sendable {
    /// Numbers of which at least one is real.
    case real
    /// Whole numbers only.
    case integer
    /// At least one text.
    case text
    /// No value at all.
    case empty
  }

  /// The names, all different.
  public let columns: [String]
  /// The number of rows.
  public private(set) var rowCount = 0
  /// All cells, shape (rowCount, columns.count), row after row.
  var cells: [Cell] = []

  /// Creates a table without rows.
  ///
  /// - Precondition: there is at least one column, and no name occurs twice.
  public init(columns: [String]) {
    precondition(!columns.isEmpty, "a table needs a column")
    precondition(Set(columns).count == columns.count, "a column name occurs twice")
    self.columns = columns
  }

  /// Appends a row.
  ///
  /// - Precondition: there is one cell per column.
  public mutating func append(_ row: [Cell]) {
    precondition(row.count == columns.count, "\(row.count) cells for \(columns.count) columns")
    cells.append(contentsOf: row)
    rowCount += 1
  }

  /// Appends a row of some leading cells and then numbers only: the shape of a trajectory.
  ///
  /// - Precondition: there is one value per column.
  public mutating func append(_ leading: [Cell], reals: [Double]) {
    let count = leading.count + reals.count
    precondition(count == columns.count, "\(count) cells for \(columns.count) columns")
    cells.append(contentsOf: leading)
    for value in reals { cells.append(.real(value)) }
    rowCount += 1
  }

  /// The cell in `row` and the column of index `column`.
  public subscript(row: Int, column: Int) -> Cell { cells[row * columns.count + column] }

  /// The cells of row `row`.
  public func row(_ row: Int) -> ArraySlice<Cell> {
    cells[row * columns.count..<(row + 1) * columns.count]
  }

  /// The cells of a column from top to bottom; nil if there is no such column.
  public func column(_ name: String) -> [Cell]? {
    guard let index = columns.firstIndex(of: name) else { return nil }
    return (0..<rowCount).map { self[$0, index] }
  }

  /// A column of numbers, with NaN for empty cells; nil if it is missing or holds text.
  public func reals(_ name: String) -> [Double]? {
    guard let cells = column(name) else { return nil }
    var values: [Double] = []
    values.reserveCapacity(cells.count)
    for cell in cells {
      switch cell {
      case .real(let value): values.append(value)
      case .integer(let value): values.append(Double(value))
      case .empty: values.append(.nan)
      case .text: return nil
      }
    }
    return values
  }

  /// A column of whole numbers; nil if it is missing or holds anything else.
  public func integers(_ name: String) -> [Int]? {
    guard let cells = column(name) else { return nil }
    var values: [Int] = []
    for case .integer(let value) in cells { values.append(value) }
    return values.count == cells.count ? values : nil
  }

  /// A column of texts, with "" for empty cells; nil if it is missing or holds numbers.
  public func texts(_ name: String) -> [String]? {
    guard let cells = column(name) else { return nil }
    var values: [String] = []
    for cell in cells {
      switch cell {
      case .text(let value): values.append(value)
      case .empty: values.append("")
      case .real, .integer: return nil
      }
    }
    return values
  }

  /// What the cells of a column have in common; nil if there is no such column.
  public func kind(of name: String) -> ColumnKind? {
    guard let cells = column(name) else { return nil }
    var kind = ColumnKind.empty
    for cell in cells {
      switch cell {
      case .text: return .text
      case .real: kind = .real
      case .integer: if kind == .empty { kind = .integer }
      case .empty: break
      }
    }
    return kind
  }
}
