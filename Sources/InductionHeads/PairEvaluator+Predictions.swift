import Corpora
import Objectives

/// What a model predicts for everything it is asked, and how much each question weighs.
public struct Predictions: Sendable {
  /// y, shape (questions, d).
  public let outputs: [Double]
  /// The weight of each question, with sum 1: 1/N for a sequence, μ^π(q)/K for a chain and query.
  public let weights: [Double]
  /// d.
  public let vocabulary: Int

  /// The total variation ½ Σ_e |y_e − y'_e| between these predictions and others of the same
  /// questions: its mean, and the largest one of any question that can be asked.
  public func totalVariation(from other: Predictions) -> (mean: Double, largest: Double) {
    precondition(other.outputs.count == outputs.count, "the questions are not the same")
    var (mean, largest) = (0.0, 0.0)
    for (question, weight) in weights.enumerated() where weight > 0 {
      var distance = 0.0
      for e in question * vocabulary..<(question + 1) * vocabulary {
        distance += abs(outputs[e] - other.outputs[e]) / 2
      }
      mean += weight * distance
      largest = max(largest, distance)
    }
    return (mean, largest)
  }
}

extension GIHObjective {
  /// y of every question; nil for a corpus that counts only the drawn targets.
  public func predictions(at parameters: [Double]) -> Predictions? {
    data.countsEveryToken ? GIHEvaluator(self, threads: 1).predictions(at: parameters) : nil
  }
}

extension PairEvaluator {
  func predictions(at parameters: [Double]) -> Predictions {
    prepare(parameters.span)
    let scale = parameters[form.scaleIndex]
    let d = loss.windows.shape.vocabulary
    let lane = lanes[0]
    var outputs: [Double] = []
    var weights: [Double] = []
    let logits = lane.readOut.logits(at: 0)
    let questions = loss.questions
    forEach(questions[...]) { _, block, windows in
      forward(block, at: 0, windows: windows, scale: scale, lane)
      if let loss = loss as? CorpusLoss {
        for s in block.sequences {
          outputs += loss.corpus.output(of: s, logits: logits)
          weights.append(1 / Double(loss.count))
        }
      } else if let loss = loss as? PopulationLoss {
        for chain in 0..<loss.law.chainCount {
          let (y, weight) = loss.law.output(of: chain, query: block.query, logits: logits)
          outputs += y
          weights.append(weight / Double(loss.count))
        }
      }
    }
    return Predictions(outputs: outputs, weights: weights, vocabulary: d)
  }
}

extension CompressedCorpus {
  /// y of one sequence, from the logits of its group's keys.
  fileprivate func output(of s: Int, logits: UnsafePointer<Double>) -> [Double] {
    let entries = entryOffsets[s]..<entryOffsets[s + 1]
    let largest = entries.map { logits[Int(entrySlots[$0])] }.max() ?? 0
    var sums = [Double](repeating: 0, count: columns)
    var total = 0.0
    for e in entries {
      let power = exponential(logits[Int(entrySlots[e])] - largest)
      total += Double(entryCounts[e]) * power
      for column in 0..<columns {
        sums[column] += Double(entryTargetCounts[e * columns + column]) * power
      }
    }
    return sums.map { $0 / total }
  }
}

extension PopulationLaw {
  /// y of one chain at a query, and μ^π(q).
  fileprivate func output(
    of chain: Int, query: Int, logits: UnsafePointer<Double>
  ) -> (y: [Double], weight: Double) {
    let n = windows.count
    let d = windows.shape.vocabulary
    let start = chain * d * n
    let weight = (0..<d).reduce(0.0) { $0 + joint[start + $1 * n + query] }
    if weight == 0 { return ([Double](repeating: 0, count: d), 0) }
    var largest = -Double.infinity
    for w in 0..<n { largest = max(largest, logits[w]) }
    var sums = [Double](repeating: 0, count: d)
    for w in 0..<n {
      let power = exponential(logits[w] - largest)
      for e in 0..<d { sums[e] += joint[start + e * n + w] * power }
    }
    let total = sums.reduce(0, +)
    return (sums.map { $0 / total }, weight)
  }
}
