import DeclaredKeys
import FlowAnalysis
import GradientFlow
import MixedTargets
import Objectives
import RunRecords

/// The mixed target and its transformer, planned.
struct MixedTargetPlan: PlannedSystem {
  let loaded: LoadedExperiment
  let settings: MixedTargetSettings
  let start: [Double]
  let size: ProblemSize

  /// Plans a flow of the mixed target.
  ///
  /// - Parameters:
  ///   - loaded: the experiment.
  ///   - settings: its target and transformer.
  ///   - memoryLimit: bytes that may be used; nil for no limit.
  /// - Throws: `DocumentError` when something about it shows only now: a start that does not fit, a
  ///   problem larger than the memory.
  init(
    _ loaded: LoadedExperiment, _ settings: MixedTargetSettings, memoryLimit: Int?
  ) throws(DocumentError) {
    self.loaded = loaded
    self.settings = settings
    size = ProblemSize(settings)
    if let memoryLimit, size.bytes > Double(memoryLimit) {
      throw loaded.error(
        at: settings.sequences == nil
          ? ExperimentKeys.length.address() : ExperimentKeys.sequences.address(),
        found: "a problem of up to \(size.bytesText)",
        allowed: "\(ProblemSize.text(ofBytes: Double(memoryLimit))), the memory available",
        advice: "use fewer or shorter sequences, or loss.induction: tabulated, which keeps none")
    }
    start = try Self.start(loaded, settings)
    try checkFirstLayer()
  }

  /// p₁ from a file against what the loss and the stages need.
  private func checkFirstLayer() throws(DocumentError) {
    guard case .file = settings.start else { return }
    if settings.induction == .tabulated, start[0] != .infinity {
      throw loaded.error(
        at: ExperimentKeys.initialFile.address(), .contradiction,
        found: "p1 = \(start[0]) with loss.induction: tabulated",
        allowed: "a file without p1, which is infinite then: the table is made for that",
        advice: "write loss.induction: sampled or reduced, or take p1 out of a copy of the file")
    }
    let trains = loaded.experiment.stages.contains { $0.groups.contains(.firstRate) }
    if trains, start[0] == .infinity {
      throw loaded.error(
        at: ExperimentKeys.initialFile.address(), .contradiction,
        found: "a file without p1, which is infinite then, and a stage that trains it",
        allowed: "a finite p1 where a stage trains it",
        advice: "add p1 to a copy of the file, or leave p1 out of the stages")
    }
  }

  var layout: ParameterLayout { settings.transformer.layout }
  var observableNames: [String] { MixedObjective.observableNames(of: settings.target) }

  private static func start(
    _ loaded: LoadedExperiment, _ settings: MixedTargetSettings
  ) throws(DocumentError) -> [Double] {
    let names = settings.transformer.layout.names
    switch settings.start {
    case .values(let size, let firstRate, let exceptions):
      var start = settings.transformer.initialParameters(size: size, firstRate: firstRate)
      for (index, name) in names.enumerated() { start[index] = exceptions[name] ?? start[index] }
      return start
    case .file(let path):
      let found = try FinalParameters(contentsOf: path).parameters
      // An infinite p₁ is left out of the file.
      guard Set(found.map(\.name)).union(["p1"]) == Set(names) else {
        throw loaded.error(
          at: ExperimentKeys.initialFile.address(), .contradiction,
          found: "a file with the parameters \(found.map(\.name).joined(separator: ", "))",
          allowed: "the model's parameters \(names.joined(separator: ", "))",
          advice: "start from a run of the same model")
      }
      let values = Dictionary(found.map { ($0.name, $0.value) }) { first, _ in first }
      return names.map { values[$0] ?? .infinity }
    }
  }

  func objective(_ induction: MixedObjective.Induction, threads: Int) -> MixedObjective {
    MixedObjective(
      settings.target, settings.transformer, induction: induction, origin: start, threads: threads)
  }

  func prepared(threads: Int, sharing: SharedData) -> any PreparedSystem {
    let induction: MixedObjective.Induction
    switch (settings.induction, settings.target.length, settings.sequences) {
    case (.tabulated, _, .some(let count)):
      induction = .tabulated(
        InductionTable(
          settings.target, count: count, seed: UInt64(settings.seed), threads: threads))
    case (.sampled, .some(let length), .some(let count)):
      induction = .sampled(
        GaussianSample(
          count: count, length: length, seed: UInt64(settings.seed), threads: threads))
    default: induction = .reduced
    }
    return PreparedMixedTarget(
      plan: self, loss: objective(induction, threads: threads), threads: threads)
  }

  /// p₁, p, v₁, v and K.
  func summary(at parameters: [Double]) -> SystemSummary {
    let product = settings.transformer.product(parameters.span)
    let d = settings.transformer.dimension
    let k = (0..<d).reduce(0) { $0 + product[$1 * (d + 1)] } / Double(d)
    let values = [
      ("p1", parameters[0]), ("p", parameters[1]), ("v1", parameters[2]), ("v", parameters[3]),
      ("k", k),
    ]
    func text(_ format: String) -> String {
      values.map { "\($0) \($1.formatted(format))" }.joined(separator: "  ")
    }
    return SystemSummary(
      quantities: values.map { .init($0, $1) }, progress: text("%.4g"),
      sentence: values.map { "\($0) = \($1.formatted("%.6g"))" }.joined(separator: ", "))
  }

