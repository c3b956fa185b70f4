import CVODE
import Foundation
import Testing

/// What the solver counts, and that the work does not creep up.
@Suite struct StatisticsTests {
  @Test func theWorkOnRobertsonsProblemIsPinned() throws {
    var integrator = try Integrator(
      Robertson.equation, from: 0, state: [1, 0, 0],
      options: IntegratorOptions(relativeTolerance: 1e-4, absoluteTolerance: 1e-14))
    try integrator.advance(to: 4e10)
    let work = integrator.statistics
    let pinned = [
      (work.steps, 619), (work.derivativeEvaluations, 846), (work.correctorIterations, 845),
      (work.linearSolverSetups, 110), (work.jacobianEvaluations, 13),
    ]
    for (count, expected) in pinned {
      #expect(abs(Double(count - expected)) <= 0.1 * Double(expected), "\(work)")
    }
    #expect(work.differenceQuotientEvaluations == 0)
  }

  @Test func everyCountCounts() throws {
    var krylov = try solve(
      .stiffDecay, options: IntegratorOptions(corrector: .newton(.spgmr(krylovDimension: 2)))
    ).statistics
    #expect(krylov.linearIterations > 0 && krylov.jacobianVectorProducts > 0)
    #expect(krylov.linearFailures > 0)  // two dimensions for four eigenvalues
    #expect(krylov.differenceQuotientEvaluations > 0)
    #expect(krylov.jacobianEvaluations == 0)
    let dense = try solve(.stiffDecay, options: IntegratorOptions()).statistics
    #expect(dense.jacobianEvaluations > 0 && dense.linearIterations == 0)
    // Four columns each.
    #expect(dense.differenceQuotientEvaluations == 4 * dense.jacobianEvaluations)
    #expect(dense.linearSolverSetups >= dense.jacobianEvaluations)
    #expect(dense.correctorIterations >= dense.steps)
    let simple = try solve(
      .rotations, options: IntegratorOptions(corrector: .fixedPoint(accelerationDepth: 0))
    ).statistics
    #expect(simple.linearSolverSetups == 0 && simple.jacobianEvaluations == 0)

    let sum = krylov + dense
    #expect(sum.steps == krylov.steps + dense.steps)
    #expect(sum.linearSolverSetups == krylov.linearSolverSetups + dense.linearSolverSetups)
    krylov += dense
    #expect(krylov == sum && Statistics() + sum == sum)
  }

  @Test func thereIsNoTrapAtFiveHundredSteps() throws {
    var options = IntegratorOptions()
    options.maximumStep = 1e-3
    var integrator = try Integrator(
      EventTests.oscillator, from: 0, state: [1, 0], options: options)
    for _ in 0..<2000 { #expect(try integrator.step(toward: 10) == .stepped) }
    #expect(integrator.statistics.steps == 2000)
  }

  @Test func theOrderCanBeLimited() throws {
    var options = IntegratorOptions(method: .adams, corrector: .fixedPoint(accelerationDepth: 0))
    options.maximumOrder = 2
    var integrator = try Integrator(
      EventTests.oscillator, from: 0, state: [1, 0], options: options)
    for _ in 0..<200 {
      _ = try integrator.step(toward: 10)
      #expect(integrator.order <= 2)
    }
  }

  @Test func theLibrarySaysItsVersion() {
    let major = SundialsLibrary.version.split(separator: ".").first.flatMap { Int($0) }
    #expect(major == 6 || major == 7, "\(SundialsLibrary.version)")
  }
}
