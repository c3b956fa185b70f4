import Experiments
import Foundation
import MixedTargets
import RunRecords

/// The tables that `gradflow approximate` ends with.
struct ApproximationSummary {
  let experiment: ApproximationExperiment
  let report: ApproximationReport

  var text: String {
    var blocks: [[String]] = []
    if let question = experiment.question { blocks.append([question]) }
    if !report.bigrams.isEmpty { blocks.append(bigrams) }
    if !report.lags.isEmpty { blocks.append(lags) }
    if !report.positions.isEmpty { blocks.append(positions) }
    if !report.patches.isEmpty { blocks.append(patches) }
    if !report.similarities.isEmpty { blocks.append(similarities) }
    blocks.append(checks)
    return blocks.map { $0.joined(separator: "\n") }.joined(separator: "\n\n")
  }

  /// A part in a few words, for live progress.
  static func name(of part: ApproximationRun.Part) -> String {
    switch part {
    case .bigrams: "IH₂"
    case .lag(let lag): "lag \(lag)"
    case .patches(let order): "IH_\(order)"
    case .similarity(let kernel): "similarity \(kernel.name.rawValue)"
    }
  }

  // MARK: - IH₂

  /// For each d, norm and rate the worst sequence of all lengths and inputs.
  private var bigrams: [String] {
    var lines = [
      "IH₂, one head per layer: sup ‖IH₂ − TF‖_∞ over all lengths and inputs, beside "
        + "2‖W*‖_{1,1}e^{−p}",
      "d".aligned(to: 6) + "‖W*‖".aligned(to: 9) + "p".aligned(to: 7) + "error".aligned(to: 14)
        + "bound".aligned(to: 14) + "ratio".aligned(to: 9) + "random".aligned(to: 9)
        + "  worst input",
    ]
    guard let study = experiment.bigrams else { return lines }
    for dimension in study.dimensions {
      for norm in study.norms {
        for rate in study.rates {
          let rows = report.bigrams.filter {
            $0.dimension == dimension && $0.norm == norm && $0.rate == rate
          }
          guard let worst = rows.max(by: { $0.result.ratio < $1.result.ratio }) else { continue }
          let random = rows.filter { $0.input != .squareWaves }.map(\.result.ratio).max()
          lines.append(
            "\(dimension)".aligned(to: 6) + number(norm).aligned(to: 9)
              + number(rate).aligned(to: 7) + error(worst.result.error).aligned(to: 14)
              + error(worst.result.bound).aligned(to: 14) + ratio(worst.result).aligned(to: 9)
              + (random.map { String(format: "%.4f", $0) } ?? "").aligned(to: 9)
              + "  \(worst.input.rawValue), L = \(worst.length)")
        }
      }
    }
    return lines
  }

  // MARK: - Lags

  /// One line for each kernel: a larger budget that changes nothing adds none.
  private var lags: [String] {
    let rows = report.lags.indices.filter { index in
      guard index > 0 else { return true }
      let (row, before) = (report.lags[index], report.lags[index - 1])
      return row.kernel != before.kernel || row.heads != before.heads
        || row.choice != before.choice
    }.map { report.lags[$0] }
    return [
      "Lag kernels: ‖f − δ‖₁ of the best found within Σ|weights| ≤ budget, exact and as double "
        + "precision gives it",
      "lag".aligned(to: 5) + "heads".aligned(to: 7) + "nodes".aligned(to: 11)
        + "budget".aligned(to: 10) + "Σ|weights|".aligned(to: 12) + "error".aligned(to: 12)
        + "in double".aligned(to: 12) + "floor".aligned(to: 12) + "  exact at offsets < H",
    ]
      + rows.map { row in
        let kernel = row.kernel
        return "\(kernel.lag)".aligned(to: 5) + "\(row.heads)".aligned(to: 7)
          + row.choice.rawValue.aligned(to: 11) + number(row.budget).aligned(to: 10)
          + error(kernel.weight).aligned(to: 12) + error(kernel.error).aligned(to: 12)
          + error(row.result.error).aligned(to: 12) + error(kernel.roundingFloor).aligned(to: 12)
          + (row.interpolating.map {
            "  \(error($0.error)) at \(error($0.weight))"
          } ?? "  needs \(kernel.lag) heads")
      }
  }

