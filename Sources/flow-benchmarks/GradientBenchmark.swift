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
  @Option(help: "Threads of one evaluation.") var threads = 1
  @Option(help: "Evaluations to time.") var repetitions = 21
  @Flag(help: "Print the median time of a gradient in milliseconds, and nothing else.")
  var milliseconds = false

  func validate() throws {
    guard sequences > 0, length > window, vocabulary > 1, heads <= window, degree <= heads,
      threads > 0, repetitions > 0
    else {
      throw ValidationError("Sizes must be positive, with D ≤ H ≤ M < L and d ≥ 2.")
    }
  }

  func run() throws {
    let problem = BenchmarkProblem(
      sequences: sequences, chains: chains, length: length, vocabulary: vocabulary,
      window: window, heads: heads, degree: degree, concentration: concentration)
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
