import CNumerics.LAPACK

/// The eigenvalues of a symmetric matrix, ascending.
///
/// - Parameters:
///   - matrix: n × n values; only one triangle is read.
///   - order: n ≥ 1.
/// - Returns: n eigenvalues, or nil if a value is not finite or the iteration did not converge.
///
/// LAPACK's `dsyev`: reduction to tridiagonal form, then QL. Cost O(n³).
public func symmetricEigenvalues(of matrix: [Double], order: Int) -> [Double]? {
  guard OpenBLAS.isSingleThreaded else { return nil }
  precondition(order >= 1 && matrix.count == order * order, "the matrix is not n × n")
  guard matrix.allSatisfy(\.isFinite) else { return nil }
  var (jobs, triangle) = (CChar(UInt8(ascii: "N")), CChar(UInt8(ascii: "L")))
  var n = Int32(order)
  var size = Int32(max(3 * order - 1, 1))
  var status: Int32 = 0
  var copy = matrix
  var values = [Double](repeating: 0, count: order)
  var work = [Double](repeating: 0, count: Int(size))
  var leading = n
  unsafe dsyev_(&jobs, &triangle, &n, &copy, &leading, &values, &work, &size, &status)
  return status == 0 ? values : nil
}
