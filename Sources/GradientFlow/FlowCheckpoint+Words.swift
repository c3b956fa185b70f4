import CVODE
import Objectives

// A checkpoint as 64-bit words. What the problem says is not repeated: words are read for the problem they are of.

extension FlowCheckpoint {
  /// All of it, every number with its bits.
  public var words: [UInt64] {
    var writer = WordWriter()
    writer.add(isSolved)
    writer.add(trajectory) { $1.append(to: &$0) }
    writer.add(check) { $1.append(to: &$0) }
    writer.add(progress) { $1.append(to: &$0) }
    return writer.words
  }

  /// Reads a checkpoint; nil if the words are none of such a flow.
  ///
  /// - Parameters:
  ///   - words: as ``words`` gives them.
  ///   - problem: the flow it is of.
  ///   - sampling: when that flow is sampled.
  public init?(words: [UInt64], of problem: FlowProblem, sampling: SampleSchedule?) {
    let start = Trajectory(
      objective: problem.objective, start: problem.start, sharpness: sampling?.sharpness ?? false)
    do throws(WordReader.Mismatch) {
      var reader = WordReader(words)
      isSolved = try reader.flag()
      guard
        let trajectory = try reader.optional({ reader throws(WordReader.Mismatch) in
          try Trajectory(from: &reader, like: start, of: problem)
        })
      else { return nil }
      self.trajectory = trajectory
      let check = try reader.optional { reader throws(WordReader.Mismatch) in
        try Trajectory(from: &reader, like: start, of: problem)
      }
      self.check = check
      progress = try reader.optional { reader throws(WordReader.Mismatch) in
        guard let stage = (check ?? trajectory).stages.last?.stage else {
          throw WordReader.Mismatch()
        }
        let trained = problem.objective.layout.indices(ofGroups: stage.trainedGroups)
        return try StageProgress(from: &reader, dimension: trained.count)
      }
      guard reader.isAtEnd else { return nil }
    } catch {
      return nil
    }
  }
}

extension Trajectory {
  fileprivate func append(to writer: inout WordWriter) {
    writer.add(parameters)
    writer.add(eventErrorsMissing) { $0.add($1) }
    writer.add(each: stages) { $1.append(to: &$0) }
    writer.add(each: samples) { writer, sample in
      writer.add(sample.stage)
      writer.add(sample.time)
      writer.add(sample.clock)
      writer.add(sample.values)
    }
    writer.add(each: events) { writer, event in
      writer.add(event.stage)
      writer.add(event.name)
      writer.add(event.time)
      writer.add(event.error) { $0.add($1) }
      writer.add(event.isReached)
      writer.add(event.resolution)
    }
    writer.add(each: steps) { writer, step in
      writer.add(step.stage)
      writer.add(step.time)
      writer.add(step.size)
      writer.add(step.order)
      writer.add(step.errorEstimate)
      writer.add(step.evaluations)
      writer.add(step.linearFailures)
    }
  }

  fileprivate init(
    from reader: inout WordReader, like start: Trajectory, of problem: FlowProblem
  ) throws(WordReader.Mismatch) {
    self = start
    let columns = columns.count
    parameters = try reader.reals(layout.count)
    eventErrorsMissing = try reader.optional { reader throws(WordReader.Mismatch) in
      try reader.text()
    }
    let count = layout.count
    var position = 0
    stages = try reader.list { reader throws(WordReader.Mismatch) in
      guard position < problem.stages.count else { throw WordReader.Mismatch() }
      position += 1
      return try StageSummary(from: &reader, of: problem.stages[position - 1], parameters: count)
    }
    func stage(_ reader: inout WordReader) throws(WordReader.Mismatch) -> Int {
      let stage = try reader.integer()
      guard (0..<position).contains(stage) else { throw WordReader.Mismatch() }
      return stage
    }
    samples = try reader.list { reader throws(WordReader.Mismatch) in
      Sample(
        stage: try stage(&reader), time: try reader.real(), clock: try reader.real(),
        values: try reader.reals(columns))
    }
    events = try reader.list { reader throws(WordReader.Mismatch) in
      LocatedEvent(
        stage: try stage(&reader), name: try reader.text(), time: try reader.real(),
        error: try reader.optional { reader throws(WordReader.Mismatch) in try reader.real() },
        isReached: try reader.flag(), resolution: try reader.real())
    }
    steps = try reader.list { reader throws(WordReader.Mismatch) in
      AcceptedStep(
        stage: try stage(&reader), time: try reader.real(), size: try reader.real(),
        order: try reader.integer(), errorEstimate: try reader.real(),
        evaluations: try reader.integer(), linearFailures: try reader.integer())
    }
    // Time runs on.
    func rises(_ times: [Double]) -> Bool {
      times.allSatisfy(\.isFinite) && zip(times, times.dropFirst()).allSatisfy { $0 <= $1 }
    }
    guard rises(samples.map(\.time)), rises(stages.flatMap { [$0.startTime, $0.endTime] }) else {
      throw WordReader.Mismatch()
    }
  }
}

