import Foundation
import MixedTargets

/// The mixed target and its transformer as they are defined, position by position.
struct NaiveMixedTransformer {
  let target: MixedTarget
  /// p₁, p, v₁, v, w_K, w_Q.
  let theta: [Double]

  /// The residuals of both heads on the tokens x₁…x_L.
  func residuals(_ x: [Double]) -> (fourGram: Double, induction: Double) {
    let length = x.count
    func token(_ s: Int) -> Double { x[s - 1] }
    func softmax(_ logits: [Double]) -> [Double] {
      let largest = logits.max() ?? 0
      let powers = logits.map { exp($0 - largest) }
      let sum = powers.reduce(0, +)
      return powers.map { $0 / sum }
    }
    let positions = Array(2...length - 1)
    let first = positions.map { s -> Double in
      let weights = softmax(
        (1..<s).map {
          theta[0] == .infinity ? ($0 == s - 1 ? 0 : -.infinity) : -theta[0] * Double(s - 1 - $0)
        })
      return zip(weights, 1..<s).reduce(0) { $0 + $1.0 * token($1.1) }
    }
    func mean(_ logits: [Double], _ values: [Double]) -> Double {
      zip(softmax(logits), values).reduce(0) { $0 + $1.0 * $1.1 }
    }
    let tokens = positions.map(token)
    let goal = mean(positions.map { target.product * token(length) * token($0 - 1) }, tokens)
    let head1 = theta[2] * mean(positions.map { -theta[1] * Double(length - 1 - $0) }, first)
    let head2 = theta[3] * mean(first.map { theta[4] * theta[5] * token(length) * $0 }, tokens)
    return (
      head1 - target.fourGramShare * token(length - 2), head2 - target.inductionShare * goal
    )
  }

  /// The mean loss over sequences.
  func loss(_ sequences: [[Double]]) -> Double {
    let sum = sequences.reduce(0.0) { sum, x in
      let (r1, r2) = residuals(x)
      return sum + (target.form == .sum ? (r1 + r2) * (r1 + r2) : r1 * r1 + r2 * r2)
    }
    return sum / 2 / Double(sequences.count)
  }
}
