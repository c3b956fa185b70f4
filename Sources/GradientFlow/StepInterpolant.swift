import CVODE

/// The solver's interpolating polynomial on one accepted step, kept for later.
///
/// y(t) = Σ_k y⁽ᵏ⁾(t_n) (t − t_n)ᵏ/k! for k up to the order of the step: exactly the polynomial that
/// CVODE interpolates with.
struct StepInterpolant {
  let start: Double
  let end: Double
  /// L at the start and at the end of the step.
  let lossAtStart: Double
  let lossAtEnd: Double
  /// y⁽ᵏ⁾(t_n)/k!, shape (order + 1, dimension).
  private let coefficients: [Double]
  private let dimension: Int

  init(
    _ integrator: borrowing Integrator, from start: Double, lossAtStart: Double, lossAtEnd: Double
  ) throws(IntegrationError) {
    let n = integrator.dimension
    var coefficients: [Double] = []
    var derivative = [Double](repeating: 0, count: n)
    var factorial = 1.0
    for k in 0...integrator.order {
      if k > 0 { factorial *= Double(k) }
      var span = derivative.mutableSpan
      try integrator.interpolate(at: integrator.time, derivative: k, into: &span)
      for i in 0..<n { coefficients.append(derivative[i] / factorial) }
    }
    self.start = start
    end = integrator.time
    self.lossAtStart = lossAtStart
    self.lossAtEnd = lossAtEnd
    self.coefficients = coefficients
    dimension = n
  }

  /// y(t) for t in the step.
  func state(at t: Double) -> [Double] {
    let s = t - end
    let order = coefficients.count / dimension - 1
    return (0..<dimension).map { i in
      var value = coefficients[order * dimension + i]
      for k in stride(from: order - 1, through: 0, by: -1) {
        value = value * s + coefficients[k * dimension + i]
      }
      return value
    }
  }
}

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
