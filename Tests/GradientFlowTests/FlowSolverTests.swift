import CVODE
import Foundation
import GradientFlow
import Objectives
import TestSupport
import Testing

private func maximumDifference(_ x: [Double], _ y: [Double]) -> Double {
  zip(x, y).map { abs($0 - $1) }.max() ?? 0
}

@Suite struct FlowSolverTests {
  static let linearSolvers: [SolverOptions.LinearSolver] = [
    .dense, .spgmr(krylovDimension: 10), .pcg(krylovDimension: 10),
  ]

  @Test(arguments: linearSolvers, [1e-6, 1e-9])
  func aQuadraticFlowIsExponential(solver: SolverOptions.LinearSolver, tolerance: Double) throws {
    let rates = [1.0, 3, 0.01, 40]
    let problem = FlowProblem(
      minimizing: Quadratic(rates: rates), from: [1, 2, 3, 4],
      stages: [
        Stage(name: "x", training: ["x"], until: 2), Stage(name: "y", training: ["y"], until: 9),
      ])
    let options = SolverOptions(
      linearSolver: solver, relativeTolerance: tolerance, absoluteTolerance: tolerance / 100)
    let trajectory = try FlowSolver(options: options).solve(
      problem, sampling: SampleSchedule(first: 1e-3, perDecade: 7))
    for sample in trajectory.samples {
      let x = min(sample.time, 2)
      let y = max(0, sample.time - 2)
      let exact = [exp(-x), 2 * exp(-3 * x), 3 * exp(-0.01 * y), 4 * exp(-40 * y)]
      let columns = ["x.0", "x.1", "y.2", "y.3"].compactMap {
        trajectory.columns.firstIndex(of: $0)
      }
      // Some tens of tolerances of global error are what CVODE's own examples allow.
      #expect(maximumDifference(columns.map { sample.values[$0] }, exact) < 200 * tolerance)
    }
    let half = try #require(trajectory.event("half"))
    #expect(half.isReached)
    let error = try #require(half.error)
    #expect(abs(half.time - log(2)) <= error)
    #expect(error < 1000 * tolerance)
    let fallen = try #require(trajectory.event("fallen"))
    // The loss left of 1 % of the drop of stage y, by bisection of its closed form.
    let left = { (t: Double) in 0.045 * exp(-0.02 * t) + 320 * exp(-80 * t) }
    var (low, high) = (0.0, 9.0)
    for _ in 0..<60 {
      let middle = (low + high) / 2
      if left(middle) > left(9) + 0.01 * (left(0) - left(9)) { low = middle } else { high = middle }
    }
    #expect(abs(fallen.time - 2 - low) <= (fallen.error ?? 0))
    for stage in trajectory.stages {
      let drop = stage.lossAtStart - stage.lossAtEnd
      #expect(abs(drop - stage.dissipation) <= 1000 * tolerance * drop)
    }
  }

  @Test func untrainedParametersStayToTheBit() throws {
    let start = [0.1 + 0.2, 1 / 3.0, 0.7, 1e-300]
    let problem = FlowProblem(
      minimizing: Quadratic(rates: [1, 2, 3, 4]), from: start,
      stages: [Stage(name: "x", training: ["x"], until: 1)])
    let end = try FlowSolver().solve(problem, sampling: SampleSchedule(first: 0.1, perDecade: 3))
    #expect(end.parameters[2...].map(\.bitPattern) == start[2...].map(\.bitPattern))
    #expect(end.parameters[0] != start[0])
  }

