import Corpora
import Objectives

/// What one evaluation of an objective has to do, counted from the formulas.
///
/// An addition, a multiplication and a division are one operation each, a fused multiply–add two, and an
/// exponential or a logarithm forty. Bytes are those that must come from memory at least once when
/// nothing is left in the caches from the last evaluation.
package struct EvaluationWork: Sendable, Equatable {
  /// Floating-point operations.
  package var flops: Double
  /// Bytes read or written at least once.
  package var bytes: Double
}

extension GIHObjective {
  /// The work of one loss with its whole gradient.
  package var gradientWork: EvaluationWork { work(order: 0) }

  /// The work of one dense Hessian over the whole of θ.
  package var hessianWork: EvaluationWork { work(order: Double(layout.count)) }

  /// The work of a gradient, or of a Hessian of some order.
  private func work(order n: Double) -> EvaluationWork {
    let width = Double(features.width)
    let subsets = Double(model.kernel.subsets.count)
    let terms = Double(model.kernel.subsets.members.reduce(0) { $0 + $1.count })
    let pairs = loss.plan.blocks.reduce(0.0) { $0 + Double($1.slots) }
    // k and e^z, then Σ z̄ m, ḡ and v̄; for the Hessian ∇z and Σ z̄ ∇z∇zᵀ.
    let ofPair =
      2 * width + 3 * subsets + EvaluationWork.function + 2 * subsets + 2 * terms + 4 * width
    let readOut = loss.work(order: n)
    return EvaluationWork(
      flops: pairs * (ofPair + (n > 0 ? 4 * n + 2 * n * n : 0)) + readOut.flops,
      bytes: 8 * 2 * Double(features.tableSize) + readOut.bytes)
  }
}

extension EvaluationWork {
  /// The operations that an exponential or a logarithm counts for.
  fileprivate static let function = 40.0
}

extension CorpusLoss {
  func work(order n: Double) -> EvaluationWork {
    let targets = Double(counts.targets)
    let blocks = counts.pieces.reduce(0.0) { $0 + Double($1.blocks) }
    let sequences = counts.pieces.reduce(0.0) { $0 + 8 * Double($1.chunks.count) }
    // T and z̄ over blocks of eight, the loss of each sequence; for the Hessian ∇y and its products.
    return EvaluationWork(
      flops: blocks * 8 * (4 + 2 * n) + sequences * targets * (EvaluationWork.function + 10)
        + sequences * 2 * n * n * (targets + 2),
      bytes: Double(counts.bytes))
  }
}

extension PopulationLoss {
  func work(order n: Double) -> EvaluationWork {
    let places = Double(law.joint.count)
    // Two products of the laws with W queries; for the Hessian of n more columns.
    return EvaluationWork(
      flops: places * Double(windows.count) * (4 + 2 * n)
        + places * (EvaluationWork.function + 10), bytes: 2 * 8 * places)
  }
}
