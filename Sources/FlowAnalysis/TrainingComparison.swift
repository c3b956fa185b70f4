public import GradientFlow
public import Objectives

#if canImport(Glibc)
  import Glibc
#endif

/// Discrete training beside the exact flow from the same start on the same data.
public struct TrainingComparison: Sendable {
  /// The loss.
  public let objective: any Objective
  /// The flow, sampled wherever a record on its time axis was.
  public let flow: Trajectory
  /// For each stage the times of the flow's samples on the stage's own clock, and their positions.
  private let moments: [[(time: Double, sample: Int)]]
  /// The length of the flow's path up to each sample.
  private let lengths: [Double]

  /// How far one recorded step is from the flow.
  public struct Distance: Sendable, Equatable {
    /// The stage's position among the stages.
    public let stage: Int
    /// Steps since the stage began.
    public let step: Int
    /// The time of the flow; nil where the optimiser has no time.
    public let time: Double?
    /// ‖θ − θ_flow(t)‖; nil without a time.
    public let distance: Double?
    /// The same over the length of the flow's path up to then; nil where that is 0.
    public let relative: Double?
    /// The distance to the nearest of the flow's samples, whatever their times.
    public let toPath: Double
    /// How far each conservation law of the flow is broken, in the order of the objective's.
    public let departures: [Double]
    /// |difference| of every observable at the same time; nil without a time.
    public let observables: [Double]?
  }

  /// Compares with a flow.
  ///
  /// - Parameters:
  ///   - objective: the loss.
  ///   - flow: its flow, sampled at the times of the records.
  public init(_ objective: any Objective, flow: Trajectory) {
    self.objective = objective
    self.flow = flow
    moments = flow.stages.indices.map { stage in
      flow.samples.indices.filter { flow.samples[$0].stage == stage }
        .map { (flow.samples[$0].clock, $0) }
    }
    let range = Self.parameters(of: flow.layout)
    var lengths: [Double] = []
    for (index, sample) in flow.samples.enumerated() {
      let step =
        index == 0 ? 0 : Self.distance(sample.values, flow.samples[index - 1].values, range)
      lengths.append((lengths.last ?? 0) + step)
    }
    self.lengths = lengths
  }

  /// The length of the flow's path, as the chain of its samples.
  public var pathLength: Double { lengths.last ?? 0 }

  /// The positions of the parameters among the columns: behind loss and gradient norm.
  static func parameters(of layout: ParameterLayout) -> Range<Int> { 2..<2 + layout.count }

  /// The flow's sample at a time, if there is one there.
  ///
  /// - Parameters:
  ///   - time: on the stage's own clock; times that agree to nine digits are the same.
  ///   - stage: the stage's position.
  /// - Returns: the sample, or nil.
  public func sample(at time: Double, ofStage stage: Int) -> Trajectory.Sample? {
    index(at: time, ofStage: stage).map { flow.samples[$0] }
  }

  private func index(at time: Double, ofStage stage: Int) -> Int? {
    guard moments.indices.contains(stage) else { return nil }
    let list = moments[stage]
    var (low, high) = (0, list.count)
    while high - low > 1 {
      let middle = (low + high) / 2
      if list[middle].time <= time { low = middle } else { high = middle }
    }
    return [low, low + 1].filter { $0 < list.count }.first {
      abs(list[$0].time - time) <= 1e-9 * max(abs(time), .leastNormalMagnitude)
    }.map { list[$0].sample }
  }

  /// The flow's samples beside a record's, in its order; nil where it has none.
  public func flowSamples(beside record: TrainingRecord) -> [Trajectory.Sample?] {
    record.samples.map { sample in
      sample.clock.flatMap { self.sample(at: $0, ofStage: sample.stage) }
    }
  }

  /// How far every sample of a record is from the flow.
  public func distances(of record: TrainingRecord) -> [Distance] {
    let range = Self.parameters(of: flow.layout)
    let observables = range.upperBound..<range.upperBound + objective.observableNames.count
    guard let start = record.samples.first else { return [] }
    let origin = Array(start.values[range])
    return record.samples.map { sample in
      let place = sample.clock.flatMap { index(at: $0, ofStage: sample.stage) }
      let beside = place.map { flow.samples[$0].values }
      let distance = beside.map { Self.distance(sample.values, $0, range) }
      let length = place.map { lengths[$0] } ?? 0
      let parameters = Array(sample.values[range])
      var toPath = Double.infinity
      for other in flow.samples {
        toPath = min(toPath, Self.distance(sample.values, other.values, range))
      }
      return Distance(
        stage: sample.stage, step: sample.step, time: sample.time, distance: distance,
        relative: length > 0 ? distance.map { $0 / length } : nil, toPath: toPath,
        departures: objective.conservationLaws.map { $0.departure(parameters.span, origin.span) },
        observables: beside.map { beside in
          observables.map { abs(sample.values[$0] - beside[$0]) }
        })
    }
  }

  /// The largest distance over the samples of a record on the flow's time axis; nil if it has none, or ended
  /// early.
  public func largestDistance(of record: TrainingRecord) -> Double? {
    guard record.isFinished else { return nil }
    let range = Self.parameters(of: flow.layout)
    return zip(record.samples, flowSamples(beside: record)).compactMap { sample, flow in
      flow.map { Self.distance(sample.values, $0.values, range) }
    }.max()
  }

  /// The order of convergence between each record and the one before: log(d₁/d₂)/log(f₁/f₂).
  ///
  /// - Parameter records: with the multiple f of the learning rate of each, the largest first.
  /// - Returns: nil for the first, and where one of the two has no distance.
  public func orders(of records: [(factor: Double, record: TrainingRecord)]) -> [Double?] {
    let distances = records.map { largestDistance(of: $0.record) }
    return records.indices.map { index in
      guard index > 0, let before = distances[index - 1], let own = distances[index] else {
        return nil
      }
      return log(before / own) / log(records[index - 1].factor / records[index].factor)
    }
  }

  private static func distance(_ a: [Double], _ b: [Double], _ range: Range<Int>) -> Double {
    range.reduce(0) {
      // A parameter that is infinite in both stands still.
      let gap = a[$1] == b[$1] ? 0 : a[$1] - b[$1]
      return $0 + gap * gap
    }.squareRoot()
  }
}
