import FlowAnalysis
import GradientFlow
import Objectives
import RunRecords

/// Discrete training beside a flow: runs the optimisers, and the flow once more at their moments.
struct TrainingRun {
  let plan: TrainingPlan
  let problem: FlowProblem
  /// The loss that the optimisers train: that of the flow, or one that has no classical flow.
  let trained: any Objective
  let options: SolverOptions
  /// Whether λ_max of the Hessian is recorded at every recorded step.
  let sharpness: Bool
  let batches: (any BatchSource)?

  /// What one optimiser left.
  typealias Entry = (method: TrainingPlan.Method, record: TrainingRecord)

  /// What training leaves.
  struct Outcome {
    let comparison: TrainingComparison
    /// The optimisers that were asked for.
    let methods: [Entry]
    /// Gradient descent at multiples of the learning rate, the largest first.
    let descents: [Entry]
    let isStopped: Bool
  }

  /// Trains.
  ///
  /// - Parameter observer: told now and then; returns whether to go on.
  /// - Returns: all records; fewer if it was stopped.
  /// - Throws: `FlowFailure` when the flow cannot be solved a second time.
  func run(observer: @escaping (FlowProgress) -> Bool) throws(FlowFailure) -> Outcome {
    let flow = plan.flow(of: problem)
    let descended = FlowProblem(minimizing: trained, from: flow.start, stages: flow.stages)
    var options = options
    options.eventErrors = false
    var isStopped = false
    let beside = try FlowSolver(options: options).solve(
      flow, sampling: SampleSchedule(at: plan.times)
    ) { progress in
      isStopped = !observer(progress)
      return !isStopped
    }
    func entry(_ method: TrainingPlan.Method) -> Entry {
      let training = DiscreteTraining(
        descended, by: method.optimizer, stages: method.stages, startTimes: plan.startTimes,
        batches: batches, threads: options.threads)
      let record = training.run(sharpness: sharpness) { progress in
        isStopped = !observer(
          FlowProgress(activity: method.title, progress, stage: flow.stages[progress.stage]))
        return !isStopped
      }
      return (method, record)
    }
    var methods: [Entry] = []
    for method in plan.methods where !isStopped { methods.append(entry(method)) }
    // What has been run already at this rate is not run again.
    let descent = methods.first { $0.method.name == .descent }?.record
    var descents: [Entry] = []
    for method in plan.descents where !isStopped {
      if method.factor == 1, let descent {
        descents.append((method, descent))
      } else {
        descents.append(entry(method))
      }
    }
    return Outcome(
      comparison: TrainingComparison(problem.objective, flow: beside), methods: methods,
      descents: descents, isStopped: isStopped)
  }
}

extension TrainingPlan.Method {
  /// The optimiser as progress shows it.
  var title: String { factor == 1 ? name.rawValue : "\(name.rawValue) at \(factor) η" }
}

extension TrainingRun.Outcome {
  /// What claims about training need.
  func evidence(_ figures: [FigureSettings], _ options: SolverOptions) -> TrainingEvidence {
    TrainingEvidence(
      comparison, descent: methods.first { $0.method.name == .descent }?.record,
      descents: descents.map { ($0.method.factor, $0.record) },
      figures: figures.map {
        PublishedFigure(
          $0.quantity, stage: $0.stage, moment: $0.moment, value: $0.value, tolerance: $0.allowance)
      }, options: options)
  }

  /// The files that training leaves, by name.
  var tables: [(file: FileName, table: Table)] {
    var tables: [(file: FileName, table: Table)] = []
    // The longest of those on the flow's time axis: one that diverged ends early.
    let timed = methods.filter { $0.method.optimizer.timePerStep(rate: 1) != nil }
      .max { $0.record.samples.count < $1.record.samples.count }
    if let timed {
      tables.append((.flow, Table(comparison, beside: timed.record)))
    }
    for (method, record) in methods {
      tables.append((.training(method.name), Table(record, of: comparison)))
    }
    if !methods.isEmpty { tables.append((.distance, Table(distances: methods, comparison))) }
    if !descents.isEmpty { tables.append((.convergence, Table(convergence: descents, comparison))) }
    return tables
  }
}

