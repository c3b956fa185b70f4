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
  symmetricSpectrum(of: matrix, order: order, withVectors: false)?.values
}

/// The eigenvalues of a symmetric matrix, ascending, with an orthonormal basis of eigenvectors.
///
/// - Parameters:
///   - matrix: n × n values; only one triangle is read.
///   - order: n ≥ 1.
/// - Returns: n eigenvalues, and n × n values of which row r is the eigenvector of eigenvalue r;
///   nil if a value is not finite or the iteration did not converge.
///
/// LAPACK's `dsyev`, as ``symmetricEigenvalues(of:order:)``.
public func symmetricEigenvectors(
  of matrix: [Double], order: Int
) -> (values: [Double], vectors: [Double])? {
  symmetricSpectrum(of: matrix, order: order, withVectors: true)
}

private func symmetricSpectrum(
  of matrix: [Double], order: Int, withVectors: Bool
) -> (values: [Double], vectors: [Double])? {
  guard OpenBLAS.isSingleThreaded else { return nil }
  precondition(order >= 1 && matrix.count == order * order, "the matrix is not n × n")
  guard matrix.allSatisfy(\.isFinite) else { return nil }
  var (jobs, triangle) = (
    CChar(UInt8(ascii: withVectors ? "V" : "N")), CChar(UInt8(ascii: "L"))
  )
  var n = Int32(order)
  var size = Int32(max(3 * order - 1, 1))
  var status: Int32 = 0
  // Column-major on return: an eigenvector stands in a row of ours.
  var copy = matrix
  var values = [Double](repeating: 0, count: order)
  var work = [Double](repeating: 0, count: Int(size))
  var leading = n
  unsafe dsyev_(&jobs, &triangle, &n, &copy, &leading, &values, &work, &size, &status)
  return status == 0 ? (values, copy) : nil
}
