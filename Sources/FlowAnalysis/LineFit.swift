/// A straight line through points by least squares, with an interval that respects their order.
///
/// Residuals along a trajectory are not independent: neighbouring samples err alike. With the lag-one
/// autocorrelation ρ of the residuals, n points are worth n_eff = n (1 − ρ)/(1 + ρ) independent ones
/// (an AR(1) process), and the variance of the slope grows by n/n_eff. Negative ρ counts as none.
///
/// Reference: Bartlett, *Journal of the Royal Statistical Society* 98 (1935) 536–543.
public struct LineFit: Sendable, Equatable {
  /// The slope.
  public let slope: Double
  /// The value at x = 0.
  public let intercept: Double
  /// The standard error of the slope; infinite for two points.
  public let slopeError: Double
  /// What the points are worth in independent ones, at most their number.
  public let effectiveCount: Double
  /// The number of points.
  public let count: Int

  /// Fits a line.
  ///
  /// - Parameters:
  ///   - x: at least two different numbers, in the order of the measurement.
  ///   - y: as many.
  ///   - isSerial: whether neighbours err alike; false for independent measurements.
  public init(_ x: [Double], _ y: [Double], isSerial: Bool = true) {
    precondition(x.count == y.count && x.count >= 2, "a line needs two points")
    let n = Double(x.count)
    let (meanX, meanY) = (x.reduce(0, +) / n, y.reduce(0, +) / n)
    var (sxx, sxy) = (0.0, 0.0)
    for (u, v) in zip(x, y) {
      sxx += (u - meanX) * (u - meanX)
      sxy += (u - meanX) * (v - meanY)
    }
    precondition(sxx > 0, "a line needs different points")
    let slope = sxy / sxx
    let intercept = meanY - slope * meanX
    let residuals = zip(x, y).map { $1 - intercept - slope * $0 }
    let squares = residuals.reduce(0) { $0 + $1 * $1 }
    var products = 0.0
    for (r, next) in zip(residuals, residuals.dropFirst()) { products += r * next }
    let correlation = isSerial && squares > 0 ? min(max(0, products / squares), 1 - 2 / n) : 0
    self.slope = slope
    self.intercept = intercept
    count = x.count
    effectiveCount = n * (1 - correlation) / (1 + correlation)
    slopeError =
      x.count > 2 ? (squares / (n - 2) / sxx * n / effectiveCount).squareRoot() : .infinity
  }

  /// Half the width of the 95 % interval of the slope.
  public var slopeHalfWidth: Double {
    slopeError * studentQuantile(degreesOfFreedom: max(1, effectiveCount - 2))
  }
}
