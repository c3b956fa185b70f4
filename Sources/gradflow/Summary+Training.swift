import Experiments
import Foundation

extension Summary {
  /// The optimisers beside the flow, and gradient descent at several learning rates.
  static func training(_ training: TrainingSummary) -> [String] {
    var lines: [String] = []
    if !training.methods.isEmpty {
      lines.append(heading("optimiser") + "   loss at end")
      lines += training.methods.map {
        line($0.name, $0) + "   " + ($0.loss.isNaN ? "–" : $0.loss.formatted(digits: 6))
      }
    }
    if !training.descents.isEmpty {
      lines.append(heading("gd at rate") + "   order")
      lines += training.descents.map { method in
        line("\(method.factor.formatted(digits: 4)) η", method)
          + (method.order.map { String(format: "   %.3f", $0) } ?? "")
      }
    }
    if lines.isEmpty { return [] }
    return lines + [
      "distance: the largest from the flow at the same time, over the length of the flow's path;",
      "λ_max: the largest over its limit of stability, beyond 1 steps overshoot.",
    ]
  }

  private static func heading(_ first: String) -> String {
    first.padded(to: 14) + "steps".aligned(to: 9) + "status".aligned(to: 11)
      + "distance".aligned(to: 12) + "λ_max".aligned(to: 9)
  }

  private static func line(_ name: String, _ method: TrainingSummary.Method) -> String {
    name.padded(to: 14) + "\(method.steps)".aligned(to: 9) + method.status.aligned(to: 11)
      + (method.distance.map { $0.formatted(digits: 3) } ?? "–").aligned(to: 12)
      + (method.sharpnessShare.map { $0.formatted(digits: 3) } ?? "–").aligned(to: 9)
  }
}
