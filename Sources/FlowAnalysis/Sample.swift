#if canImport(Glibc)
  import Glibc
#endif

/// Independent measurements of one number.
public struct Sample: Sendable, Equatable {
  /// The measurements, at least one.
  public let values: [Double]

  /// A sample of at least one measurement.
  public init(_ values: [Double]) {
    precondition(!values.isEmpty, "a sample is not empty")
    self.values = values
  }

  /// The mean.
  public var mean: Double { values.reduce(0, +) / Double(values.count) }

  /// The standard error of the mean; infinite for a single measurement.
  public var standardError: Double {
    let n = Double(values.count)
    guard n > 1 else { return .infinity }
    let center = mean
    let squares = values.reduce(0) { $0 + ($1 - center) * ($1 - center) }
    return (squares / (n - 1) / n).squareRoot()
  }

  /// Half the width of the 95 % interval of the mean, Student's.
  public var halfWidth: Double {
    values.count > 1
      ? studentQuantile(degreesOfFreedom: Double(values.count - 1)) * standardError : .infinity
  }
}

/// The 97.5 % quantile of Student's t: 95 % of the law lie within ± this.
///
/// From the density by Simpson's rule and bisection; for degrees of freedom that need not be whole.
///
/// - Parameter degreesOfFreedom: ν ≥ 1.
/// - Returns: 12.706 at ν = 1, falling to 1.960.
package func studentQuantile(degreesOfFreedom: Double) -> Double {
  let nu = degreesOfFreedom
  precondition(nu >= 1, "Student's law needs a degree of freedom")
  if nu > 1e6 { return 1.959963984540054 }
  let scale = exp(lgamma((nu + 1) / 2) - lgamma(nu / 2)) / (nu * Double.pi).squareRoot()
  // With t = √ν tan φ the density is scale √ν cos^{ν−1} φ, smooth up to the ends.
  func mass(upTo phi: Double) -> Double {
    let pieces = 400
    let h = phi / Double(pieces)
    var sum = 0.0
    for i in 0...pieces {
      let weight = i == 0 || i == pieces ? 1.0 : i % 2 == 1 ? 4.0 : 2.0
      sum += weight * pow(cos(h * Double(i)), nu - 1)
    }
    return sum * h / 3 * scale * nu.squareRoot()
  }
  var (low, high) = (0.0, Double.pi / 2)
  for _ in 0..<60 {
    let middle = (low + high) / 2
    if mass(upTo: middle) < 0.475 { low = middle } else { high = middle }
  }
  return nu.squareRoot() * tan(low)
}
