// Reading back the CSV files of a run directory.

import Foundation
import Glibc

extension Table {
  /// Reads the CSV file at `path`.
  public init(contentsOf path: String) throws(RecordError) {
    try self.init(csv: OpenFile.contents(of: path), path: path)
  }

  /// Reads CSV text with a header line; `path` is named in errors.
  ///
  /// An unquoted cell is a number if it looks like one and empty if it is; a quoted cell is text.
  public init(csv bytes: [UInt8], path: String) throws(RecordError) {
    var scanner = CSVScanner(bytes: bytes, path: path)
    var names: [String] = []
    var isEnd = bytes.isEmpty
    while !isEnd {
      switch try scanner.field() {
      case .quoted(let name), .unquoted(let name): names.append(name)
      }
      isEnd = try scanner.endsRecord()
    }
    guard !names.isEmpty else { throw scanner.failure("no header line") }
    guard Set(names).count == names.count else {
      throw scanner.failure("a column name occurs twice in the header")
    }
    self.init(columns: names)
    var row: [Cell] = []
    while !scanner.isAtEnd {
      let line = scanner.line
      row.removeAll(keepingCapacity: true)
      repeat {
        switch try scanner.field() {
        case .quoted(let text): row.append(.text(text))
        case .unquoted(let text): row.append(Cell(unquoted: text))
        }
      } while try !scanner.endsRecord()
      guard row.count == names.count else {
        scanner.line = line
        throw scanner.failure("\(row.count) cells found under \(names.count) columns")
      }
      append(row)
    }
  }
}

extension Cell {
  /// The value of a cell that stands in a CSV file without quotes.
  init(unquoted text: String) {
    switch text {
    case "": self = .empty
    case "nan": self = .real(.nan)
    case "inf": self = .real(.infinity)
    case "-inf": self = .real(-.infinity)
    default:
      // Swift's parser would take hexadecimal and "infinity" too, which we never write.
      let isNumeric = text.utf8.allSatisfy {
        switch $0 {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"), UInt8(ascii: "-"),
          UInt8(ascii: "."), UInt8(ascii: "e"), UInt8(ascii: "E"):
          true
        default: false
        }
      }
      if isNumeric, let value = Int(text) {
        self = .integer(value)
      } else if isNumeric, let value = Double(text) {
        self = .real(value)
      } else {
        self = .text(text)
      }
    }
  }
}

/// Reads fields one after the other and counts lines.
private struct CSVScanner {
  enum Field {
    case quoted(String)
    case unquoted(String)
  }

  let bytes: [UInt8]
  let path: String
  var index: Int
  var line = 1

  init(bytes: [UInt8], path: String) {
    self.bytes = bytes
    self.path = path
    index = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
  }

  var isAtEnd: Bool { index >= bytes.count }

  func failure(_ found: String) -> RecordError {
    RecordError(
      path: path, reason: .malformed("line \(line): \(found)"),
      advice: "Was the file changed by another program? Run the experiment again.")
  }

  mutating func field() throws(RecordError) -> Field {
    if index < bytes.count, bytes[index] == .quote { return .quoted(try quoted()) }
    let start = index
    while index < bytes.count {
      let byte = bytes[index]
      if byte == .comma || byte == .lineFeed { break }
      if byte == .carriageReturn, index + 1 < bytes.count, bytes[index + 1] == .lineFeed { break }
      if byte == .quote { throw failure("a quotation mark inside a cell") }
      index += 1
    }
    return .unquoted(try text(bytes[start..<index]))
  }

  private mutating func quoted() throws(RecordError) -> String {
    var content: [UInt8] = []
    let first = line
    index += 1
    while index < bytes.count {
      let byte = bytes[index]
      index += 1
      if byte == .quote {
        guard index < bytes.count, bytes[index] == .quote else { return try text(content[...]) }
        index += 1
      }
      if byte == .lineFeed { line += 1 }
      content.append(byte)
    }
    line = first
    throw failure("a quoted cell does not end")
  }

  private func text(_ content: ArraySlice<UInt8>) throws(RecordError) -> String {
    guard let text = String(validating: content, as: UTF8.self) else {
      throw failure("bytes that are not UTF-8")
    }
    return text
  }

  /// Steps over a comma (false) or the end of the record (true).
  mutating func endsRecord() throws(RecordError) -> Bool {
    guard index < bytes.count else { return true }
    switch bytes[index] {
    case .comma:
      index += 1
      return false
    case .carriageReturn where index + 1 < bytes.count && bytes[index + 1] == .lineFeed:
      index += 2
    case .lineFeed: index += 1
    default: throw failure("text after the end of a quoted cell")
    }
    line += 1
    return true
  }
}
