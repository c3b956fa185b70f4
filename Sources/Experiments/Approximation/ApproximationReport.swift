public import MixedTargets
public import RunRecords

/// What `gradflow approximate` measured.
public struct ApproximationReport: Sendable, Equatable, TableReport {
  /// One similarity with its rows.
  public struct Similarity: Sendable, Equatable {
    /// The study.
    public let study: SimilarityStudy
    /// One row for every rank.
    public let rows: [SimilarityStudy.Row]
  }

  /// IH₂.
  public internal(set) var bigrams: [BigramStudy.Row] = []
  /// Single lags.
  public internal(set) var lags: [LagStudy.Row] = []
  /// Lag kernels at single positions.
  public internal(set) var positions: [LagStudy.PositionRow] = []
  /// IH_n.
  public internal(set) var patches: [PatchStudy.Row] = []
  /// Similarities.
  public internal(set) var similarities: [Similarity] = []
  /// Whether the user stopped it, so that rows are missing.
  public internal(set) var isStopped = false
  /// How long it took, in seconds.
  public internal(set) var seconds = 0.0

  /// All measured errors with their bounds, by what they bound.
  private var results: [(name: String, explanation: String, results: [BoundedError])] {
    let ranks = similarities.flatMap(\.rows)
    return [
      (
        "IH2", "‖IH₂ − TF‖_∞ over 2‖W*‖_{1,1}e^{−p}, the largest ratio",
        bigrams.map(\.result)
      ),
      (
        "lag kernels", "ℓ¹ error in double precision over the exact one with its rounding",
        lags.map(\.result)
      ),
      (
        "too few heads", "1 over the ℓ¹ error with fewer heads than the lag",
        lags.compactMap(\.lowerBound)
      ),
      (
        "positions", "ℓ¹ error of the softmax at a position over that of the kernel",
        positions.map(\.result)
      ),
      (
        "IHn", "‖IH_n − TF‖_∞ over the bound from the kernels of the slots",
        patches.map(\.result)
      ),
      (
        "similarities", "sup error of rank R over the tail Σ σ_r ‖φ_r‖_∞²",
        ranks.map(\.supremum)
      ),
      (
        "GIH2", "‖GIH₂ − TF‖_∞ over the bound from the tail of the similarity",
        ranks.map(\.output)
      ),
    ].filter { !$0.2.isEmpty }
  }

  /// One check for each kind of bound: the largest ratio of error and bound, which is at most 1.
  public var checks: [LawCheck] {
    results.map { name, explanation, results in
      let worst = results.max { $0.ratio < $1.ratio }?.ratio ?? 0
      return LawCheck(
        name: name, value: results.contains { $0.ratio.isNaN } ? .nan : worst, limit: 1,
        isPassed: results.allSatisfy(\.holds),
        explanation: "\(explanation); \(results.count) values")
    }
  }
}

// MARK: - Tables

extension ApproximationReport {
  /// The tables of the parts that were run, by the names of their files.
  public var tables: [(name: FileName, table: Table)] {
    [
      (.bigrams, bigramTable), (.lags, lagTable), (.positions, positionTable),
      (.patches, patchTable), (.similarities, similarityTable),
    ].filter { $0.1.rowCount > 0 }
  }

  private var bigramTable: Table {
    var table = Table(columns: [
      "dimension", "norm", "length", "input", "rate", "sequences", "error", "bound", "ratio",
    ])
    for row in bigrams {
      table.append([
        .integer(row.dimension), .real(row.norm), .integer(row.length),
        .text(row.input.rawValue), .real(row.rate), .integer(row.sequences),
        .real(row.result.error), .real(row.result.bound), .real(row.result.ratio),
      ])
    }
    return table
  }

  private var lagTable: Table {
    var table = Table(columns: [
      "lag", "heads", "nodes", "budget", "error", "weight", "measured_error", "rounding_floor",
      "rounding_allowance", "interpolating_error", "interpolating_weight", "rates",
    ])
    for row in lags {
      let kernel = row.kernel
      table.append([
        .integer(kernel.lag), .integer(row.heads), .text(row.choice.rawValue),
        .real(row.budget), .real(kernel.error), .real(kernel.weight), .real(row.result.error),
        .real(kernel.roundingFloor), .real(kernel.roundingAllowance),
        row.interpolating.map { .real($0.error) } ?? .empty,
        row.interpolating.map { .real($0.weight) } ?? .empty,
        .text(kernel.nodes.rates.map { "\($0)" }.joined(separator: " ")),
      ])
    }
    return table
  }

  private var positionTable: Table {
    var table = Table(columns: [
      "lag", "heads", "nodes", "position", "error", "kernel_error", "rounding_allowance",
    ])
    for row in positions {
      table.append([
        .integer(row.kernel.lag), .integer(row.kernel.nodes.count), .text(row.choice.rawValue),
        .integer(row.position), .real(row.result.error), .real(row.kernel.error),
        .real(row.kernel.roundingAllowance),
      ])
    }
    return table
  }

  private var patchTable: Table {
    var table = Table(columns: [
      "order", "heads", "nodes", "budget", "dimension", "norm", "input", "sequences", "error",
      "bound", "ratio", "kernel_error", "weight", "rounding_floor",
    ])
    for row in patches {
      let transformer = row.transformer
      let longest = transformer.kernels[transformer.kernels.count - 1]
      table.append([
        .integer(transformer.order), .integer(row.heads), .text(row.choice.rawValue),
        .real(row.budget), .integer(transformer.dimension), .real(transformer.norm),
        .text(row.input.rawValue), .integer(row.sequences), .real(row.result.error),
        .real(row.result.bound), .real(row.result.ratio), .real(longest.error),
        .real(transformer.weight), .real(transformer.weight * 0x1p-52),
      ])
    }
    return table
  }

  private var similarityTable: Table {
    var table = Table(columns: [
      "kernel", "parameter", "measure", "rank", "square_error", "square_tail", "error", "bound",
      "ratio", "output_error", "output_bound",
    ])
    for (study, row) in similarities.flatMap({ part in part.rows.map { (part.study, $0) } }) {
      let parameter: Cell =
        switch study.kernel {
        case .gaussian(let width): .real(width)
        case .polynomial(let degree): .integer(degree)
        case .absolute: .empty
        }
      table.append([
        .text(study.kernel.name.rawValue), parameter, .text(study.measure.rawValue),
        .integer(row.rank), .real(row.squareError), .real(row.squareTail),
        .real(row.supremum.error), .real(row.supremum.bound), .real(row.supremum.ratio),
        .real(row.output.error), .real(row.output.bound),
      ])
    }
    return table
  }
}
