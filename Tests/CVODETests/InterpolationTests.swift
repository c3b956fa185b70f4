import CVODE
import Foundation
import Testing

/// Dense output inside the last step.
@Suite struct InterpolationTests {
  @Test(arguments: [
    (IntegratorOptions.Method.bdf, IntegratorOptions.Corrector.newton(.dense)),
    (.adams, .fixedPoint(accelerationDepth: 0)),
  ])
  func valuesBetweenStepsAreAsGoodAsAtSteps(
    method: IntegratorOptions.Method, corrector: IntegratorOptions.Corrector
  ) throws {
    let problem = TestProblem.decayAndPhase
    var integrator = try Integrator(
      problem.equation(), from: 0, state: problem.initial,
      options: IntegratorOptions(
        method: method, corrector: corrector, relativeTolerance: 1e-8, absoluteTolerance: 1e-8))
    var atSteps = 0.0
    var between = 0.0
    var slopes = 0.0
    func error(_ values: [Double], _ exact: [Double]) -> Double {
      zip(values, exact).map { abs($0 - $1) }.max() ?? .nan
    }
    while integrator.time < problem.end {
      _ = try integrator.step(toward: problem.end)
      let interval = integrator.interpolationInterval
      #expect(interval.upperBound == integrator.time)
      #expect(interval.upperBound - interval.lowerBound > 0.999 * integrator.stepSize)
      atSteps = max(
        atSteps, error(integrator.reportedState, problem.exact(integrator.time)))
      #expect(try integrator.values(at: integrator.time) == integrator.reportedState)
      for part in [0.1, 0.25, 0.5, 0.75, 0.9] {
        let t = integrator.time - part * integrator.stepSize
        between = max(between, error(try integrator.values(at: t), problem.exact(t)))
        // (d/dt)(1 + t)^(−1/2), cos t, −sin t
        let derivative = [-0.5 * pow(1 + t, -1.5), cos(t), -sin(t)]
        slopes = max(slopes, error(try integrator.values(at: t, derivative: 1), derivative))
      }
    }
    #expect(atSteps < 1e-5 && between < 2 * atSteps, "at \(atSteps), between \(between)")
    // One order lost.
    #expect(slopes < 1e-4, "\(slopes)")
  }

  @Test func onlyTheLastStepCanBeAskedFor() throws {
    let problem = TestProblem.mildDecay
    var integrator = try Integrator(problem.equation(), from: 0, state: problem.initial)
    #expect(integrator.interpolationInterval == 0...0)
    #expect(integrator.errorEstimate == nil && integrator.order == 0)
    #expect(try integrator.values(at: 0) == problem.initial)
    expectCode(.badTime) { () throws(IntegrationError) in try integrator.values(at: 0.1) }
    expectCode(.badDerivativeOrder) { () throws(IntegrationError) in
      try integrator.values(at: 0, derivative: 1)
    }
    for _ in 0..<20 { _ = try integrator.step(toward: 1) }
    let interval = integrator.interpolationInterval
    let h = integrator.stepSize
    for t in [interval.lowerBound - 0.01 * h, interval.upperBound + 0.01 * h, .nan, .infinity] {
      expectCode(.badTime) { () throws(IntegrationError) in try integrator.values(at: t) }
    }
    expectCode(.badDerivativeOrder) { () throws(IntegrationError) in
      try integrator.values(at: integrator.time, derivative: 6)
    }
    #expect(integrator.order >= 1 && integrator.order <= 5)
    #expect(integrator.nextStepSize > 0 && integrator.firstStepSize > 0)
    let estimate = integrator.errorEstimate ?? .nan
    #expect(estimate > 0 && estimate <= 1)
  }

  private func expectCode(
    _ code: ReturnCode, _ body: () throws(IntegrationError) -> [Double],
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    do {
      _ = try body()
      Issue.record("no error", sourceLocation: sourceLocation)
    } catch {
      #expect(error.code == code, sourceLocation: sourceLocation)
    }
  }
}
