import Foundation
import GradientFlow
import Objectives
import TestSupport
import Testing

@Suite struct DiscreteTrainingTests {
  private static let rates = [0.3, 1.5, 0.7, 4.0]
  private static let start = [1.0, -2, 0.5, 3]

  private static func problem(_ objective: any Objective = Quadratic(rates: rates)) -> FlowProblem {
    FlowProblem(
      minimizing: objective, from: start,
      stages: [
        Stage(name: "first", training: ["x"], until: 10),
        Stage(name: "second", training: ["y"], until: 10),
      ])
  }

  /// The states after every step of one stage with weights all trained.
  private static func states(
    _ optimizer: Optimizer, rate: Double, steps: Int, batches: (any BatchSource)? = nil
  ) -> [[Double]] {
    let problem = FlowProblem(
      minimizing: Quadratic(rates: rates), from: start,
      stages: [Stage(name: "all", training: ["x", "y"], until: 1)])
    let record = DiscreteTraining(
      problem, by: optimizer,
      stages: [.init(rate: rate, count: steps, recorded: Array(0...steps))], batches: batches
    ).run()
    #expect(record.isFinished && record.samples.map(\.step) == Array(0...steps))
    return record.samples.map { Array($0.values[2..<6]) }
  }

  @Test func gradientDescentOfAQuadraticIsAPower() {
    let eta = 0.2
    for (k, state) in Self.states(.gradientDescent, rate: eta, steps: 30).enumerated() {
      for (i, x) in state.enumerated() {
        let exact = Self.start[i] * pow(1 - eta * Self.rates[i], Double(k))
        #expect(abs(x - exact) <= 1e-14 * abs(Self.start[i]))
      }
    }
  }

  /// x_{k+1} = (1 + β − ηλ) x_k − β x_{k−1}: sums of powers of the roots of r² − (1 + β − ηλ) r + β.
  @Test func theHeavyBallOfAQuadraticIsASumOfTwoPowers() {
    let (eta, beta) = (0.05, 0.6)
    let states = Self.states(.heavyBall(momentum: beta), rate: eta, steps: 40)
    for i in Self.rates.indices {
      let trace = 1 + beta - eta * Self.rates[i]
      let discriminant = trace * trace - 4 * beta
      for (k, state) in states.enumerated() {
        // x_0 = x_{−1} = 1 fixes the two coefficients.
        let exact: Double
        if discriminant > 0 {
          let (p, q) = (
            (trace + discriminant.squareRoot()) / 2, (trace - discriminant.squareRoot()) / 2
          )
          let a = (1 - 1 / q) / (1 / p - 1 / q)
          exact = a * pow(p, Double(k)) + (1 - a) * pow(q, Double(k))
        } else {
          let angle = acos(trace / (2 * beta.squareRoot()))
          let slope = (cos(angle) - beta.squareRoot()) / sin(angle)
          exact =
            pow(beta, Double(k) / 2) * (cos(angle * Double(k)) + slope * sin(angle * Double(k)))
        }
        #expect(abs(state[i] - Self.start[i] * exact) < 1e-12, "\(i) \(k)")
      }
    }
  }

