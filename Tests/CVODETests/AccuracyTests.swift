import CVODE
import Foundation
import Testing

/// Solutions against closed forms and published references.
@Suite struct AccuracyTests {
  /// One way to run the solver, with the problems it suits.
  struct Way: Sendable, CustomTestStringConvertible {
    var method: IntegratorOptions.Method
    var corrector: IntegratorOptions.Corrector
    var exactDerivatives: Bool
    var problem: TestProblem

    var testDescription: String {
      "\(problem), \(method), \(corrector)\(exactDerivatives ? ", exact derivatives" : "")"
    }
  }

  static let ways: [Way] = {
    var ways: [Way] = []
    for method in [IntegratorOptions.Method.bdf, .adams] {
      for exact in [false, true] {
        for problem in [TestProblem.stiffDecay, .rotations, .mildDecay] {
          ways.append(
            Way(
              method: method, corrector: .newton(.dense), exactDerivatives: exact,
              problem: problem))
          ways.append(
            Way(
              method: method, corrector: .newton(.spgmr(krylovDimension: 10)),
              exactDerivatives: exact, problem: problem))
        }
        for problem in [TestProblem.stiffDecay, .mildDecay] {  // conjugate gradients: symmetric
          ways.append(
            Way(
              method: method, corrector: .newton(.pcg(krylovDimension: 10)),
              exactDerivatives: exact, problem: problem))
        }
      }
      for depth in [0, 3] {
        for problem in [TestProblem.rotations, .mildDecay] {
          ways.append(
            Way(
              method: method, corrector: .fixedPoint(accelerationDepth: depth),
              exactDerivatives: false, problem: problem))
        }
      }
    }
    return ways
  }()