extension FileName {
  /// The file of an optimiser.
  static func training(_ optimizer: OptimizerName) -> FileName {
    switch optimizer {
    case .descent: .gradientDescent
    case .heavyBall: .momentum
    case .stochastic: .stochastic
    case .adam: .adam
    }
  }
}

extension Table {
  /// `gd.csv` and its like: one row per recorded step.
  init(_ record: TrainingRecord, of comparison: TrainingComparison) {
    self.init(columns: ["stage", "step", "t"] + record.columns)
    for sample in record.samples {
      append(
        [
          .text(comparison.flow.stages[sample.stage].stage.name), .integer(sample.step),
          sample.time.map { .real($0) } ?? .empty,
        ], reals: sample.values)
    }
  }

  /// `flow.csv`: the flow at the times of a record's steps, row by row.
  init(_ comparison: TrainingComparison, beside record: TrainingRecord) {
    self.init(columns: ["stage", "step", "t"] + comparison.flow.columns)
    for (sample, flow) in zip(record.samples, comparison.flowSamples(beside: record)) {
      guard let flow else { continue }
      append(
        [
          .text(comparison.flow.stages[sample.stage].stage.name), .integer(sample.step),
          .real(flow.time),
        ], reals: flow.values)
    }
  }

  /// `distance.csv`: how far every recorded step is from the flow, and from stability.
  init(
    distances methods: [TrainingRun.Entry],
    _ comparison: TrainingComparison
  ) {
    let objective = comparison.objective
    self.init(
      columns: [
        "optimizer", "learning_rate", "stage", "step", "t", "distance", "relative_distance",
        "distance_to_path",
      ] + objective.conservationLaws.map { "drift.\($0.name)" }
        + ["sharpness", "stability_limit"]
        + objective.observableNames.map { "difference.\($0)" })
    func cell(_ value: Double?) -> Cell { value.map { .real($0) } ?? .empty }
    for (method, record) in methods {
      let sharpness = record.columns.firstIndex(of: "sharpness")
      for (sample, distance) in zip(record.samples, comparison.distances(of: record)) {
        let rate = record.stages[sample.stage].rate
        append(
          [
            .text(method.name.rawValue), .real(rate),
            .text(comparison.flow.stages[sample.stage].stage.name), .integer(sample.step),
            cell(distance.time), cell(distance.distance), cell(distance.relative),
            .real(distance.toPath),
          ] + distance.departures.map { .real($0) } + [
            cell(sharpness.map { sample.values[$0] }),
            cell(record.optimizer.stabilityLimit(rate: rate)),
          ]
            + (distance.observables?.map { .real($0) }
              ?? objective.observableNames.map { _ in .empty }))
      }
    }
  }

  /// `convergence.csv`: gradient descent against the flow at several learning rates.
  init(
    convergence descents: [TrainingRun.Entry],
    _ comparison: TrainingComparison
  ) {
    self.init(columns: [
      "factor", "steps", "status", "distance", "distance_over_path", "order", "sharpness_share",
    ])
    let orders = comparison.orders(of: descents.map { ($0.method.factor, $0.record) })
    func cell(_ value: Double?) -> Cell { value.map { .real($0) } ?? .empty }
    for ((method, record), order) in zip(descents, orders) {
      let distance = comparison.largestDistance(of: record)
      append([
        .real(method.factor), .integer(record.stepCount), .text(record.ending.name),
        cell(distance), cell(distance.map { $0 / comparison.pathLength }), cell(order),
        cell(record.largestSharpnessShare),
      ])
    }
  }
}

extension TrainingRecord {
  /// The largest λ_max/(2/η) at a recorded step: beyond 1 steps overshoot along that direction.
  var largestSharpnessShare: Double? {
    guard let column = columns.firstIndex(of: "sharpness") else { return nil }
    return samples.compactMap { sample in
      optimizer.stabilityLimit(rate: stages[sample.stage].rate).map { sample.values[column] / $0 }
    }.max()
  }
}

extension TrainingRecord.Ending {
  /// How training ended, in words.
  var name: String {
    switch self {
    case .finished: "finished"
    case .diverged: "diverged"
    case .stopped: "stopped"
    }
  }
}
