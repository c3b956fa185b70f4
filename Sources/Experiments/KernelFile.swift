import DeclaredKeys
import Foundation
import MarkovChains
import RunRecords

/// Reads the kernel of one chain: text with one row per context, or a matrix in `.npy`.
///
/// d^n rows of d numbers, row Σ_k x_{t−r_k} d^{k−1} (from 0) holding the law of x_t: the token at
/// the smallest parent lag changes fastest, as in `NGramChain`.
struct KernelFile {
  /// How far the sum of a row may lie from 1.
  static let tolerance = 1e-9

  let path: String
  let vocabulary: Int
  let parents: [Int]
  /// Bytes that may be used; nil for no limit.
  let memoryLimit: Int?

  private var file: InputFile {
    InputFile(
      path: path, key: "data.kernel",
      allowed: "a text with one row per context, or an .npy matrix", content: "the kernel")
  }

  /// The chain, each row divided by its sum.
  func chain() throws(DocumentError) -> NGramChain {
    // A number of one digit and its separator become a Double, in two copies.
    try file.check(expansion: 8, memoryLimit: memoryLimit)
    let isMatrix = path.hasSuffix(".npy") || path.hasSuffix(".npz")
    let rows = isMatrix ? try matrix() : try text()
    return NGramChain(vocabulary: vocabulary, parents: parents, rows: rows)
  }

  /// The number of rows that the file must have, d^n.
  private var rowCount: Double {
    (0..<min(parents.count, 2000)).reduce(1) { product, _ in product * Double(vocabulary) }
  }

  private var shapeInWords: String {
    let rows = rowCount < 1e15 ? String(Int(rowCount)) : String(Float(rowCount))
    return "\(rows) rows of \(vocabulary) numbers, \(vocabulary)^\(parents.count) contexts"
  }

  private func text() throws(DocumentError) -> [Double] {
    var values: [Double] = []
    var rows = 0
    var number = 0
    let bytes = try file.bytes()
    for line in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
      number += 1
      var row: [Double] = []
      for field in Self.fields(of: line) {
        let place = Place.position(file: path, line: number, column: field.column)
        guard let value = Double(field.text), Self.isPlain(field.text) else {
          throw file.problem(
            .notAllowed, at: place, found: "'\(field.text.prefix(40))' in row \(rows) (from 0)",
            allowed: "numbers separated by spaces, tabs or commas, and comments after #",
            advice: "correct the file")
        }
        try check(value, row: rows, column: row.count, at: place)
        row.append(value)
      }
      if row.isEmpty { continue }
      let place = Place.position(file: path, line: number, column: 1)
      guard row.count == vocabulary else {
        throw file.problem(
          .notAllowed, at: place, found: "\(row.count) numbers in row \(rows) (from 0)",
          allowed: shapeInWords, advice: "correct the file, or data.vocabulary")
      }
      values += try normalised(row[...], row: rows, at: place)
      rows += 1
    }
    try checkRows(rows)
    return values
  }

  private func matrix() throws(DocumentError) -> [Double] {
    let matrix: NumPyRealMatrix
    do {
      matrix = try NumPyRealMatrix(contentsOf: path)
    } catch {
      throw file.problem(error, allowed: "a matrix of \(shapeInWords)")
    }
    guard matrix.columns == vocabulary else {
      throw file.problem(
        .notAllowed, at: .file(path), found: "rows of \(matrix.columns) numbers",
        allowed: shapeInWords, advice: "correct the file, or data.vocabulary")
    }
    try checkRows(matrix.rows)
    var values: [Double] = []
    for row in 0..<matrix.rows {
      let numbers = matrix.values[row * vocabulary..<(row + 1) * vocabulary]
      for (column, value) in numbers.enumerated() {
        try check(value, row: row, column: column, at: .file(path))
      }
      values += try normalised(numbers, row: row, at: .file(path))
    }
    return values
  }

  // MARK: - Checks

  private func check(
    _ value: Double, row: Int, column: Int, at place: Place
  ) throws(DocumentError) {
    if value.isFinite && value >= 0 { return }
    throw file.problem(
      .notAllowed, at: place, found: "\(value) in row \(row), column \(column) (from 0)",
      allowed: "probabilities, which are finite and not negative", advice: "correct the file")
  }

  private func checkRows(_ rows: Int) throws(DocumentError) {
    if Double(rows) == rowCount { return }
    throw file.problem(
      .notAllowed, at: .file(path), found: "\(rows) rows",
      allowed: "\(shapeInWords) of the \(parents.count) parents",
      advice: "correct the file, data.vocabulary or data.parents")
  }

  /// A row divided by its sum, which is 1 up to the tolerance.
  private func normalised(
    _ numbers: ArraySlice<Double>, row: Int, at place: Place
  ) throws(DocumentError) -> [Double] {
    let sum = numbers.reduce(0, +)
    guard abs(sum - 1) < Self.tolerance else {
      throw file.problem(
        .notAllowed, at: place, found: "row \(row) (from 0) with the sum \(sum)",
        allowed: "rows that sum to 1 within \(Self.tolerance)",
        advice: "correct the row, or write more digits")
    }
    return numbers.map { $0 / sum }
  }

  // MARK: - Text

  /// The fields of a line before its comment, with their columns from 1.
  private static func fields(of line: Data) -> [(text: String, column: Int)] {
    var fields: [(text: String, column: Int)] = []
    var bytes: [UInt8] = []
    var start = 0
    func finish(_ bytes: inout [UInt8]) {
      if !bytes.isEmpty { fields.append((String(decoding: bytes, as: UTF8.self), start)) }
      bytes = []
    }
    for (index, byte) in line.enumerated() {
      switch byte {
      case UInt8(ascii: "#"):
        finish(&bytes)
        return fields
      case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: ","), UInt8(ascii: "\r"):
        finish(&bytes)
      default:
        if bytes.isEmpty { start = index + 1 }
        bytes.append(byte)
      }
    }
    finish(&bytes)
    return fields
  }

  /// Whether the text is a decimal number, or a spelling of infinity or NaN, which are refused
  /// by their value; Swift's parser would take hexadecimal numbers, too.
  private static func isPlain(_ text: String) -> Bool { !text.contains { $0 == "x" || $0 == "X" } }
}