  @Test(arguments: ways) func linearSystemsFollowTheMatrixExponential(way: Way) throws {
    let options = IntegratorOptions(
      method: way.method, corrector: way.corrector, relativeTolerance: 1e-8,
      absoluteTolerance: 1e-10)
    let (state, statistics) = try solve(
      way.problem, options: options, exactDerivatives: way.exactDerivatives)
    let exact = way.problem.exact(way.problem.end)
    let error = weightedNorm(
      zip(state, exact).map { $0 - $1 }, scale: exact, relative: 1e-8, absolute: 1e-10)
    // 1 is one tolerance of local error; the rest is room for accumulation.
    #expect(error < 100, "\(statistics)")
    if way.exactDerivatives { #expect(statistics.differenceQuotientEvaluations == 0) }
  }

  @Test(arguments: [1e-4, 1e-8]) func robertsonReachesItsSteadyState(tolerance: Double) throws {
    var integrator = try Integrator(
      Robertson.equation, from: 0, state: [1, 0, 0],
      options: IntegratorOptions(relativeTolerance: tolerance, absoluteTolerance: 1e-10 * tolerance)
    )
    // t = 0.4, 4, …, 4e10; rows but the last from `cvRoberts_dns` of SUNDIALS with relative
    // tolerance 1e-4, the last from its check of the answer, to sixteen digits.
    for (time, reference) in Robertson.references {
      try integrator.advance(to: time)
      let state = try integrator.values(at: time)
      let error = zip(state, reference).map { $0 - $1 }
      let relative = time < 4e10 ? 1e-4 : tolerance
      let norm = weightedNorm(error, scale: reference, relative: relative, absolute: 1e-14)
      #expect(norm < 10, "t = \(time): \(state)")
      #expect(abs(state[0] + state[1] + state[2] - 1) < 1e-10)
    }
  }

  @Test func vanDerPolMatchesThePublishedSolution() throws {
    // y″ = μ(1 − y²)y′ − y with μ = 1000, y(0) = 2, y′(0) = 0; y(2000) and 1000 y′(2000) are the
    // reference values of the problem "VDPOL" (ε = 1e-6, t = 2) of the Test Set for IVP Solvers.
    let reference = [1.706167732170483, -0.8928097010247975e-3]
    var finest: [Double] = []
    for tolerance in [1e-11, 1e-9, 1e-6] {
      var integrator = try Integrator(
        VanDerPol.equation, from: 0, state: [2, 0],
        options: IntegratorOptions(
          relativeTolerance: tolerance, absoluteTolerance: tolerance * 1e-3))
      try integrator.advance(to: 2000)
      let state = try integrator.values(at: 2000)
      if finest.isEmpty { finest = state }
      for expected in [reference, finest] {
        let error = weightedNorm(
          zip(state, expected).map { $0 - $1 }, scale: expected, relative: tolerance, absolute: 0)
        // A relaxation oscillation turns local errors into errors of phase.
        #expect(error < 200, "tolerance \(tolerance): \(state)")
      }
    }
  }

  @Test(arguments: [IntegratorOptions.Method.bdf, .adams])
  func timeMayRunBackwards(method: IntegratorOptions.Method) throws {
    let problem = TestProblem.rotations
    var options = IntegratorOptions(method: method, relativeTolerance: 1e-9)
    options.initialStep = 1e-4
    var integrator = try Integrator(
      problem.equation(), from: problem.end, state: problem.exact(problem.end), options: options)
    try integrator.advance(to: 0)
    #expect(integrator.stepSize < 0)
    #expect(integrator.interpolationInterval.contains(0))
    let state = try integrator.values(at: 0)
    #expect(zip(state, problem.initial).allSatisfy { abs($0 - $1) < 1e-6 })
  }
}

/// Robertson's three reactions, whose rates differ by nine orders of magnitude.
enum Robertson {
  static var equation: OrdinaryDifferentialEquation {
    OrdinaryDifferentialEquation(
      dimension: 3,
      jacobian: { _, y, jacobian in
        // ∂f₁ = (−0.04, 1e4 y₃, 1e4 y₂), ∂f₃ = (0, 6e7 y₂, 0), ∂f₂ = −∂f₁ − ∂f₃
        let first = [-0.04, 1e4 * y[2], 1e4 * y[1]]
        let third = [0, 6e7 * y[1], 0]
        for j in 0..<3 {
          jacobian[3 * j] = first[j]
          jacobian[3 * j + 1] = -first[j] - third[j]
          jacobian[3 * j + 2] = third[j]
        }
      },
      derivative: { _, y, dy in
        dy[0] = -0.04 * y[0] + 1e4 * y[1] * y[2]
        dy[2] = 3e7 * y[1] * y[1]
        dy[1] = -dy[0] - dy[2]
      })
  }

  static let references: [(time: Double, state: [Double])] = [
    (0.4, [9.851641e-01, 3.386242e-05, 1.480205e-02]),
    (4, [9.055097e-01, 2.240338e-05, 9.446793e-02]),
    (40, [7.158017e-01, 9.185037e-06, 2.841892e-01]),
    (400, [4.505360e-01, 3.223271e-06, 5.494608e-01]),
    (4e3, [1.832299e-01, 8.944378e-07, 8.167692e-01]),
    (4e4, [3.898902e-02, 1.622006e-07, 9.610108e-01]),
    (4e5, [4.936383e-03, 1.984224e-08, 9.950636e-01]),
    (4e10, [5.2083495894337328e-08, 2.0833399429795671e-13, 9.9999994791629776e-01]),
  ]
}

/// Van der Pol's relaxation oscillator with μ = 1000.
enum VanDerPol {
  static var equation: OrdinaryDifferentialEquation {
    OrdinaryDifferentialEquation(
      dimension: 2,
      jacobian: { _, y, jacobian in
        jacobian[0] = 0
        jacobian[1] = -2000 * y[0] * y[1] - 1
        jacobian[2] = 1
        jacobian[3] = 1000 * (1 - y[0] * y[0])
      },
      derivative: { _, y, dy in
        dy[0] = y[1]
        dy[1] = 1000 * (1 - y[0] * y[0]) * y[1] - y[0]
      })
  }
}
