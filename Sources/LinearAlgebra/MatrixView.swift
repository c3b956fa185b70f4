import CNumerics.LAPACK

/// A row-major matrix in somebody else's memory, or its transpose.
///
/// The memory must outlive the view.
@safe public struct MatrixView {
  /// The rows of the matrix as it is read, after transposition.
  public let rows: Int
  /// Its columns, after transposition.
  public let columns: Int
  let start: UnsafePointer<Double>
  let stride: Int
  let isTransposed: Bool

  /// A view of rows that lie `stride` values apart.
  ///
  /// - Parameters:
  ///   - start: the first value.
  ///   - rows: at least 0.
  ///   - columns: at least 0.
  ///   - stride: the distance between rows, at least `columns`; nil for `columns`.
  public init(_ start: UnsafePointer<Double>, rows: Int, columns: Int, stride: Int? = nil) {
    unsafe self.init(
      start: start, rows: rows, columns: columns, stride: stride ?? columns, isTransposed: false)
  }

  private init(
    start: UnsafePointer<Double>, rows: Int, columns: Int, stride: Int, isTransposed: Bool
  ) {
    precondition(
      rows >= 0 && columns >= 0 && stride >= (isTransposed ? rows : columns),
      "the rows of a matrix overlap")
    unsafe self.start = start
    self.rows = rows
    self.columns = columns
    self.stride = stride
    self.isTransposed = isTransposed
  }

  /// The transpose, a view of the same memory.
  public var transposed: MatrixView {
    unsafe MatrixView(
      start: start, rows: columns, columns: rows, stride: stride, isTransposed: !isTransposed)
  }
}

/// C ← factor · A B + keeping · C.
///
/// OpenBLAS's `dgemm` on the calling thread. C must not overlap A or B.
///
/// - Parameters:
///   - a: A, shape (m, k).
///   - b: B, shape (k, n).
///   - factor: scales the product.
///   - keeping: scales what C holds; with 0 it is overwritten and may hold anything.
///   - c: C, shape (m, n), row-major.
///   - stride: the distance between rows of C, at least n; nil for n.
public func multiply(
  _ a: MatrixView, _ b: MatrixView, factor: Double = 1, keeping: Double = 0,
  into c: UnsafeMutablePointer<Double>, stride: Int? = nil
) {
  precondition(a.columns == b.rows, "the matrices do not fit")
  let stride = stride ?? b.columns
  precondition(stride >= b.columns, "the rows of the product overlap")
  guard OpenBLAS.isSingleThreaded, a.rows > 0, b.columns > 0 else { return }
  // Row-major matrices are the transposes of column-major ones: Cᵀ = Bᵀ Aᵀ.
  var (left, right) = (
    CChar(UInt8(ascii: b.isTransposed ? "T" : "N")),
    CChar(UInt8(ascii: a.isTransposed ? "T" : "N"))
  )
  var (m, n, k) = (Int32(b.columns), Int32(a.rows), Int32(a.columns))
  var (alpha, beta) = (factor, keeping)
  var (leadingB, leadingA, leadingC) = (
    Int32(max(1, b.stride)), Int32(max(1, a.stride)), Int32(max(1, stride))
  )
  unsafe dgemm_(
    &left, &right, &m, &n, &k, &alpha, b.start, &leadingB, a.start, &leadingA, &beta, c, &leadingC)
}
