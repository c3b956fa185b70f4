import ArgumentParser
import CVODE
import Corpora
import Foundation
import GradientFlow
import InductionHeads
import Objectives

/// `flow-benchmarks survey`: every part over a range of sizes, as CSV.
struct Survey: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "survey",
    abstract: "Time, work and share of the machine's limits of each part, over sizes, as CSV.",
    discussion: """
      Parts: gradient, hessian (over all of θ), token (sampled, compressed, counts sorted), and run (three stages to \
      1e5 each at a relative tolerance of 1e-6, without error bars). Operations and bytes are counted \
      from the formulas; peaks are measured first, on as many threads. Milliseconds are those of one gradient, Hessian, \
      token or run.
      """)

  @Option(help: "The most threads; one and this many are measured.") var threads = 2
  @Option(help: "Evaluations to time.") var repetitions = 21
  @Flag(help: "Leave out what takes more than a few seconds.") var quick = false

  func validate() throws {
    try check("threads", threads, 1...64)
    try check("repetitions", repetitions, 1...1_000_000)
  }

  /// The paper's size, and each size varied alone.
  private var problems: [BenchmarkProblem] {
    var problems = [BenchmarkProblem(), BenchmarkProblem(window: 5)]
    problems += [1000, 100_000].map { BenchmarkProblem(sequences: $0, window: 5) }
    problems += [1000].map { BenchmarkProblem(length: $0, window: 5) }
    problems += [2, 5, 20].map { BenchmarkProblem(vocabulary: $0) }
    problems += [4, 6, 7].map { BenchmarkProblem(window: $0) }
    problems += [2, 4, 5].map { BenchmarkProblem(window: 5, heads: $0) }
    problems += [1, 3].map { BenchmarkProblem(window: 5, degree: $0) }
    problems += [100, 1000].map { BenchmarkProblem(chains: $0, window: 5) }
    if !quick {
      problems += [
        BenchmarkProblem(sequences: 1_000_000), BenchmarkProblem(sequences: 100, length: 10_000),
        BenchmarkProblem(sequences: 100, length: 1_000_000),
      ]
    }
    return problems
  }

  func run() throws {
    print(
      "part,sequences,chains,length,vocabulary,window,heads,degree,threads,milliseconds,flops,bytes,"
        + "gigaflops,gigabytes_per_second,share_of_peak,share_of_bandwidth,entries,note")
    for threads in Set([1, threads]).sorted() {
      let limits = MachineLimits(threads: threads)
      row("peak", nil, threads, nil, nil, limits, note: peak(limits))
      for problem in problems { survey(problem, threads, limits) }
    }
  }

  private func peak(_ limits: MachineLimits) -> String {
    String(
      format: "%.1f Gflop/s and %.1f GB/s on %@", limits.flops / 1e9, limits.bandwidth / 1e9,
      kernelInstructionSet)
  }

  private func survey(_ problem: BenchmarkProblem, _ threads: Int, _ limits: MachineLimits) {
    var made: GIHObjective?
    let sampling = milliseconds { made = problem.objective(threads: threads) }
    guard let objective = made else { return }
    if problem.chains == 0 {
      let tokens = Double(problem.sequences) * Double(problem.length + 1)
      row(
        "token", problem, threads, sampling / tokens, nil, limits, entries(objective),
        note: String(format: "%.3g tokens/s", tokens / sampling * 1e3))
    }
    let evaluator = objective.makeEvaluator(threads: threads)
    let points = problem.points
    let gradient = medianMilliseconds(repetitions, at: points) {
      _ = evaluator.lossAndGradient(at: $0)
    }
    row(
      "gradient", problem, threads, gradient, objective.gradientWork, limits, entries(objective))
    let hessian = medianMilliseconds(max(1, repetitions / 4), at: points) {
      _ = evaluator.hessian(at: $0)
    }
    row("hessian", problem, threads, hessian, objective.hessianWork, limits, entries(objective))
    if problem.chains > 0, quick { return }
    run(problem, objective, threads, limits)
  }

  private func run(
    _ problem: BenchmarkProblem, _ objective: GIHObjective, _ threads: Int, _ limits: MachineLimits
  ) {
    let flow = FlowProblem(
      minimizing: objective,
      from: problem.model.initialParameters(ownWeight: 3, otherWeight: 0, scale: 0.01),
      stages: [("selection", "c"), ("copying", "w"), ("classification", "a")].map {
        Stage(name: $0.0, training: [$0.1], until: 1e5)
      })
    let solver = FlowSolver(
      options: SolverOptions(
        relativeTolerance: 1e-6, absoluteTolerance: 1e-8, eventErrors: false, threads: threads))
    var counts = "failed"
    let time = milliseconds {
      guard
        let trajectory = try? solver.solve(
          flow, sampling: SampleSchedule(first: 0.01, perDecade: 20, sharpness: false))
      else { return }
      let statistics = trajectory.stages.map(\.statistics)
      counts =
        "\(statistics.reduce(0) { $0 + $1.steps }) steps "
        + "\(statistics.reduce(0) { $0 + $1.derivativeEvaluations }) gradients "
        + "\(statistics.reduce(0) { $0 + $1.jacobianEvaluations }) Hessians"
    }
    row("run", problem, threads, time, nil, limits, entries(objective), note: counts)
  }

  private func entries(_ objective: GIHObjective) -> Int {
    switch objective.data {
    case .corpus(let corpus): corpus.entryCount
    case .population(let law): law.joint.count
    }
  }

  private func row(
    _ part: String, _ problem: BenchmarkProblem?, _ threads: Int, _ milliseconds: Double?,
    _ work: EvaluationWork?, _ limits: MachineLimits, _ entries: Int? = nil, note: String = ""
  ) {
    var fields = [part]
    let sizes = problem.map {
      [$0.sequences, $0.chains, $0.length, $0.vocabulary, $0.window, $0.heads, $0.degree]
    }
    fields += sizes?.map(String.init) ?? [String](repeating: "", count: 7)
    fields.append("\(threads)")
    func text(_ value: Double?) -> String { value.map { String(format: "%.4g", $0) } ?? "" }
    let seconds = milliseconds.map { $0 / 1e3 }
    let rates = work.flatMap { work in seconds.map { (work.flops / $0, work.bytes / $0) } }
    fields += [
      text(milliseconds), text(work?.flops), text(work?.bytes), text(rates.map { $0.0 / 1e9 }),
      text(rates.map { $0.1 / 1e9 }), text(rates.map { $0.0 / limits.flops }),
      text(rates.map { $0.1 / limits.bandwidth }), entries.map(String.init) ?? "", note,
    ]
    print(fields.joined(separator: ","))
    // Into a file, too, so that nothing is lost when it is stopped.
    fflush(nil)
  }
}
