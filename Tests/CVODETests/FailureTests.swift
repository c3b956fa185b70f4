import CVODE
import Foundation
import Testing

/// What goes wrong comes back as a typed error, with its time and its cause, and in silence.
@Suite struct FailureTests {
  struct Boom: Error, Equatable {
    var number: Int
    var time: Double
  }

  /// Steps until it fails, or to `end`.
  static func failure(
    of equation: OrdinaryDifferentialEquation, events: EventFunctions? = nil,
    state: [Double] = [1], to end: Double = 10, options: IntegratorOptions = IntegratorOptions()
  ) -> IntegrationError? {
    do {
      var integrator = try Integrator(
        equation, events: events, from: 0, state: state, options: options)
      try integrator.advance(to: end)
      return nil
    } catch {
      return error
    }
  }

  @Test func anErrorInTheRightHandSideComesBackUnchanged() throws {
    let equation = OrdinaryDifferentialEquation(dimension: 1) { t, y, dy in
      if t > 0.5 { throw Boom(number: 17, time: t) }
      dy[0] = -y[0]
    }
    let error = try #require(Self.failure(of: equation))
    let boom = try #require(error.underlying as? Boom)
    #expect(boom.number == 17 && boom.time == error.time && error.time > 0.5)
    #expect(error.reason == .callback && error.code == .derivativeFailure)
    #expect(error.description.contains("number: 17"))
  }

