import CNumerics.Sundials

/// The SUNDIALS library this module runs on.
public enum SundialsLibrary {
  /// The version of the library in use, such as "6.4.1".
  public static var version: String {
    unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: 64) { text in
      guard let start = text.baseAddress else { return "" }
      unsafe CNVersion(start, 64)
      return unsafe String(cString: start)
    }
  }
}
