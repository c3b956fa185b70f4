import CVODE
import Foundation
import Testing

/// The global error follows the tolerance.
@Suite struct OrderTests {
  @Test(arguments: [
    (
      TestProblem.stiffDecay, IntegratorOptions.Method.bdf,
      IntegratorOptions.Corrector.newton(.dense)
    ),
    (.mildDecay, .bdf, .newton(.dense)), (.rotations, .bdf, .newton(.dense)),
    (.decayAndPhase, .bdf, .newton(.dense)),
    (.mildDecay, .adams, .fixedPoint(accelerationDepth: 0)),
    (.rotations, .adams, .fixedPoint(accelerationDepth: 0)),
    (.decayAndPhase, .adams, .fixedPoint(accelerationDepth: 0)),
  ])
  func globalErrorIsProportionalToTheTolerance(
    problem: TestProblem, method: IntegratorOptions.Method,
    corrector: IntegratorOptions.Corrector
  ) throws {
    var points: [(x: Double, y: Double)] = []
    for exponent in stride(from: -4.0, through: -10, by: -0.5) {
      let tolerance = pow(10, exponent)
      var integrator = try Integrator(
        problem.equation(exactDerivatives: true), from: 0, state: problem.initial,
        options: IntegratorOptions(
          method: method, corrector: corrector, relativeTolerance: tolerance,
          absoluteTolerance: tolerance))
      var largest = 0.0
      for k in 1...8 {
        let t = problem.end * Double(k) / 8
        try integrator.advance(to: t)
        for (value, exact) in zip(try integrator.values(at: t), problem.exact(t)) {
          largest = max(largest, abs(value - exact))
        }
      }
      points.append((exponent, log10(largest)))
    }
    let slope = fittedSlope(points)
    #expect(slope > 0.7 && slope < 1.3, "slope \(slope): \(points)")
  }
}

/// The slope of the least squares line.
func fittedSlope(_ points: [(x: Double, y: Double)]) -> Double {
  let n = Double(points.count)
  let meanX = points.reduce(0) { $0 + $1.x } / n
  let meanY = points.reduce(0) { $0 + $1.y } / n
  let covariance = points.reduce(0) { $0 + ($1.x - meanX) * ($1.y - meanY) }
  return covariance / points.reduce(0) { $0 + ($1.x - meanX) * ($1.x - meanX) }
}
