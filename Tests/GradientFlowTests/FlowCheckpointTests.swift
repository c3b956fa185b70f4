import CVODE
import GradientFlow
import TestSupport
import Testing

@Suite struct FlowCheckpointTests {
  private static let schedule = SampleSchedule(first: 1e-3, perDecade: 7, sharpness: true)
  private static let options = SolverOptions(
    relativeTolerance: 1e-9, absoluteTolerance: 1e-12, checkpointSteps: 40)

  /// Two stages with a located event, an event of a fallen loss, and a stop condition.
  private static let problem = FlowProblem(
    minimizing: Quadratic(rates: [1, 3, 0.01, 40]), from: [1, 2, 3, 4],
    stages: [
      Stage(name: "x", training: ["x"], until: 2),
      Stage(
        name: "y", training: ["y"], until: 1e4,
        stoppingWhen: [StopCondition("loss", .below, 1e-6 + 0.5 * 0.0183)]),
    ])

  private func solved(
    _ options: SolverOptions = options, from last: FlowCheckpoint? = nil,
    observer: @escaping (FlowProgress) -> Bool = { _ in true }
  ) throws -> (trajectory: Trajectory, kept: [FlowCheckpoint]) {
    var kept: [FlowCheckpoint] = []
    let trajectory = try FlowSolver(options: options).solve(
      Self.problem, sampling: Self.schedule,
      checkpoints: CheckpointKeeping(from: last) { kept.append($0) }, observer: observer)
    return (trajectory, kept)
  }

  private func read(_ words: [UInt64]) -> FlowCheckpoint? {
    FlowCheckpoint(words: words, of: Self.problem, sampling: Self.schedule)
  }

  /// From every checkpoint, written and read back, the flow goes on to the same bits.
  @Test func everyCheckpointLeadsToTheSameBits() throws {
    let (trajectory, kept) = try solved()
    let end = try #require(kept.last)
    #expect(end.isSolved && end.trajectory.isWhole)
    #expect(trajectory.events.map(\.name) == ["half", "fallen"])
    #expect(trajectory.events.allSatisfy { $0.isReached && $0.error != nil })
    let perStage = [0, 1].map { stage in trajectory.steps.count { $0.stage == stage } }
    // One within a stage after every 40 steps, one at the end of each stage, of two solves, and the last.
    #expect(perStage.allSatisfy { $0 > 80 }, "\(perStage)")
    #expect(kept.count > 2 * perStage.map { $0 / 40 }.reduce(0, +) + 3)
    for (index, checkpoint) in kept.enumerated() {
      let stored = try #require(read(checkpoint.words), "checkpoint \(index)")
      #expect(stored.words == checkpoint.words)
      #expect(stored.isOf(Self.problem, threads: 1))
      let (again, rest) = try solved(from: stored)
      let isSame = rest.last?.words ?? stored.words == end.words
      #expect(isSame, "from checkpoint \(index)")
      #expect(again.samples == trajectory.samples && again.steps == trajectory.steps)
      #expect(again.events == trajectory.events)
      #expect(rest.count == max(0, kept.count - 1 - index))
    }
  }

  /// Interrupted after any step, in either solve, the last checkpoint is as good as any other.
  @Test func interruptionsAtAnyStepChangeNothing() throws {
    let (_, kept) = try solved()
    let end = try #require(kept.last).words
    for allowed in stride(from: 1, to: 600, by: 37) {
      var last: FlowCheckpoint?
      var attempts = 0
      while true {
        attempts += 1
        var left = allowed
        let (_, found) = try solved(from: last) { _ in
          left -= 1
          return left > 0
        }
        last = found.last ?? last
        // What is never let reach a boundary gets no further.
        if last?.isSolved == true || allowed <= 40 || attempts > 2000 { break }
      }
      if allowed > 40 {
        let isSame = last?.words == end
        #expect(isSame, "\(allowed) steps at a time")
      }
    }
  }

  /// Restart boundaries are no part of the flow: events stay within their error bars.
  @Test(arguments: [50, 100, 200]) func boundariesChangeNothingBeyondTheTolerance(steps: Int) throws
  {
    var options = Self.options
    options.checkpointSteps = 1_000_000
    let (whole, _) = try solved(options)
    options.checkpointSteps = steps
    let (cut, _) = try solved(options)
    for (one, other) in zip(whole.events, cut.events) {
      #expect(one.name == other.name)
      #expect(abs(one.time - other.time) <= (one.error ?? 0) + (other.error ?? 0))
    }
    #expect(cut.steps.count > whole.steps.count)
    #expect(cut.stages[1].statistics.steps == cut.steps.count { $0.stage == 1 })
  }

  /// Words that were cut off or changed are refused, or read as other numbers; never a crash.
  @Test func otherWordsAreNoCheckpoint() throws {
    let (_, kept) = try solved()
    var random = SeededRandom(11)
    for checkpoint in kept {
      let words = checkpoint.words
      for count in [0, 1, 2, words.count / 2, words.count - 1] {
        #expect(read(Array(words[..<count])) == nil)
      }
      #expect(read(words + [0]) == nil)
      for _ in 0..<20 {
        var changed = words
        let position = Int.random(in: 0..<words.count, using: &random)
        changed[position] = UInt64.random(in: 0...UInt64.max, using: &random)
        _ = read(changed)
        changed[position] = words[position] ^ (1 << UInt64.random(in: 0..<64, using: &random))
        _ = read(changed)
      }
    }
    // Every word of the smallest one, with the largest and smallest values.
    let words = try #require(kept.first).words
    for position in words.indices {
      for value in [Int.max, .min, -1, 1 << 40].map({ UInt64(bitPattern: Int64($0)) }) {
        var changed = words
        changed[position] = value
        _ = read(changed)
      }
    }
    let other = FlowProblem(
      minimizing: TwoLayers(), from: [0.1, 0.2],
      stages: [Stage(name: "all", training: ["u", "v"], until: 30)])
    #expect(
      kept.allSatisfy {
        FlowCheckpoint(words: $0.words, of: other, sampling: Self.schedule) == nil
      })
  }

  /// A checkpoint of another loss is told from its first loss.
  @Test func checkpointsOfOtherDataAreTold() throws {
    let checkpoint = try #require(try solved().kept.first)
    var other = Self.problem
    other.objective = Quadratic(rates: [1, 3, 0.01, 40.0000001])
    #expect(checkpoint.isOf(Self.problem, threads: 1))
    var start = Self.problem
    start.start[1] = 2.0000001
    #expect(!checkpoint.isOf(start, threads: 1))
    #expect(!checkpoint.isOf(other, threads: 1))
  }
}
