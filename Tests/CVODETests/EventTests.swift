import CVODE
import Foundation
import Testing

/// Events at known times, and what the integrator says about itself around them.
@Suite struct EventTests {
  /// y = (cos t, −sin t).
  static var oscillator: OrdinaryDifferentialEquation {
    OrdinaryDifferentialEquation(dimension: 2) { _, y, dy in
      dy[0] = y[1]
      dy[1] = -y[0]
    }
  }

  static let precise = IntegratorOptions(
    method: .adams, corrector: .fixedPoint(accelerationDepth: 0), relativeTolerance: 1e-10,
    absoluteTolerance: 1e-12)

  @Test(arguments: [
    (EventFunctions.Direction.falling, 0.5, 2.0), (.rising, 1.5, 2.0), (.either, 0.5, 1.0),
  ])
  func zeroCrossingsAreFoundInTheirDirection(
    direction: EventFunctions.Direction, first: Double, spacing: Double
  ) throws {
    let events = EventFunctions(directions: [direction]) { _, y, values in values[0] = y[0] }
    var integrator = try Integrator(
      Self.oscillator, events: events, from: 0, state: [1, 0], options: Self.precise)
    var times: [Double] = []
    while integrator.time < 20 * .pi {
      switch try integrator.step(toward: 20 * .pi) {
      case .stepped:
        #expect(integrator.reportedTime == integrator.time)
      case .events(let time, let occurrences):
        if time > 20 * .pi { continue }
        times.append(time)
        #expect(time == integrator.reportedTime && time <= integrator.time)
        #expect(integrator.interpolationInterval.contains(time))
        #expect(abs(integrator.reportedState[0]) < 1e-12)
        #expect(
          try zip(integrator.values(at: time), integrator.reportedState).allSatisfy { $0 == $1 })
        // −sin t is the slope of cos t.
        let rises = integrator.reportedState[1] > 0
        #expect(occurrences == [EventOccurrence(index: 0, direction: rises ? .rising : .falling)])
      }
    }
    let expected = stride(from: first * .pi, to: 20 * .pi, by: spacing * .pi).map { $0 }
    #expect(times.count == expected.count, "\(times)")
    #expect(zip(times, expected).allSatisfy { abs($0 - $1) < 1e-7 }, "\(times)")
  }

  @Test func twoEventsInOneStepAreReportedOneByOne() throws {
    let events = EventFunctions(directions: [.rising, .rising, .falling, .rising]) { t, _, values in
      values[0] = t - 5
      values[1] = t - 5.001
      values[2] = 5.001 - t
      values[3] = 5 - t  // falls, and only a rise counts
    }
    // y′ = −y with loose tolerances and a head start of the step size: one step covers both.
    let decay = OrdinaryDifferentialEquation(dimension: 1) { _, y, dy in dy[0] = -y[0] }
    var integrator = try Integrator(
      decay, events: events, from: 0, state: [1],
      options: IntegratorOptions(relativeTolerance: 1e-4, absoluteTolerance: 1e-6))
    var outcome = StepOutcome.stepped
    while outcome == .stepped { outcome = try integrator.step(toward: 10) }

    let steps = integrator.statistics.steps
    let time = integrator.time
    let interval = integrator.interpolationInterval
    #expect(interval.contains(5) && interval.contains(5.001))
    guard case .events(let first, let found) = outcome else { return }
    #expect(abs(first - 5) < 1e-12)
    #expect(found == [EventOccurrence(index: 0, direction: .rising)])
    #expect(abs(integrator.reportedState[0] - exp(-5)) < 1e-4)

    guard case .events(let second, let others) = try integrator.step(toward: 10) else {
      Issue.record("the second event is missing")
      return
    }
    #expect(abs(second - 5.001) < 1e-12)
    #expect(
      others == [
        EventOccurrence(index: 1, direction: .rising),
        EventOccurrence(index: 2, direction: .falling),
      ])
    // Still the same step; the next call ends it, and the one after takes a new one.
    #expect(integrator.statistics.steps == steps && integrator.time == time)
    #expect(integrator.interpolationInterval == interval)
    #expect(try integrator.step(toward: 10) == .stepped)
    #expect(integrator.statistics.steps == steps && integrator.reportedTime == time)
    #expect(try integrator.step(toward: 10) == .stepped)
    #expect(integrator.statistics.steps == steps + 1 && integrator.time > time)
  }

  @Test func recordingEventsDoesNotChangeTheSolution() throws {
    let events = EventFunctions(directions: [.either]) { _, y, values in values[0] = y[0] - 0.3 }
    var watched = try Integrator(
      Self.oscillator, events: events, from: 0, state: [1, 0], options: Self.precise)
    var plain = try Integrator(Self.oscillator, from: 0, state: [1, 0], options: Self.precise)
    try watched.advance(to: 30)
    try plain.advance(to: 30)
    #expect(watched.time == plain.time)
    #expect(try watched.values(at: 30) == plain.values(at: 30))
    #expect(watched.statistics.steps == plain.statistics.steps)
    #expect(watched.statistics.eventEvaluations > watched.statistics.steps)
  }

  @Test func aFunctionThatIsZeroAtTheStartIsWatchedOnceItHasLeftZero() throws {
    let events = EventFunctions(directions: [.either]) { _, y, values in values[0] = y[1] }
    var integrator = try Integrator(
      Self.oscillator, events: events, from: 0, state: [1, 0], options: Self.precise)
    var outcome = StepOutcome.stepped
    while outcome == .stepped { outcome = try integrator.step(toward: 10) }
    #expect(abs(integrator.reportedTime - .pi) < 1e-7)
  }

  @Test func anEventIsAPlaceToRestart() throws {
    // A ball on the floor: y″ = −1 from height 1/2, fully elastic, bounces at t = 1, 3, 5, …
    let events = EventFunctions(directions: [.falling]) { _, y, values in values[0] = y[0] }
    let fall = OrdinaryDifferentialEquation(dimension: 2) { _, y, dy in
      dy[0] = y[1]
      dy[1] = -1
    }
    var integrator = try Integrator(
      fall, events: events, from: 0, state: [0.5, 0], options: Self.precise)
    var bounces: [Double] = []
    while bounces.count < 20 {
      guard case .events(let time, _) = try integrator.step(toward: 100) else { continue }
      bounces.append(time)
      try integrator.restart(at: time, state: [0, -integrator.reportedState[1]])
    }
    for (k, time) in bounces.enumerated() { #expect(abs(time - Double(2 * k + 1)) < 1e-7) }
  }
}