  @Test func anErrorInAnyOtherClosureComesBackToo() throws {
    var equation = OrdinaryDifferentialEquation(dimension: 1) { _, y, dy in dy[0] = -y[0] }
    let events = EventFunctions(directions: [.either]) { t, _, _ in
      if t > 0.5 { throw Boom(number: 1, time: t) }
    }
    var error = try #require(Self.failure(of: equation, events: events))
    #expect(error.underlying as? Boom == Boom(number: 1, time: error.time))
    #expect(error.code == .eventFunctionFailure)

    equation.jacobian = { t, _, _ in throw Boom(number: 2, time: t) }
    error = try #require(Self.failure(of: equation))
    #expect(error.underlying as? Boom == Boom(number: 2, time: error.time))

    equation.jacobianVectorProduct = { t, _, _, _ in throw Boom(number: 3, time: t) }
    for solver in [LinearSolver.spgmr(krylovDimension: 5), .pcg(krylovDimension: 5)] {
      error = try #require(
        Self.failure(of: equation, options: IntegratorOptions(corrector: .newton(solver))))
      #expect(error.underlying as? Boom == Boom(number: 3, time: error.time))
      #expect(error.reason == .callback)
    }
  }

  @Test(arguments: [
    IntegratorOptions.Corrector.newton(.dense), .newton(.spgmr(krylovDimension: 5)),
    .fixedPoint(accelerationDepth: 0),
  ])
  func aSmallerStepAvoidsANonFiniteDerivative(corrector: IntegratorOptions.Corrector) throws {
    // y′ = −√y, y(0) = 1: y = (1 − t/2)². A first step of 5 predicts y = −4.
    let equation = OrdinaryDifferentialEquation(dimension: 1) { _, y, dy in
      dy[0] = -y[0].squareRoot()
    }
    var options = IntegratorOptions(
      corrector: corrector, relativeTolerance: 1e-8, absoluteTolerance: 1e-10)
    options.initialStep = 5
    var integrator = try Integrator(equation, from: 0, state: [1], options: options)
    try integrator.advance(to: 1)
    #expect(integrator.statistics.nonFiniteEvaluations > 0)
    #expect(try abs(integrator.values(at: 1)[0] - 0.25) < 1e-5)
  }

  @Test func aSmallerStepAvoidsARecoverableFailure() throws {
    let equation = OrdinaryDifferentialEquation(dimension: 1) { _, y, dy in
      guard y[0] >= 0 else { throw RecoverableFailure("negative") }
      dy[0] = -y[0].squareRoot()
    }
    var options = IntegratorOptions()
    options.initialStep = 5
    var integrator = try Integrator(equation, from: 0, state: [1], options: options)
    try integrator.advance(to: 1)
    let work = integrator.statistics
    #expect(work.recoverableFailures > 0 && work.nonFiniteEvaluations == 0)
    // Past t = 2 there is no solution: the solver gives up and hands the failure back.
    let error = try #require(Self.failure(of: equation, to: 3))
    #expect((error.underlying as? RecoverableFailure)?.description == "negative")
    #expect(error.reason == .callback && error.time > 1.9 && error.time < 2.1)
  }

  @Test func aDerivativeThatIsNeverFiniteIsATypedError() throws {
    let nowhere = OrdinaryDifferentialEquation(dimension: 2) { _, _, dy in dy[1] = .nan }
    var error = try #require(Self.failure(of: nowhere, state: [1, 1]))
    #expect(error.reason == .nonFiniteDerivative && error.time == 0)
    #expect(error.code == .firstDerivativeFailure)
    #expect(error.description.contains("not finite at t = 0"))

    // A wall at t = 1/2.
    let wall = OrdinaryDifferentialEquation(dimension: 1) { t, _, dy in
      dy[0] = t < 0.5 ? 1 : .infinity
    }
    error = try #require(Self.failure(of: wall))
    #expect(error.reason == .nonFiniteDerivative && abs(error.time - 0.5) < 1e-3, "\(error)")
  }

  @Test(arguments: [
    IntegratorOptions.Corrector.newton(.dense), .newton(.spgmr(krylovDimension: 5)),
    .fixedPoint(accelerationDepth: 0),
  ])
  func blowUpInFiniteTimeIsATypedError(corrector: IntegratorOptions.Corrector) throws {
    // y′ = y², y(0) = 1: y = 1/(1 − t).
    let equation = OrdinaryDifferentialEquation(dimension: 1) { _, y, dy in dy[0] = y[0] * y[0] }
    let error = try #require(
      Self.failure(of: equation, options: IntegratorOptions(corrector: corrector)))
    #expect(abs(error.time - 1) < 1e-4, "\(error)")
    // The steps shrink with 1 − t until they no longer move t, where CVODE would stay for ever.
    #expect(error.reason == .standstill || error.reason == .nonFiniteDerivative, "\(error)")
  }

  @Test func anEventFunctionMustBeFinite() throws {
    let equation = OrdinaryDifferentialEquation(dimension: 1) { _, y, dy in dy[0] = -y[0] }
    let events = EventFunctions(directions: [.either]) { t, _, values in
      values[0] = t < 0.5 ? 1 : .nan
    }
    let error = try #require(Self.failure(of: equation, events: events))
    #expect(error.reason == .nonFiniteEvent && error.time >= 0.5)
  }

  @Test func theSolverFailsWithItsOwnNameAndMessage() throws {
    // A pole at t = 1, and steps that may not become small enough to approach it.
    let equation = OrdinaryDifferentialEquation(dimension: 1) { t, _, dy in
      dy[0] = -1 / (1 - t) / (1 - t)
    }
    var options = IntegratorOptions()
    options.minimumStep = 0.05
    let error = try #require(Self.failure(of: equation, options: options))
    #expect(error.reason == .solver && error.call == "CVode" && error.code == .errorTestFailure)
    #expect(error.description.contains("CV_ERR_FAILURE") && !error.libraryMessage.isEmpty)

    var start = try Integrator(TestProblem.mildDecay.equation(), from: 1, state: [1, 1, 1])
    do {
      _ = try start.step(toward: 1)
      Issue.record("no error")
    } catch {
      #expect(error.code == .tooClose && error.time == 1)
    }
  }

  @Test func aFailedIntegratorCanBeRestarted() throws {
    var fails = true
    let equation = OrdinaryDifferentialEquation(dimension: 1) { t, y, dy in
      if fails && t > 0.5 { throw Boom(number: 1, time: t) }
      dy[0] = -y[0]
    }
    var integrator = try Integrator(equation, from: 0, state: [1])
    do { try integrator.advance(to: 1) } catch { fails = false }
    #expect(integrator.time <= 0.5 && !fails)
    let state = try integrator.values(at: integrator.time)
    #expect(abs(state[0] - exp(-integrator.time)) < 1e-4)
    try integrator.restart(at: integrator.time, state: state)
    try integrator.advance(to: 1)
    #expect(try abs(integrator.values(at: 1)[0] - exp(-1)) < 1e-4)
  }

  @Test func nothingReachesTheTerminal() throws {
    let wall = OrdinaryDifferentialEquation(dimension: 1) { t, _, dy in
      dy[0] = t < 0.123456789 ? 1 : .infinity
    }
    var still = IntegratorOptions(relativeTolerance: 1e-15, absoluteTolerance: 1e-300)
    still.initialStep = 1e-20  // t + h = t: a warning
    let blowUp = OrdinaryDifferentialEquation(dimension: 1) { _, y, dy in dy[0] = y[0] * y[0] }
    var coarse = IntegratorOptions()
    coarse.minimumStep = 1e-5
    var messages: [String] = []
    let said = try captured {
      messages.append(Self.failure(of: wall, options: coarse)?.libraryMessage ?? "")
      messages.append(Self.failure(of: blowUp, options: coarse)?.libraryMessage ?? "")
      if var integrator = try? Integrator(wall, from: 0.1, state: [1], options: still) {
        for _ in 0..<20 { _ = try? integrator.step(toward: 1) }
        var nothing = [0.0]
        var span = nothing.mutableSpan
        do throws(IntegrationError) { try integrator.interpolate(at: 7, into: &span) } catch {
          messages.append(error.libraryMessage)
        }
      }
    }
    #expect(messages.count == 3 && messages.allSatisfy { !$0.isEmpty }, "\(messages)")
    for word in ["ERROR", "WARNING", "CVode", "cvode", "t + h"] {
      #expect(!said.contains(word), "\(said)")
    }
  }

  /// What is written to descriptors 1 and 2 meanwhile; passed on afterwards, since other tests
  /// running at the same time may have written, too.
  private func captured(_ body: () -> Void) throws -> String {
    let file = try #require(tmpfile())
    defer { fclose(file) }
    fflush(nil)
    let saved = [dup(1), dup(2)]
    dup2(fileno(file), 1)
    dup2(fileno(file), 2)
    body()
    fflush(nil)
    dup2(saved[0], 1)
    dup2(saved[1], 2)
    saved.forEach { close($0) }
    rewind(file)
    var bytes: [UInt8] = []
    while case let c = fgetc(file), c != EOF { bytes.append(UInt8(truncatingIfNeeded: c)) }
    let text = String(decoding: bytes, as: UTF8.self)
    print(text, terminator: "")
    return text
  }
}