  /// The paper's own listing of Adam, with the corrections of bias.
  @Test func adamIsThePapersAlgorithm() {
    let (eta, b1, b2, floor) = (0.1, 0.9, 0.999, 1e-8)
    var (x, m, v) = (Self.start, [0.0, 0, 0, 0], [0.0, 0, 0, 0])
    let states = Self.states(
      .adam(firstDecay: b1, secondDecay: b2, floor: floor), rate: eta, steps: 50)
    for (t, state) in states.enumerated() {
      if t > 0 {
        for i in x.indices {
          let g = Self.rates[i] * x[i]
          m[i] = b1 * m[i] + (1 - b1) * g
          v[i] = b2 * v[i] + (1 - b2) * g * g
          let (mHat, vHat) = (m[i] / (1 - pow(b1, Double(t))), v[i] / (1 - pow(b2, Double(t))))
          x[i] -= eta * mHat / (vHat.squareRoot() + floor)
        }
      }
      for (a, b) in zip(state, x) { #expect(abs(a - b) < 1e-12, "\(t)") }
    }
  }

  @Test func stagesHoldWhatTheyDoNotTrain() {
    let steps = DiscreteTraining.StageSteps(rate: 0.1, count: 20, recorded: [])
    let record = DiscreteTraining(Self.problem(), by: .gradientDescent, stages: [steps, steps])
      .run()
    #expect(record.samples.map(\.stage) == [0, 0, 1, 1])
    #expect(record.samples.map(\.step) == [0, 20, 0, 20])
    #expect(record.samples.map(\.time) == [0, 2, 2, 4])
    #expect(record.samples[1].values[4...5] == [0.5, 3])
    #expect(record.samples[3].values[2...3] == record.samples[1].values[2...3])
    #expect(record.parameters == Array(record.samples[3].values[2..<6]))
  }

  @Test func oneBatchIsGradientDescent() {
    struct Whole: BatchSource {
      func batches(of size: Int, epoch: Int, seed: UInt64) -> [[Int]] {
        #expect(size == 7 && seed == 5)
        return [Array(0..<7)]
      }
      func objective(over members: [Int]) -> any Objective {
        #expect(members == Array(0..<7))
        return Quadratic(rates: DiscreteTrainingTests.rates)
      }
    }
    let batched = Self.states(
      .stochastic(batch: 7, seed: 5), rate: 0.1, steps: 10, batches: Whole())
    #expect(batched == Self.states(.gradientDescent, rate: 0.1, steps: 10))
  }

  @Test func twoBatchesTakeTurns() {
    struct Halves: BatchSource {
      func batches(of size: Int, epoch: Int, seed: UInt64) -> [[Int]] {
        epoch.isMultiple(of: 2) ? [[0], [1]] : [[1], [0]]
      }
      func objective(over members: [Int]) -> any Objective {
        Quadratic(rates: members == [0] ? [1, 0, 0, 0] : [0, 0, 0, 2])
      }
    }
    let states = Self.states(
      .stochastic(batch: 1, seed: 1), rate: 0.5, steps: 4, batches: Halves())
    // The first parameter moves at steps 1 and 4, the last one at 2 and 3.
    #expect(states.map { $0[0] } == [1, 0.5, 0.5, 0.5, 0.25])
    #expect(states.map { $0[3] } == [3, 3, 0, 0, 0])
  }

  @Test func beyondStabilityItDiverges() {
    let problem = Self.problem()
    let record = DiscreteTraining(
      problem, by: .gradientDescent, stages: [.init(rate: 3, count: 100_000, recorded: [1, 2])]
    ).run(sharpness: true)
    guard case .diverged(let stage, let step) = record.ending else {
      Issue.record("\(record.ending)")
      return
    }
    // |1 − 4.5|ᵏ leaves the range of numbers squared after some 280 steps.
    #expect(stage == 0 && (200...400).contains(step))
    #expect(record.samples[0].values.last == 1.5)
    #expect(Optimizer.gradientDescent.stabilityLimit(rate: 3) == 2.0 / 3)
    #expect(Optimizer.heavyBall(momentum: 0.5).stabilityLimit(rate: 3) == 1)
    #expect(Optimizer.heavyBall(momentum: 0.5).timePerStep(rate: 3) == 6)
  }

  /// 2(1 + β)/η is where the heavy ball begins to grow.
  @Test func theHeavyBallIsStableUpToItsLimit() {
    for (beta, share) in [(0.0, 0.99), (0.5, 0.99), (0.9, 0.99), (0.5, 1.01), (0.9, 1.01)] {
      let optimizer = Optimizer.heavyBall(momentum: beta)
      let eta = share * 2 * (1 + beta) / 4.0
      let problem = FlowProblem(
        minimizing: Quadratic(rates: Self.rates), from: Self.start,
        stages: [Stage(name: "all", training: ["x", "y"], until: 1)])
      let record = DiscreteTraining(
        problem, by: optimizer, stages: [.init(rate: eta, count: 4000, recorded: [])]
      ).run()
      #expect((abs(record.parameters[3]) < 1) == (share < 1), "\(beta) \(share)")
    }
  }

  @Test func anObserverStopsIt() {
    let record = DiscreteTraining(
      Self.problem(), by: .gradientDescent, stages: [.init(rate: 0.1, count: 1000, recorded: [])]
    ).run { $0.step < 128 }
    #expect(record.ending == .stopped(stage: 0, step: 128) && record.stepCount == 128)
    #expect(abs(record.parameters[0] - pow(1 - 0.03, 128)) < 1e-12)
  }

  /// Euler's method on the two-layer network, whose flow is known: the error halves with the step.
  @Test func gradientDescentConvergesAtFirstOrder() {
    let problem = FlowProblem(
      minimizing: TwoLayers(), from: [0.2, 0.2],
      stages: [Stage(name: "all", training: ["u", "v"], until: 4)])
    let errors = [0.1, 0.05, 0.025, 0.0125].map { eta -> Double in
      let count = Int((4 / eta).rounded())
      let record = DiscreteTraining(
        problem, by: .gradientDescent,
        stages: [.init(rate: eta, count: count, recorded: Array(0...count))]
      ).run()
      return record.samples.map {
        abs($0.values[2] * $0.values[3] - TwoLayers.product($0.time ?? .nan, from: 0.04))
      }.max() ?? .nan
    }
    for (coarse, fine) in zip(errors, errors.dropFirst()) {
      #expect(abs(log2(coarse / fine) - 1) < 0.1, "\(errors)")
    }
  }

  /// 10 = 33 · 0.3 + 0.1: the last step is a third of the others, and both clocks agree.
  @Test func theLastStepIsShortened() {
    typealias Steps = DiscreteTraining.StageSteps
    let steps = Steps(covering: 10, timePerStep: 0.3, rate: 0.3, recorded: [33])
    #expect(steps.count == 34 && abs(steps.lastShare - 1.0 / 3) < 1e-12)
    #expect(abs(steps.elapsed(after: 34) * 0.3 - 10) < 1e-14)
    let record = DiscreteTraining(
      Self.problem(), by: .gradientDescent, stages: [steps, steps], startTimes: [0, 10]
    ).run()
    #expect(record.samples.map(\.step) == [0, 33, 34, 0, 33, 34])
    let x = pow(1 - 0.09, 33.0)
    #expect(abs(record.samples[1].values[2] - x) < 1e-14)
    #expect(abs(record.samples[2].values[2] - x * (1 - 0.03)) < 1e-14)
    #expect(abs((record.samples[5].time ?? 0) - 20) < 1e-13)
    // A whole number of steps, a rounding off it, and less than one.
    for duration in [3.0, 3 + 1e-15, 3 - 1e-15] {
      let whole = Steps(covering: duration, timePerStep: 0.1, rate: 1, recorded: [])
      #expect(whole.count == 30 && whole.lastShare == 1)
    }
    let short = Steps(covering: 0.1, timePerStep: 0.4, rate: 0.4, recorded: [])
    #expect(short.count == 1 && short.lastShare == 0.25)
  }

  @Test func samplesAtListedTimes() throws {
    let problem = Self.problem()
    let trajectory = try FlowSolver(options: SolverOptions(eventErrors: false)).solve(
      problem, sampling: SampleSchedule(at: [[3, 1, 20, 0], [2.5]]))
    #expect(trajectory.samples.map(\.time) == [0, 1, 3, 10, 10, 12.5, 20])
    let x = trajectory.samples[2].values[2]
    #expect(abs(x - exp(-0.9)) < 1e-6)
  }
}
