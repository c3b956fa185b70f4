// Arrays in NumPy's format .npy, version 1.0.

import Glibc

/// An array of numbers in C order (last index fastest), as NumPy stores it.
public struct NumPyArray: Equatable, Sendable {
  /// The numbers of an array, with their type.
  public enum Elements: Equatable, Sendable {
    /// Bytes, `|u1`.
    case uint8([UInt8])
    /// Whole numbers, `<i8`.
    case int64([Int64])
    /// Real numbers, `<f8`.
    case float64([Double])

    /// The number of elements.
    public var count: Int {
      switch self {
      case .uint8(let values): values.count
      case .int64(let values): values.count
      case .float64(let values): values.count
      }
    }

    fileprivate var descriptor: String {
      switch self {
      case .uint8: "|u1"
      case .int64: "<i8"
      case .float64: "<f8"
      }
    }
  }

  /// The extent of each index; empty for a single number.
  public let shape: [Int]
  /// The numbers.
  public let elements: Elements

  /// Creates an array.
  ///
  /// - Precondition: the number of elements is the product of the extents.
  public init(shape: [Int], elements: Elements) {
    precondition(
      shape.allSatisfy { $0 >= 0 } && shape.reduce(1, *) == elements.count,
      "\(elements.count) elements for shape \(shape)")
    self.shape = shape
    self.elements = elements
  }

  /// Writes the array to `path`, whole or not at all, without a second copy in memory.
  public func write(to path: String) throws(RecordError) {
    var file = try AtomicFile(path: path)
    try forEachPart { part throws(RecordError) in try file.write(raw: part) }
    try file.commit()
  }

  /// The bytes before the numbers: magic, version 1.0, length, description, padded to 64 bytes.
  package var header: [UInt8] {
    let extents = shape.map { "\($0)," }.joined(separator: " ")
    // Python writes (5,) for one extent but (2, 3) for more.
    let tuple = shape.count > 1 ? String(extents.dropLast()) : extents
    var text = "{'descr': '\(elements.descriptor)', 'fortran_order': False, 'shape': (\(tuple)), }"
    let unpadded = 10 + text.utf8.count + 1
    text += String(repeating: " ", count: (64 - unpadded % 64) % 64) + "\n"
    let length = text.utf8.count
    precondition(length <= 0xFFFF, "a shape of \(shape.count) extents is beyond version 1.0")
    return [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(length & 0xFF), UInt8(length >> 8)]
      + Array(text.utf8)
  }

  /// The size of the file.
  var byteCount: Int {
    switch elements {
    case .uint8(let values): header.count + values.count
    case .int64(let values): header.count + 8 * values.count
    case .float64(let values): header.count + 8 * values.count
    }
  }

  /// Lends the bytes of the file: first the header, then the numbers in place.
  func forEachPart<Failure: Error>(
    _ body: (RawSpan) throws(Failure) -> Void
  ) throws(Failure) {
    #if _endian(big)
      #error("the numbers of an array are lent as they stand, which must be little-endian")
    #endif
    try body(header.span.bytes)
    switch elements {
    case .uint8(let values): try body(values.span.bytes)
    case .int64(let values): try body(values.span.bytes)
    case .float64(let values): try body(values.span.bytes)
    }
  }
}
