// Reading matrices of whole numbers, such as tokens, from .npy files.

import Foundation
import Glibc

/// A matrix of whole numbers read from an `.npy` file, in C order whatever order the file has.
public struct NumPyMatrix<Element: FixedWidthInteger & Sendable>: Equatable, Sendable {
  /// The number of rows.
  public let rows: Int
  /// The number of columns.
  public let columns: Int
  /// The numbers, shape (rows, columns), row after row.
  public let values: [Element]

  /// Reads a two-dimensional little-endian array of type u1, u2, i2, u4, i4, u8 or i8.
  ///
  /// The file is read in portions; only the result is held in memory. A number that `Element`
  /// cannot hold is an error that names its place.
  public init(contentsOf path: String) throws(RecordError) {
    let file = try OpenFile(path: path, flags: O_RDONLY)
    let header = try NumPyHeader(reading: file)
    switch header.descriptor {
    case "|u1", "<u1": try self.init(file, header, as: UInt8.self)
    case "<u2": try self.init(file, header, as: UInt16.self)
    case "<i2": try self.init(file, header, as: Int16.self)
    case "<u4": try self.init(file, header, as: UInt32.self)
    case "<i4": try self.init(file, header, as: Int32.self)
    case "<u8": try self.init(file, header, as: UInt64.self)
    case "<i8": try self.init(file, header, as: Int64.self)
    default:
      throw header.failure(
        "numbers of type '\(header.descriptor)' found",
        "Store tokens as little-endian integers: numpy.save(file, tokens.astype('<i4')).")
    }
  }

  private init<Stored: FixedWidthInteger & BitwiseCopyable>(
    _ file: borrowing OpenFile, _ header: NumPyHeader, as type: Stored.Type
  ) throws(RecordError) {
    let size = MemoryLayout<Stored>.size
    let (rows, columns) = try header.matrixShape(of: file, elementSize: size)
    let count = rows * columns
    var values = [Element](repeating: 0, count: count)
    var index = 0
    while index < count {
      let bytes = try file.read(upTo: min(count - index, 1 << 17) * size)
      guard !bytes.isEmpty, bytes.count % size == 0 else {
        throw header.failure("the file ended early", "Another program changes it; try again.")
      }
      for offset in stride(from: 0, to: bytes.count, by: size) {
        let raw = bytes.span.bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: Stored.self)
        let stored = Stored(littleEndian: raw)
        let row = header.isFortranOrder ? index % rows : index / columns
        let column = header.isFortranOrder ? index / rows : index % columns
        guard let value = Element(exactly: stored) else {
          throw header.failure(
            "\(stored) found in row \(row), column \(column) (from 0)",
            "Correct the number, it lies outside \(Element.min)…\(Element.max).")
        }
        values[row * columns + column] = value
        index += 1
      }
    }
    self.rows = rows
    self.columns = columns
    self.values = values
  }
}

/// The description at the start of an `.npy` file.
struct NumPyHeader {
  let path: String
  let descriptor: String
  let isFortranOrder: Bool
  let shape: [Int]
  /// The bytes before the numbers.
  let byteCount: Int

  init(reading file: borrowing OpenFile) throws(RecordError) {
    let path = file.path
    let fixed = try file.read(upTo: 8)
    guard fixed.starts(with: [0x93] + Array("NUMPY".utf8)) else {
      throw Self.failure(
        path, "no .npy file, it starts with the bytes \(fixed.prefix(6))",
        "Write it with numpy.save; for .npz archives, store the array alone.")
    }
    guard fixed.count == 8, (1...3).contains(fixed[6]) else {
      throw Self.failure(
        path, "version \(fixed.dropFirst(6)) of the format .npy", "Write it with numpy.save.")
    }
    let lengthBytes = try file.read(upTo: fixed[6] == 1 ? 2 : 4)
    let length = lengthBytes.reversed().reduce(0) { $0 << 8 | Int($1) }
    let bytes = try file.read(upTo: min(length, 1 << 20))
    guard lengthBytes.count == (fixed[6] == 1 ? 2 : 4), bytes.count == length else {
      throw Self.failure(
        path, "the header ends early", "The file is truncated; write or copy it again.")
    }
    // {'descr': '<i8', 'fortran_order': False, 'shape': (2, 3), }
    let text = String(decoding: bytes, as: UTF8.self)
    let descriptor = text.firstMatch(of: /'descr':\s*'([^']*)'/).map { String($0.output.1) }
    let order = text.firstMatch(of: /'fortran_order':\s*(True|False)/)
    let tuple = text.firstMatch(of: /'shape':\s*\(([0-9, ]*)\)/)
    let extents = tuple?.output.1.split(whereSeparator: { $0 == "," || $0 == " " })
    let shape = extents?.compactMap { Int($0) }
    guard let descriptor, let order, let shape, shape.count == extents?.count else {
      throw Self.failure(
        path, "the header \(text.trimmingCharacters(in: .whitespacesAndNewlines))",
        "Only arrays of plain numbers can be read.")
    }
    self.path = path
    self.descriptor = descriptor
    self.isFortranOrder = order.output.1 == "True"
    self.shape = shape
    byteCount = 8 + lengthBytes.count + length
  }

  /// Rows and columns of a matrix whose numbers fill the rest of the file.
  func matrixShape(
    of file: borrowing OpenFile, elementSize size: Int
  ) throws(RecordError) -> (rows: Int, columns: Int) {
    guard shape.count == 2 else {
      throw failure(
        "shape \(shape) found, with \(shape.count) extents",
        "Store a matrix with one row per sequence.")
    }
    let (rows, columns) = (shape[0], shape[1])
    let (count, isTooMany) = rows.multipliedReportingOverflow(by: columns)
    let (bytes, isTooLong) = count.multipliedReportingOverflow(by: size)
    // Checked before anything is allocated: a damaged header may claim any shape.
    let present = try file.byteCount() - byteCount
    guard !isTooMany, !isTooLong, bytes <= present else {
      throw failure(
        "shape \(shape) found, but only \(present) bytes of numbers",
        "The file is truncated; write or copy it again.")
    }
    guard bytes == present else {
      throw failure(
        "shape \(shape) found, but \(present) bytes of numbers",
        "The file holds more than one array; store one alone.")
    }
    return (rows, columns)
  }

  func failure(_ found: String, _ advice: String) -> RecordError {
    Self.failure(path, found, advice)
  }

  private static func failure(_ path: String, _ found: String, _ advice: String) -> RecordError {
    RecordError(path: path, reason: .malformed(found), advice: advice)
  }
}
