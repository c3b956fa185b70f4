// Reading matrices of real numbers, such as kernels, from .npy files.

import Glibc

/// A matrix of Doubles read from an `.npy` file, in C order whatever order the file has.
public struct NumPyRealMatrix: Equatable, Sendable {
  /// The number of rows.
  public let rows: Int
  /// The number of columns.
  public let columns: Int
  /// The numbers, shape (rows, columns), row after row.
  public let values: [Double]

  /// Reads a two-dimensional little-endian array of type f8.
  ///
  /// - Parameter path: the file.
  /// - Throws: what is wrong with the file; numbers that are not finite are read as they are.
  public init(contentsOf path: String) throws(RecordError) {
    let file = try OpenFile(path: path, flags: O_RDONLY)
    let header = try NumPyHeader(reading: file)
    guard header.descriptor == "<f8" else {
      throw header.failure(
        "numbers of type '\(header.descriptor)' found",
        "Store them as little-endian doubles: numpy.save(file, matrix.astype('<f8')).")
    }
    let size = MemoryLayout<UInt64>.size
    let (rows, columns) = try header.matrixShape(of: file, elementSize: size)
    var values = [Double](repeating: 0, count: rows * columns)
    var index = 0
    while index < values.count {
      let bytes = try file.read(upTo: min(values.count - index, 1 << 17) * size)
      guard !bytes.isEmpty, bytes.count % size == 0 else {
        throw header.failure("the file ended early", "Another program changes it; try again.")
      }
      for offset in stride(from: 0, to: bytes.count, by: size) {
        let raw = bytes.span.bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self)
        let row = header.isFortranOrder ? index % rows : index / columns
        let column = header.isFortranOrder ? index / rows : index % columns
        values[row * columns + column] = Double(bitPattern: UInt64(littleEndian: raw))
        index += 1
      }
    }
    self.rows = rows
    self.columns = columns
    self.values = values
  }
}
