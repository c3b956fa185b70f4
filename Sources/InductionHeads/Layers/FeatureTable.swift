import LinearAlgebra

/// One value for each feature and window, with its tangent, its adjoint and the tangent of its adjoint.
///
/// All have the shape (width, windows), with rows ``rowLength`` places apart of which those after the last window
/// are zero.
package final class FeatureTable {
  package let width: Int
  /// Number of windows.
  package let count: Int
  package let rowLength: Int
  package let value: Buffer
  package private(set) lazy var adjoint = Buffer(value.count)
  package private(set) lazy var tangent = Buffer(value.count)
  package private(set) lazy var adjointTangent = Buffer(value.count)
  /// Whether it depends on no parameter, so that its adjoint is nobody's concern.
  package let isConstant: Bool

  /// A table that a layer fills.
  package init(width: Int, count: Int) {
    self.width = width
    self.count = count
    rowLength = paddedToLanes(count)
    value = Buffer(width * rowLength)
    isConstant = false
  }

  /// The one-hot embeddings of the tokens 0…d − 1, and zero for the absent token d.
  package init(tokens vocabulary: Int) {
    width = vocabulary
    count = vocabulary + 1
    rowLength = paddedToLanes(count)
    value = Buffer(width * rowLength)
    isConstant = true
    for token in 0..<vocabulary { value.pointer[token * rowLength + token] = 1 }
  }

  /// The rows of a block as a matrix, shape (rows, windows).
  func matrix(_ part: KeyPath<FeatureTable, Buffer>, rows: Range<Int>? = nil) -> MatrixView {
    let rows = rows ?? 0..<width
    return MatrixView(
      self[keyPath: part].pointer + rows.lowerBound * rowLength, rows: rows.count, columns: count,
      stride: rowLength)
  }
}
