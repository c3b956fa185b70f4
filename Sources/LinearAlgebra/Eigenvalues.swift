import CNumerics.LAPACK

/// An eigenvalue of a real matrix.
public struct Eigenvalue: Sendable, Equatable {
  /// The real part.
  public let real: Double
  /// The imaginary part; eigenvalues that are not real come in conjugate pairs.
  public let imaginary: Double

  /// The modulus |λ|.
  public var modulus: Double { (real * real + imaginary * imaginary).squareRoot() }
}

/// The eigenvalues of a real square matrix, in the order in which LAPACK finds them.
///
/// The error of an eigenvalue is about 10⁻¹⁶ ‖A‖ times its condition number. An eigenvalue with a
/// Jordan block of size k comes out as k values that are off by up to 10^{−16/k}.
///
/// - Parameters:
///   - matrix: n × n values, by rows or by columns: both have the same eigenvalues.
///   - order: n ≥ 1.
/// - Returns: n eigenvalues, or nil if a value is not finite or the iteration did not converge.
///
/// LAPACK's `dgeev`: balancing, reduction to Hessenberg form, then QR. Cost O(n³).
public func eigenvalues(of matrix: [Double], order: Int) -> [Eigenvalue]? {
  guard OpenBLAS.isSingleThreaded else { return nil }
  precondition(order >= 1 && matrix.count == order * order, "the matrix is not n × n")
  guard matrix.allSatisfy(\.isFinite) else { return nil }
  var (left, right) = (CChar(UInt8(ascii: "N")), CChar(UInt8(ascii: "N")))
  var n = Int32(order)
  var (leading, leftLeading, rightLeading) = (n, Int32(1), Int32(1))
  // 3 n is the least; blocked reduction likes some columns more.
  var size = Int32(40 * order)
  var status: Int32 = 0
  var copy = matrix
  var real = [Double](repeating: 0, count: order)
  var imaginary = real
  var work = [Double](repeating: 0, count: Int(size))
  unsafe dgeev_(
    &left, &right, &n, &copy, &leading, &real, &imaginary, nil, &leftLeading, nil, &rightLeading,
    &work, &size, &status)
  guard status == 0 else { return nil }
  return zip(real, imaginary).map { Eigenvalue(real: $0, imaginary: $1) }
}
