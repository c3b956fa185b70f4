import FlowAnalysis
import GradientFlow

/// Which optimisers train how many steps beside a flow that has been solved, and what is recorded.
///
/// Every stage of training lasts as long as that of the flow did; its last step is shortened so that it ends there.
struct TrainingPlan {
  /// One optimiser with its steps.
  struct Method {
    let name: OptimizerName
    /// The multiple of the learning rate.
    let factor: Double
    let optimizer: Optimizer
    let stages: [DiscreteTraining.StageSteps]
  }

  /// The optimisers that were asked for, each with files of its own.
  let methods: [Method]
  /// Gradient descent at multiples of the learning rate.
  let descents: [Method]
  /// t at which each stage begins.
  let startTimes: [Double]
  private let durations: [Double]
  private let figures: [FigureSettings]
  private let stageNames: [String]

  /// Plans training beside a flow.
  ///
  /// - Parameters:
  ///   - experiment: what is trained by what.
  ///   - trajectory: its flow, come to its end.
  init(_ experiment: Experiment, beside trajectory: Trajectory) {
    let training = experiment.training
    durations = trajectory.stages.map(\.duration)
    startTimes = trajectory.stages.map(\.startTime)
    figures = experiment.figures
    stageNames = experiment.stages.map(\.name)
    let seed = UInt64(experiment.system.seeds["data"] ?? 0)
    let schedule = SampleSchedule(
      first: experiment.sampling.first, perDecade: experiment.sampling.perDecade)
    let (durations, figures, names) = (durations, figures, stageNames)

    func steps(_ factor: Double, _ rate: (Int) -> Double, _ step: (Int) -> Double)
      -> [DiscreteTraining.StageSteps]
    {
      durations.enumerated().map { index, duration in
        let moments = schedule.times(ofStage: index, within: duration).map {
          Int(($0 / step(index)).rounded())
        }
        let wanted = figures.compactMap { figure -> Int? in
          guard factor == 1, figure.stage == names[index], case .step(let step) = figure.moment
          else { return nil }
          return step
        }
        return DiscreteTraining.StageSteps(
          covering: duration, timePerStep: step(index), rate: rate(index),
          recorded: [1] + moments + wanted)
      }
    }
    func method(_ name: OptimizerName, factor: Double = 1) -> Method {
      let step = { (index: Int) in factor * training.rates[index] }
      let optimizer: Optimizer
      var rate = step
      switch name {
      case .descent: optimizer = .gradientDescent
      case .heavyBall:
        optimizer = .heavyBall(momentum: training.momentum)
        rate = { step($0) * (1 - training.momentum) }
      case .stochastic: optimizer = .stochastic(batch: training.batch, seed: seed)
      case .adam:
        optimizer = .adam(firstDecay: 0.9, secondDecay: 0.999, floor: 1e-8)
        rate = { _ in training.adamRate }
      }
      return Method(
        name: name, factor: factor, optimizer: optimizer, stages: steps(factor, rate, step))
    }
    methods = training.optimizers.map { method($0) }
    descents = training.factors.sorted(by: >).map { method(.descent, factor: $0) }
  }

  /// Whether there is anything to do.
  var isEmpty: Bool { methods.isEmpty && descents.isEmpty && figures.isEmpty }

  /// The times, on each stage's own clock, at which the flow is wanted.
  var times: [[Double]] {
    durations.indices.map { index in
      var times: [Double] = []
      for method in methods + descents {
        let stage = method.stages[index]
        guard let step = method.optimizer.timePerStep(rate: stage.rate) else { continue }
        times += stage.recorded.map { step * stage.elapsed(after: $0) }
      }
      for figure in figures where figure.stage == stageNames[index] {
        if case .time(let time) = figure.moment { times.append(time) }
      }
      return times
    }
  }

  /// The same flow with stages as long as they were, and nothing that ends them earlier; a stage that a condition
  /// ended where it began ends there again.
  func flow(of problem: FlowProblem) -> FlowProblem {
    FlowProblem(
      minimizing: problem.objective, from: problem.start,
      stages: zip(problem.stages, durations).map {
        $1 > 0 ? Stage(name: $0.name, training: $0.trainedGroups, until: $1) : $0
      })
  }
}