  private var positions: [String] {
    var lines = [
      "The softmax over the s − 1 tokens before position s: ‖f_s − δ‖₁, at most that of the kernel",
      "lag".aligned(to: 5) + "heads".aligned(to: 7) + "nodes".aligned(to: 11)
        + "kernel".aligned(to: 11) + "  s: error",
    ]
    var rest = report.positions[...]
    while let first = rest.first {
      let own = rest.prefix { $0.kernel == first.kernel && $0.choice == first.choice }
      lines.append(
        "\(first.kernel.lag)".aligned(to: 5) + "\(first.kernel.nodes.count)".aligned(to: 7)
          + first.choice.rawValue.aligned(to: 11) + error(first.kernel.error).aligned(to: 11)
          + "  "
          + own.map { "\($0.position): \($0.result.error.formatted(digits: 3))" }
          .joined(separator: ", "))
      rest = rest.dropFirst(own.count)
    }
    return lines
  }

  // MARK: - IH_n

  /// For each transformer the worst kind of input.
  private var patches: [String] {
    var lines = [
      "IH_n, heads shared by all lags: sup ‖IH_n − TF‖_∞ beside the bound from the kernels",
      "n".aligned(to: 4) + "heads".aligned(to: 7) + "nodes".aligned(to: 11)
        + "budget".aligned(to: 10) + "Σ|weights|".aligned(to: 12) + "kernel".aligned(to: 11)
        + "error".aligned(to: 12) + "bound".aligned(to: 12) + "ratio".aligned(to: 9)
        + "floor".aligned(to: 11) + "  worst input",
    ]
    var rest = report.patches[...]
    while let first = rest.first {
      let own = rest.prefix {
        $0.transformer == first.transformer && $0.choice == first.choice
          && $0.heads == first.heads
      }
      rest = rest.dropFirst(own.count)
      let worst = own.max { $0.result.error < $1.result.error } ?? first
      let longest = first.transformer.kernels[first.transformer.kernels.count - 1]
      lines.append(
        "\(first.transformer.order)".aligned(to: 4) + "\(first.heads)".aligned(to: 7)
          + first.choice.rawValue.aligned(to: 11) + number(first.budget).aligned(to: 10)
          + error(first.transformer.weight).aligned(to: 12)
          + error(longest.error).aligned(to: 11) + error(worst.result.error).aligned(to: 12)
          + error(worst.result.bound).aligned(to: 12) + ratio(worst.result).aligned(to: 9)
          + error(first.transformer.weight * 0x1p-52).aligned(to: 11)
          + "  \(worst.input.rawValue)")
    }
    return lines
  }

  // MARK: - Similarities

  private var similarities: [String] {
    var lines = [
      "Similarities of rank R: L²(μ) error beside the ℓ² tail, sup error beside Σ σ‖φ‖²_∞, GIH₂",
      "kernel".padded(to: 32) + "R".aligned(to: 5) + "L² error".aligned(to: 12)
        + "ℓ² tail".aligned(to: 12) + "sup error".aligned(to: 12) + "bound".aligned(to: 12)
        + "ratio".aligned(to: 9) + "GIH₂ error".aligned(to: 12) + "bound".aligned(to: 12),
    ]
    for part in report.similarities {
      for row in part.rows {
        lines.append(
          title(part.study).padded(to: 32) + "\(row.rank)".aligned(to: 5)
            + error(row.squareError).aligned(to: 12) + error(row.squareTail).aligned(to: 12)
            + error(row.supremum.error).aligned(to: 12)
            + error(row.supremum.bound).aligned(to: 12) + ratio(row.supremum).aligned(to: 9)
            + error(row.output.error).aligned(to: 12) + error(row.output.bound).aligned(to: 12))
      }
    }
    return lines
  }

  private func title(_ study: SimilarityStudy) -> String {
    let kernel =
      switch study.kernel {
      case .gaussian(let width): "gaussian, w = \(number(width))"
      case .polynomial(let degree): "(1 + uv)^\(degree)"
      case .absolute: "|u − v|"
      }
    return kernel + (study.measure == .uniform ? ", uniform" : ", normal")
  }

  // MARK: - Checks

  private var checks: [String] {
    ["bound".padded(to: 16) + "largest error/bound".aligned(to: 22)]
      + report.checks.map { check in
        let verdict = check.isPassed ? "holds".toned(.good) : "EXCEEDED".toned(.bad)
        return check.name.padded(to: 16) + check.value.formatted(digits: 6).aligned(to: 22)
          + "  \(verdict)  (\(check.explanation))"
      }
  }

  // MARK: - Numbers

  private func number(_ value: Double) -> String { value.formatted(digits: 4) }

  private func error(_ value: Double) -> String { value.formatted(digits: 4) }

  private func ratio(_ result: BoundedError) -> String { String(format: "%.4f", result.ratio) }
}