extension Trajectory.StageSummary {
  fileprivate func append(to writer: inout WordWriter) {
    let code =
      switch ending {
      case .duration: 0
      case .stopped: 1
      case .failed: 2
      case .condition(let condition): 3 + (stage.stopConditions.firstIndex(of: condition) ?? 0)
      }
    writer.add(code)
    for value in [
      startTime, endTime, duration, lossAtStart, lossAtEnd, dissipation, largestRise,
      gradientNormAtEnd,
    ] {
      writer.add(value)
    }
    writer.add(start)
    writer.add(end)
    statistics.append(to: &writer)
  }

  fileprivate init(
    from reader: inout WordReader, of stage: Stage, parameters count: Int
  ) throws(WordReader.Mismatch) {
    let code = try reader.integer()
    let ending: Ending
    switch code {
    case 0: ending = .duration
    case 1: ending = .stopped
    case 2: ending = .failed
    case 3..<(3 + stage.stopConditions.count): ending = .condition(stage.stopConditions[code - 3])
    default: throw WordReader.Mismatch()
    }
    let (startTime, endTime, duration) = (
      try reader.real(), try reader.real(), try reader.real()
    )
    let (lossAtStart, lossAtEnd) = (try reader.real(), try reader.real())
    let (dissipation, largestRise, norm) = (
      try reader.real(), try reader.real(), try reader.real()
    )
    self.init(
      stage: stage, startTime: startTime, endTime: endTime, duration: duration, ending: ending,
      start: try reader.reals(count), end: try reader.reals(count), lossAtStart: lossAtStart,
      lossAtEnd: lossAtEnd, dissipation: dissipation, largestRise: largestRise,
      gradientNormAtEnd: norm, statistics: try Statistics(from: &reader))
  }
}

extension StageProgress {
  fileprivate func append(to writer: inout WordWriter) {
    writer.add(clock)
    statistics.append(to: &writer)
    writer.add(times)
    writer.add(squaredNorms)
    writer.add(lastLoss)
    writer.add(each: interpolants) { writer, step in
      writer.add(step.start)
      writer.add(step.end)
      writer.add(step.lossAtEnd)
      writer.add(step.dimension)
      writer.add(step.coefficients)
    }
    writer.add(samplesTaken)
    writer.add(each: reached.sorted { $0.key < $1.key }) { writer, event in
      writer.add(event.key)
      writer.add(event.value.time)
      writer.add(event.value.step)
    }
  }

  fileprivate init(
    from reader: inout WordReader, dimension trained: Int
  ) throws(WordReader.Mismatch) {
    let clock = try reader.real()
    let statistics = try Statistics(from: &reader)
    let times = try reader.reals()
    let squaredNorms = try reader.reals(times.count)
    self.init(
      clock: clock, statistics: statistics, times: times, squaredNorms: squaredNorms,
      lastLoss: try reader.real())
    interpolants = try reader.list { reader throws(WordReader.Mismatch) in
      let (start, end, loss) = (try reader.real(), try reader.real(), try reader.real())
      let (dimension, coefficients) = (try reader.integer(), try reader.reals())
      guard dimension == trained, !coefficients.isEmpty, coefficients.count % dimension == 0 else {
        throw WordReader.Mismatch()
      }
      return StepInterpolant(
        start: start, end: end, lossAtEnd: loss, coefficients: coefficients, dimension: dimension)
    }
    samplesTaken = try reader.integer()
    for (name, time) in try reader.list({ reader throws(WordReader.Mismatch) in
      (try reader.text(), Reached(time: try reader.real(), step: try reader.real()))
    }) {
      reached[name] = time
    }
    guard samplesTaken >= 0, !times.isEmpty else { throw WordReader.Mismatch() }
  }
}

extension Statistics {
  fileprivate func append(to writer: inout WordWriter) {
    for count in Statistics.counts { writer.add(self[keyPath: count]) }
  }

  fileprivate init(from reader: inout WordReader) throws(WordReader.Mismatch) {
    self.init()
    for count in Statistics.counts { self[keyPath: count] = try reader.integer() }
  }
}
