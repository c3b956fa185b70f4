import CVODE

/// The solver's interpolating polynomial on one accepted step, kept for later.
///
/// y(t) = Σ_k y⁽ᵏ⁾(t_n) (t − t_n)ᵏ/k! for k up to the order of the step: exactly the polynomial that
/// CVODE interpolates with.
struct StepInterpolant: Sendable {
  let start: Double
  let end: Double
  /// L at the end of the step, or where the stage stopped within it.
  let lossAtEnd: Double
  /// y⁽ᵏ⁾(t_n)/k!, shape (order + 1, dimension).
  let coefficients: [Double]
  let dimension: Int

  init(start: Double, end: Double, lossAtEnd: Double, coefficients: [Double], dimension: Int) {
    self.start = start
    self.end = end
    self.lossAtEnd = lossAtEnd
    self.coefficients = coefficients
    self.dimension = dimension
  }

  init(
    _ integrator: borrowing Integrator, from start: Double, lossAtEnd: Double
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
    self.init(
      start: start, end: integrator.time, lossAtEnd: lossAtEnd, coefficients: coefficients,
      dimension: n)
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