  @Test func theDeepLinearFlowIsLogistic() throws {
    let start = 1e-3
    let problem = FlowProblem(
      minimizing: TwoLayers(), from: [start.squareRoot(), start.squareRoot()],
      stages: [Stage(name: "all", training: ["u", "v"], until: 30)])
    let trajectory = try FlowSolver().solve(
      problem, sampling: SampleSchedule(first: 0.1, perDecade: 10))
    let products = try #require(trajectory.values(of: "product"))
    for (sample, product) in zip(trajectory.samples, products) {
      #expect(abs(product - TwoLayers.product(sample.time, from: start)) < 1e-6)
    }
    let half = try #require(trajectory.event("half way"))
    #expect(abs(half.time - TwoLayers.time(to: 0.5, from: start)) <= (half.error ?? 0))
    // The loss (1 − p)²/2 has 1 % of its drop before it when (1 − p)² = 0.01 (1 − p_0)².
    let level = 1 - 0.1 * (1 - start)
    let learned = try #require(trajectory.event("learned"))
    #expect(abs(learned.time - TwoLayers.time(to: level, from: start)) <= (learned.error ?? 0))
    #expect((learned.error ?? 1) < 1e-5)
    let stage = try #require(trajectory.stages.first)
    #expect(abs(stage.dissipation / (stage.lossAtStart - stage.lossAtEnd) - 1) < 1e-6)
    #expect(stage.largestRise < 1e-12)
  }

  @Test func conditionsEndAStage() throws {
    let problem = FlowProblem(
      minimizing: Quadratic(rates: [1, 1, 1, 1]), from: [1, 1, 1, 1],
      stages: [
        Stage(
          name: "x", training: ["x"], until: 100,
          stoppingWhen: [StopCondition("gradient_norm", .below, 1e-3)]),
        Stage(
          name: "y", training: ["y"], until: 100, stoppingWhen: [StopCondition("y.2", .below, 0.25)]
        ),
        Stage(
          name: "met", training: ["y"], until: 100, stoppingWhen: [StopCondition("loss", .above, 0)]
        ),
      ])
    let trajectory = try FlowSolver().solve(
      problem, sampling: SampleSchedule(first: 0.1, perDecade: 5))
    let first = trajectory.stages[0]
    #expect(first.ending == .condition(StopCondition("gradient_norm", .below, 1e-3)))
    #expect(abs(first.endTime - log(2.0.squareRoot() / 1e-3)) < 1e-6)
    #expect(abs(trajectory.stages[1].endTime - first.endTime - log(4)) < 1e-6)
    #expect(abs(trajectory.parameters[2] - 0.25) < 1e-8)
    #expect(trajectory.stages[2].endTime == trajectory.stages[2].startTime)
    #expect(trajectory.samples.last?.time == trajectory.stages[2].endTime)
    // Rows ascend in time within a stage.
    for (before, after) in zip(trajectory.samples, trajectory.samples.dropFirst()) {
      #expect(before.time <= after.time)
    }
  }

