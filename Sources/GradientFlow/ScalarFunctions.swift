#if canImport(Glibc)
  import Glibc
#endif

/// 10ˣ.
func power(ofTen exponent: Double) -> Double { pow(10, exponent) }

/// ln x.
func naturalLog(_ x: Double) -> Double { log(x) }

/// The zero of a continuous function that changes sign over an interval, by bisection with
/// secant steps (the Illinois rule), to a width of `tolerance`.
///
/// - Parameters:
///   - function: positive at `low` and not positive at `high`.
///   - low: one end.
///   - high: the other end.
///   - tolerance: the width at which to stop.
/// - Returns: the end of the last bracket at which the function is not positive.
package func locateZero(
  of function: (Double) -> Double, between low: Double, and high: Double, tolerance: Double
) -> Double {
  var (a, b) = (low, high)
  var (fa, fb) = (function(a), function(b))
  var lastSide = 0
  for iteration in 0..<200 where b - a > tolerance {
    // Every fourth step halves the interval, whatever the function looks like.
    let secant = b - fb * (b - a) / (fb - fa)
    let t = iteration % 4 == 3 || !(secant > a && secant < b) ? (a + b) / 2 : secant
    let ft = function(t)
    if ft > 0 {
      (a, fa) = (t, ft)
      if lastSide == 1 { fb /= 2 }
      lastSide = 1
    } else {
      (b, fb) = (t, ft)
      if lastSide == -1 { fa /= 2 }
      lastSide = -1
    }
  }
  return b
}
