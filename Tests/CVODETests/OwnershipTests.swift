import CVODE
import Foundation
import Testing

/// Integrators free what they own, restart cleanly, and do not share anything.
@Suite struct OwnershipTests {
  static let correctors: [IntegratorOptions.Corrector] = [
    .newton(.dense), .newton(.spgmr(krylovDimension: 4)), .newton(.pcg(krylovDimension: 4)),
    .fixedPoint(accelerationDepth: 2),
  ]

  /// Captured by closures, to see when they go.
  final class Token {}

  @Test(arguments: correctors)
  func aHundredIntegratorsLeaveNothingBehind(corrector: IntegratorOptions.Corrector) throws {
    weak var lastToken: Token?
    weak var lastContext: Context?
    for round in 0..<100 {
      let token = Token()
      let context = try Context()
      let equation = OrdinaryDifferentialEquation(dimension: 3) { t, y, dy in
        _ = token
        if round % 3 == 0 && t > 0.5 { throw RecoverableFailure() }
        for i in 0..<3 { dy[i] = -y[i] }
      }
      let events = EventFunctions(directions: [.either]) { t, _, values in values[0] = t - 0.2 }
      do {
        var integrator = try Integrator(
          equation, events: events, from: 0, state: [1, 2, 3],
          options: IntegratorOptions(corrector: corrector), context: context)
        // State, two scratch vectors, memory, corrector; linear solver and its matrix.
        #expect(context.liveHandles >= 5 && context.liveHandles <= 7)
        try? integrator.advance(to: 1)
        if round % 2 == 0 { try integrator.restart(at: 0, state: [3, 2, 1]) }
        _ = try integrator.step(toward: 1)
      }
      #expect(context.liveHandles == 0)
      lastToken = token
      lastContext = context
    }
    #expect(lastToken == nil && lastContext == nil)
  }

  @Test(arguments: correctors)
  func aRestartedIntegratorIsANewOne(corrector: IntegratorOptions.Corrector) throws {
    let problem = TestProblem.mildDecay
    let options = IntegratorOptions(corrector: corrector)
    var used = try Integrator(
      problem.equation(), from: 0, state: problem.initial, options: options)
    try used.advance(to: 1)
    let state = try used.values(at: 1)
    let before = used.statistics
    try used.restart(at: 1, state: state)
    #expect(used.statistics == before)
    #expect(used.time == 1 && used.reportedTime == 1 && used.interpolationInterval == 1...1)
    #expect(used.reportedState == state && used.errorEstimate == nil)

    var new = try Integrator(problem.equation(), from: 1, state: state, options: options)
    for _ in 0..<40 {
      #expect(try used.step(toward: 3) == new.step(toward: 3))
      #expect(used.time == new.time && used.stepSize == new.stepSize && used.order == new.order)
      #expect(used.reportedState == new.reportedState)
      #expect(used.errorEstimate == new.errorEstimate)
    }
    #expect(used.statistics == before + new.statistics)
  }

  @Test func integratorsInManyThreadsDoNotDisturbEachOther() async throws {
    let options = IntegratorOptions(relativeTolerance: 1e-7)
    let alone = try solve(.stiffDecay, options: options).state
    let together = try await withThrowingTaskGroup(of: [Double].self) { group in
      for _ in 0..<16 { group.addTask { try solve(.stiffDecay, options: options).state } }
      return try await group.reduce(into: [[Double]]()) { $0.append($1) }
    }
    #expect(together.count == 16 && together.allSatisfy { $0 == alone })
  }
}