  func infiniteStart(_ loss: Double) -> DocumentError {
    let isFile = if case .file = settings.start { true } else { false }
    let (low, high) = (
      InductionTable.range(of: settings.target).lowerBound,
      InductionTable.range(of: settings.target).upperBound
    )
    let allowed =
      switch settings.induction {
      case .reduced: "2 w_K² w_Q² < 1, and for infinite length p₁ > 0 and p > 0"
      case .tabulated: "w_K w_Q in \(Float(low))…\(Float(high)), which the table covers"
      case .sampled: "parameters at which the loss is finite"
      }
    return loaded.error(
      at: isFile ? ExperimentKeys.initialFile.address() : ExperimentKeys.sigma.address(),
      found: "a start at which \(notFinite(loss))", allowed: allowed,
      advice: "start at smaller values")
  }
}

extension MixedTargetPlan {
  func evaluation(of parameters: [Double], threads: Int) throws(DocumentError) -> Evaluation {
    throw loaded.error(
      at: ExperimentKeys.family.address(), found: "mixed-target", allowed: "induction-heads",
      advice: "evaluate a run of the induction-head transformer")
  }
}

/// A loss of the mixed target that stands.
struct PreparedMixedTarget: PreparedSystem {
  let plan: MixedTargetPlan
  let loss: MixedObjective
  let threads: Int

  var objective: any Objective { loss }

  var description: String {
    let target = plan.settings.target
    let form = target.form == .vector ? "vector target" : "sum target"
    return "\(form), α* = \(target.proportion.formatted("%.6g")), w* = "
      + "\(target.weight.formatted("%.6g")); \(plan.size.extent)"
  }

  /// The tokens of a sample, shape (S, L).
  func arrays() -> (file: FileName, arrays: [String: NumPyArray])? {
    guard case .sampled(let sample) = loss.induction else { return nil }
    return (
      .corpus,
      [
        "tokens": NumPyArray(
          shape: [sample.count, sample.length],
          elements: .float64((0..<sample.count).flatMap { sample.sequence($0) }))
      ]
    )
  }

  /// Solves the flows of disjoint parts of the sample: their spread over √(number of parts).
  func samplingErrors(
    of problem: FlowProblem, _ trajectory: Trajectory, solvedWith options: SolverOptions,
    observer: @escaping (FlowProgress) -> Bool
  ) -> [String: Double] {
    let parts = loss.parts(threads: threads)
    guard parts.count > 1, !trajectory.events.isEmpty, trajectory.isWhole else { return [:] }
    var times: [String: [Double]] = [:]
    var options = options
    options.eventErrors = false
    for part in parts {
      let flow = FlowProblem(minimizing: part, from: problem.start, stages: problem.stages)
      guard
        let found = try? FlowSolver(options: options).solve(
          flow, sampling: nil, observer: observer)
      else { continue }
      if found.stages.last?.ending == .stopped { return [:] }
      for event in found.events where event.isReached {
        times[event.name, default: []].append(
          event.time - found.stages[event.stage].startTime)
      }
    }
    return times.filter { $0.value.count == parts.count }
      .mapValues { Sample($0).standardError }
  }

  func judged(
    _ claims: [Claim], _ problem: FlowProblem, _ trajectory: Trajectory,
    solvedWith options: SolverOptions, sampling: SampleSchedule, samplingErrors: [String: Double]
  ) -> (findings: [Finding], swept: SweptFlow?) {
    let isWhole = trajectory.isWhole
    let needsLaws =
      isWhole
      && claims.contains {
        [.earlyDrop, .emergence, .overshoot, .convergenceRate].contains($0)
      }
    let evidence = MixedEvidence(
      loss, trajectory, options: options, samplingErrors: samplingErrors,
      reduced: isWhole && claims.contains(.emergence) ? reduced(problem, options, sampling) : nil,
      table: needsLaws ? table(ofOtherTokens: false) : nil,
      otherTable: isWhole && claims.contains(.emergence) ? table(ofOtherTokens: true) : nil)
    let findings = claims.flatMap { evidence.findings(of: $0) }
    return (findings, SweptFlow(evidence, axes: [:], findings: findings))
  }

  func batches() -> (any BatchSource)? { nil }

  /// The in-context part of a sampled loss as a table, of the same tokens or of others; nil if none is sampled.
  private func table(ofOtherTokens: Bool) -> MixedObjective? {
    guard case .sampled(let sample) = loss.induction else { return nil }
    let seed = UInt64(plan.settings.seed)
    return plan.objective(
      .tabulated(
        InductionTable(
          plan.settings.target, count: sample.count, seed: ofOtherTokens ? ~seed : seed,
          threads: threads, isControlled: ofOtherTokens)), threads: threads)
  }

  /// The same flow to leading order; nil if it is that already, or cannot be had.
  private func reduced(
    _ problem: FlowProblem, _ options: SolverOptions, _ sampling: SampleSchedule
  ) -> Trajectory? {
    if case .reduced = loss.induction { return nil }
    guard plan.settings.target.weight < MixedTarget.thresholdWeight else { return nil }
    let flow = FlowProblem(
      minimizing: plan.objective(.reduced, threads: 1), from: problem.start, stages: problem.stages)
    return try? FlowSolver(options: options.alone).solve(flow, sampling: sampling)
  }
}
