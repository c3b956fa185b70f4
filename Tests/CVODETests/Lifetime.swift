import CVODE

/// One life of an integrator: what it is made of, and how far it gets.
struct Lifetime {
  let method: IntegratorOptions.Method
  let corrector: IntegratorOptions.Corrector
  let fate: Fate

  /// How a life goes.
  enum Fate: CaseIterable {
    /// It is dropped before its first step.
    case unused
    /// It runs to the end, past an event, and is asked for values inside a step.
    case finished
    /// It stops at an event, and what is left of the step is never asked for.
    case leftAtAnEvent
    /// It is started anew, and runs to the end.
    case restarted
    /// Its right-hand side throws.
    case throwing
    /// Its right-hand side throws for ever what a smaller step may avoid.
    case throwingRecoverably
    /// Its right-hand side is not a number.
    case notFinite
    /// Its event function throws.
    case throwingInEvents
    /// Its Jacobian, or its product with a vector, throws; fixed points ask for neither and throw at the start.
    case throwingInDerivatives
    /// Its making fails; without a dense matrix that cannot be had, its first step does.
    case neverBorn
  }

  /// A hundred: two methods, five correctors, ten fates.
  static let hundred: [Lifetime] = {
    let correctors: [IntegratorOptions.Corrector] = [
      .newton(.dense), .newton(.spgmr(krylovDimension: 4)), .newton(.pcg(krylovDimension: 4)),
      .fixedPoint(accelerationDepth: 0), .fixedPoint(accelerationDepth: 3),
    ]
    return Fate.allCases.flatMap { fate in
      correctors.flatMap { corrector in
        [.bdf, .adams].map { Lifetime(method: $0, corrector: corrector, fate: fate) }
      }
    }
  }()

  /// What the closures throw.
  struct Boom: Error {}

  /// Whether it should end with an error.
  var fails: Bool {
    switch fate {
    case .unused, .finished, .leftAtAnEvent, .restarted: false
    default: true
    }
  }

  /// Lives it.
  ///
  /// - Throws: what the integrator throws.
  func run() throws(IntegrationError) {
    let isDense = corrector == .newton(.dense)
    // No machine has the 2⁴⁷ bytes of this dense matrix; the vectors are there by then.
    let dimension = fate == .neverBorn && isDense ? 1 << 22 : 3
    var options = IntegratorOptions(method: method, corrector: corrector)
    options.initialStep = fate == .leftAtAnEvent ? 0.01 : nil
    var integrator = try Integrator(
      equation(dimension: dimension), events: events, from: 0,
      state: [Double](repeating: 1, count: dimension), options: options)
    switch fate {
    case .unused: return
    case .neverBorn: _ = try integrator.step(toward: 0)
    case .leftAtAnEvent: while try integrator.step(toward: 1) == .stepped {}
    case .restarted:
      try integrator.advance(to: 1)
      try integrator.restart(at: 0, state: integrator.reportedState)
      try integrator.advance(to: 1)
    default:
      try integrator.advance(to: 1)
      _ = try integrator.values(at: integrator.interpolationInterval.lowerBound)
      _ = integrator.errorEstimate
    }
  }

  /// y′ = −y, coupled a little, with exact derivatives for one of the methods.
  private func equation(dimension: Int) -> OrdinaryDifferentialEquation {
    let fate = fate
    let isNewton = if case .newton = corrector { true } else { false }
    var equation = OrdinaryDifferentialEquation(dimension: dimension) { t, y, dy in
      if fate == .throwing && t > 0.3 || fate == .throwingInDerivatives && !isNewton {
        throw Boom()
      }
      if fate == .throwingRecoverably && t > 0.3 { throw RecoverableFailure() }
      for i in 0..<3 { dy[i] = -y[i] + 0.1 * y[(i + 1) % 3] }
      if fate == .notFinite && t > 0.3 { dy[1] = .nan }
    }
    if method == .bdf || fate == .throwingInDerivatives {
      equation.jacobian = { _, _, jacobian in
        if fate == .throwingInDerivatives { throw Boom() }
        for i in 0..<3 {
          jacobian[4 * i] = -1
          jacobian[3 * ((i + 1) % 3) + i] = 0.1
        }
      }
      equation.jacobianVectorProduct = { _, _, v, product in
        if fate == .throwingInDerivatives { throw Boom() }
        for i in 0..<3 { product[i] = -v[i] + 0.1 * v[(i + 1) % 3] }
      }
    }
    return equation
  }

  /// Two events at different times.
  private var events: EventFunctions {
    let fate = fate
    return EventFunctions(directions: [.rising, .either]) { t, _, values in
      if fate == .throwingInEvents && t > 0.3 { throw Boom() }
      values[0] = t - 0.2
      values[1] = t - 0.7
    }
  }
}
