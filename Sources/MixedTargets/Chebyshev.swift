#if canImport(Glibc)
  import Glibc
#endif

/// A polynomial through values at Chebyshev's points of an interval.
struct Chebyshev: Sendable {
  let interval: ClosedRange<Double>
  /// Its coefficients in Chebyshev's polynomials.
  let coefficients: [Double]

  /// The points x_j = cos(π (j + ½)/n), moved to the interval.
  static func points(_ count: Int, in interval: ClosedRange<Double>) -> [Double] {
    let (low, high) = (interval.lowerBound, interval.upperBound)
    return (0..<count).map {
      (low + high) / 2 + (high - low) / 2 * cos(.pi * (Double($0) + 0.5) / Double(count))
    }
  }

  /// The polynomial of degree n − 1 through n values at ``points(_:in:)``.
  init(_ values: [Double], in interval: ClosedRange<Double>) {
    self.interval = interval
    let n = Double(values.count)
    coefficients = values.indices.map { degree in
      let sum = values.indices.reduce(0.0) {
        $0 + values[$1] * cos(.pi * Double(degree) * (Double($1) + 0.5) / n)
      }
      return (degree == 0 ? 1 : 2) * sum / n
    }
  }

  /// The value with two derivatives, by Clenshaw's recursion; not a number outside the interval.
  func callAsFunction(_ x: Double) -> (value: Double, slope: Double, curvature: Double) {
    guard interval.contains(x) else { return (.nan, .nan, .nan) }
    let half = (interval.upperBound - interval.lowerBound) / 2
    let t = Jet((x - interval.lowerBound) / half - 1, [1 / half, 0])
    var (b1, b2) = (Jet(0), Jet(0))
    for coefficient in coefficients.dropFirst().reversed() {
      (b1, b2) = (coefficient + 2 * t * b1 - b2, b1)
    }
    let sum = coefficients[0] + t * b1 - b2
    return (sum.value, sum.first.x, sum.second.x)
  }

  /// How large the last coefficients are beside the largest one: what the polynomial may be off.
  var tail: Double {
    let sizes = coefficients.map(abs)
    return sizes.suffix(2).reduce(0, +) / max(sizes.max() ?? 1, .leastNormalMagnitude)
  }
}
