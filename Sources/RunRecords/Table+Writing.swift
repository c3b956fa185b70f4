// Tables as CSV: RFC 4180, with LF line ends and numbers that read back to the same Double.

extension Table {
  /// The table as CSV text in UTF-8.
  ///
  /// A Double is the shortest text that reads back to it and always has a point, an exponent or is
  /// `nan`, `inf`, `-inf`; text that looks like a number is quoted. So each cell reads back as what
  /// it was.
  public func csv() -> [UInt8] {
    var bytes: [UInt8] = []
    appendHeader(to: &bytes)
    appendRows(0..<rowCount, to: &bytes)
    return bytes
  }

  /// Writes the table as CSV to `path`, whole or not at all.
  public func write(to path: String) throws(RecordError) {
    var file = try AtomicFile(path: path)
    var bytes: [UInt8] = []
    appendHeader(to: &bytes)
    // In portions: the text of a wide trajectory is several times its numbers.
    let portion = max(1, 20_000 / columns.count)
    var first = 0
    while first < rowCount {
      let next = min(first + portion, rowCount)
      appendRows(first..<next, to: &bytes)
      try file.write(bytes)
      bytes.removeAll(keepingCapacity: true)
      first = next
    }
    try file.write(bytes)
    try file.commit()
  }

  func appendHeader(to bytes: inout [UInt8]) {
    for (index, name) in columns.enumerated() {
      if index > 0 { bytes.append(.comma) }
      Cell.append(text: name, quoted: Cell.hasSpecialBytes(name) || name.isEmpty, to: &bytes)
    }
    bytes.append(.lineFeed)
  }

  func appendRows(_ rows: Range<Int>, to bytes: inout [UInt8]) {
    let width = columns.count
    for row in rows {
      for index in row * width..<(row + 1) * width {
        cells[index].append(to: &bytes)
        bytes.append(.comma)
      }
      bytes[bytes.count - 1] = .lineFeed
    }
  }
}

extension UInt8 {
  static let comma = UInt8(ascii: ",")
  static let quote = UInt8(ascii: "\"")
  static let lineFeed = UInt8(ascii: "\n")
  static let carriageReturn = UInt8(ascii: "\r")
}

extension Cell {
  fileprivate func append(to bytes: inout [UInt8]) {
    switch self {
    case .real(let value):
      // Swift would spell a NaN's sign and payload.
      if value.isNaN {
        bytes.append(contentsOf: "nan".utf8)
      } else {
        bytes.append(contentsOf: value.description.utf8)
      }
    case .integer(let value): bytes.append(contentsOf: value.description.utf8)
    case .text(let text):
      let quoted = Cell.hasSpecialBytes(text) || Cell(unquoted: text) != .text(text)
      Cell.append(text: text, quoted: quoted, to: &bytes)
    case .empty: break
    }
  }

  fileprivate static func append(text: String, quoted: Bool, to bytes: inout [UInt8]) {
    guard quoted else {
      bytes.append(contentsOf: text.utf8)
      return
    }
    bytes.append(.quote)
    for byte in text.utf8 {
      if byte == .quote { bytes.append(.quote) }
      bytes.append(byte)
    }
    bytes.append(.quote)
  }

  /// Whether the text cannot stand in a CSV file without quotes, or not safely.
  fileprivate static func hasSpecialBytes(_ text: String) -> Bool {
    text.utf8.contains {
      $0 == .comma || $0 == .quote || $0 == .lineFeed || $0 == .carriageReturn
    } || text.first == " " || text.last == " " || text.first == "\u{FEFF}"
  }
}