  /// A stage that stops at the very level of a transition has reached it, and the next stage, which
  /// starts on it, neither reports it again nor stumbles over it.
  @Test(arguments: 0..<40) func aStageMayStopOnATransition(seed: Int) throws {
    let start = 1 + 0.37 * Double(seed)
    let problem = FlowProblem(
      minimizing: Quadratic(rates: [0.3 + 0.1 * Double(seed), 1]), from: [start, 1],
      stages: [
        Stage(
          name: "first", training: ["x"], until: 1e3,
          stoppingWhen: [StopCondition("x.0", .below, 0.5)]),
        Stage(name: "second", training: ["x", "y"], until: 10),
      ])
    let trajectory = try FlowSolver().solve(
      problem, sampling: SampleSchedule(first: 0.1, perDecade: 2))
    let halves = trajectory.events.filter { $0.name == "half" }
    #expect(halves.count == 1 && halves.first?.stage == 0, "seed \(seed)")
    let half = try #require(halves.first)
    #expect(half.isReached && half.time == trajectory.stages[0].endTime)
    #expect(half.error != nil && trajectory.eventErrorsMissing == nil)
    #expect(
      trajectory.steps.filter { $0.stage == 0 }.count == trajectory.stages[0].statistics.steps)
  }

  @Test func unreachedEventsGiveALowerBound() throws {
    let problem = FlowProblem(
      minimizing: Quadratic(rates: [1, 1]), from: [1, 1],
      stages: [Stage(name: "x", training: ["x"], until: 0.5)])
    let trajectory = try FlowSolver().solve(
      problem, sampling: SampleSchedule(first: 0.1, perDecade: 5))
    let half = try #require(trajectory.event("half"))
    #expect(!half.isReached && half.time == 0.5)
  }

  @Test func theStepLimitIsAnErrorThatKeepsWhatWasDone() throws {
    let problem = FlowProblem(
      minimizing: Quadratic(rates: [1, 1]), from: [1, 1],
      stages: [Stage(name: "x", training: ["x"], until: 10)])
    let failure = #expect(throws: FlowFailure.self) {
      try FlowSolver(options: SolverOptions(stepLimit: 20)).solve(
        problem, sampling: SampleSchedule(first: 1e-6, perDecade: 5))
    }
    guard case .stepLimitReached(20) = failure?.reason else {
      Issue.record("\(String(describing: failure))")
      return
    }
    #expect((failure?.partial.samples.count ?? 0) > 3)
    #expect(failure?.partial.stages.first?.ending == .failed)
    #expect(failure?.time ?? 0 > 0)
  }

  @Test func aWallOfInfiniteLossIsAnError() throws {
    func solve(from start: Double, wall: Double) throws -> Trajectory {
      try FlowSolver().solve(
        FlowProblem(
          minimizing: Walled(wall: wall), from: [start],
          stages: [Stage(name: "x", training: ["x"], until: 1)]),
        sampling: SampleSchedule(first: 0.1, perDecade: 2))
    }
    // Far from the wall nothing happens; the wall on the way is reported with its time.
    #expect(abs(try solve(from: 3, wall: 1).parameters[0] - 2) < 1e-9)
    let failure = #expect(throws: FlowFailure.self) { try solve(from: 1.5, wall: 1) }
    #expect(abs((failure?.time ?? 0) - 0.5) < 1e-3, "\(String(describing: failure))")
    let atStart = #expect(throws: FlowFailure.self) { try solve(from: 0.5, wall: 1) }
    guard case .lossIsNotFinite = atStart?.reason else {
      Issue.record("\(String(describing: atStart))")
      return
    }
  }

  /// Wherever a row would hold it, also in the last one of a stage, which then has not ended.
  @Test(arguments: [(0.5, 0), (1.5, 2)])
  func noRowHoldsWhatIsNotANumber(start: Double, rows: Int) {
    let failure = #expect(throws: FlowFailure.self) {
      try FlowSolver().solve(
        FlowProblem(
          minimizing: Walled(wall: 0.95, isClosed: false), from: [start],
          stages: [Stage(name: "x", training: ["x"], until: 0.6)]),
        sampling: SampleSchedule(first: 0.5, perDecade: 1))
    }
    guard case .isNotANumber("height") = failure?.reason else {
      Issue.record("\(String(describing: failure))")
      return
    }
    #expect(failure?.partial.samples.count == rows)
    #expect(failure?.partial.stages.last?.ending == .failed)
  }

  @Test func anObserverCanStop() throws {
    let problem = FlowProblem(
      minimizing: Quadratic(rates: [1, 1]), from: [1, 1],
      stages: [Stage(name: "x", training: ["x"], until: 10)])
    let trajectory = try FlowSolver().solve(
      problem, sampling: SampleSchedule(first: 1e-6, perDecade: 5)
    ) { $0.steps < 15 }
    #expect(trajectory.stages.last?.ending == .stopped)
    #expect(trajectory.steps.count == 15)
    #expect(trajectory.samples.last?.time == trajectory.stages.last?.endTime)
  }

  @Test func sharpnessIsTheLargestTrainedEigenvalue() throws {
    let problem = FlowProblem(
      minimizing: Quadratic(rates: [1, 7, 100, 3]), from: [1, 1, 1, 1],
      stages: [Stage(name: "x", training: ["x"], until: 1)])
    let trajectory = try FlowSolver().solve(
      problem, sampling: SampleSchedule(first: 0.1, perDecade: 2, sharpness: true))
    let values = try #require(trajectory.values(of: "sharpness"))
    #expect(values.allSatisfy { abs($0 - 7) < 1e-12 })
  }
}
