import ArgumentParser
import Corpora
import Foundation
import InductionHeads
import Objectives

/// `flow-benchmarks gradient`: one loss and gradient over a sampled corpus, or in infinite context.
struct GradientBenchmark: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "gradient", abstract: "The median time of one loss and gradient.")

  @Option(help: "N, the number of sequences.") var sequences = 10_000
  @Option(help: "K, chains in infinite context; 0 for sequences of finite length.") var chains = 0
  @Option(help: "L, the length of a sequence.") var length = 100
  @Option(help: "d, the vocabulary.") var vocabulary = 3
  @Option(help: "M, the window.") var window = 3
  @Option(help: "H, the number of heads.") var heads = 3
  @Option(help: "D, the degree.") var degree = 2
  @Option(help: "α of the Dirichlet prior; parents are lags 1 and 2.") var concentration = 0.1
  @Option(
    help: "Hidden units and features m of a full transformer's network; 0 for TF(M, H, d, D).")
  var network = 0
  @Option(help: "Threads of one evaluation.") var threads = 1
  @Option(help: "Evaluations to time.") var repetitions = 21
  @Flag(help: "Print the median time of a gradient in milliseconds, and nothing else.")
  var milliseconds = false

  func validate() throws {
    try check("chains", chains, 0...1_000_000)
    try check("window", window, 2...(chains == 0 ? 39 : 7))
    if chains == 0 {
      try check("sequences", sequences, 1...10_000_000)
      try check("length", length, window + 1...1 << 24)
    }
    // A transition kernel has d² rows, and a stationary law at most 4096 states.
    try check("vocabulary", vocabulary, 2...64)
    try check("heads", heads, 1...min(12, window))
    try check("degree", degree, 1...heads)
    try check("network", network, 0...(chains == 0 ? 4096 : 0))
    try check("threads", threads, 1...256)
    try check("repetitions", repetitions, 1...1_000_000)
    guard (1e-8...1e8).contains(concentration) else {
      throw ValidationError("--concentration is \(concentration); allowed is 1e-8…1e8.")
    }
    guard chains > 0 || sequences <= 4_000_000_000 / (length + 1) else {
      throw ValidationError(
        "--sequences \(sequences) of --length \(length) are more than 4·10⁹ tokens; use fewer.")
    }
    let windows = (0..<window).reduce(1.0) { product, _ in product * Double(vocabulary) }
    guard chains == 0 || Double(chains) * windows * Double(vocabulary) <= 1e9 else {
      throw ValidationError(
        "--chains \(chains) have laws of more than 10⁹ numbers over windows of --window \(window) "
          + "with --vocabulary \(vocabulary); use less of one of them.")
    }
  }

  /// A gradient and a product with the Hessian of a full transformer, whose Hessian nobody wants.
  private func runFull(_ problem: BenchmarkProblem) {
    let (objective, points) = problem.full(threads: threads)
    let evaluator = objective.makeEvaluator(threads: threads)
    let gradient = medianMilliseconds(repetitions, at: points) {
      _ = evaluator.lossAndGradient(at: $0)
    }
    if milliseconds {
      print(String(format: "%.4f", gradient))
      return
    }
    let product = medianMilliseconds(repetitions, at: points) {
      _ = evaluator.hessianVectorProduct(at: $0, direction: points[0])
    }
    guard case .corpus(let corpus) = objective.data else { return }
    print("parameters,windows,pairs,entries,gradient_ms,product_ms")
    print(
      "\(objective.layout.count),\(corpus.windows.count),\(corpus.pairCount),\(corpus.entryCount),"
        + String(format: "%.4f,%.4f", gradient, product))
  }

  func run() throws {
    let problem = BenchmarkProblem(
      sequences: sequences, chains: chains, length: length, vocabulary: vocabulary,
      window: window, heads: heads, degree: degree, concentration: concentration,
      network: network)
    if network > 0 { return runFull(problem) }
    let clock = ContinuousClock()
    let begin = clock.now
    let objective = problem.objective(threads: threads)
    let sampled = clock.now - begin
    let evaluator = objective.makeEvaluator(threads: threads)
    let points = problem.points

    let gradient = medianMilliseconds(repetitions, at: points) {
      _ = evaluator.lossAndGradient(at: $0)
    }
    if milliseconds {
      print(String(format: "%.4f", gradient))
      return
    }
    let product = medianMilliseconds(repetitions, at: points) {
      _ = evaluator.hessianVectorProduct(at: $0, direction: points[0])
    }
    let hessian = medianMilliseconds(repetitions, at: points) { _ = evaluator.hessian(at: $0) }
    let ofGroup = ["c", "w", "a"].map { group in
      let positions = objective.layout.indices(ofGroups: [group])
      return medianMilliseconds(repetitions, at: points) {
        _ = evaluator.hessian(at: $0, among: positions)
      }
    }
    let seconds =
      Double(sampled.components.seconds) + Double(sampled.components.attoseconds) / 1e18
    let (windows, pairs, entries, bytes) =
      switch objective.data {
      case .corpus(let corpus):
        (corpus.windows.count, corpus.pairCount, corpus.entryCount, corpus.bytes)
      case .population(let law):
        (law.windows.count, law.windows.count * law.windows.count, law.joint.count, law.bytes)
      }
    print(
      "windows,pairs,entries,bytes,data_s,gradient_ms,product_ms,hessian_ms,"
        + "hessian_c_ms,hessian_w_ms,hessian_a_ms")
    print(
      "\(windows),\(pairs),\(entries),\(bytes),"
        + ([gradient, product, hessian] + ofGroup).reduce(String(format: "%.3g", seconds)) {
          $0 + String(format: ",%.4f", $1)
        })
  }
}
