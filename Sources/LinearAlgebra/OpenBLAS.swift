import CNumerics.LAPACK

/// What the linked BLAS and LAPACK library says of itself.
public enum OpenBLAS {
  /// Version and build options.
  public static var configuration: String { unsafe String(cString: openblas_get_config()) }

  /// The processor family whose kernels it chose.
  public static var kernelName: String { unsafe String(cString: openblas_get_corename()) }

  /// Makes the library run on its caller's thread alone, at the first use.
  ///
  /// Threads belong to our own loops, whose sums have a fixed order.
  static let isSingleThreaded: Bool = {
    openblas_set_num_threads(1)
    return true
  }()
}
