import Corpora
import Objectives

/// What one evaluation of an objective has to do, counted from the formulas.
///
/// An addition, a multiplication and a division are one operation each, a fused multiply–add two, and an
/// exponential or a logarithm forty. Bytes are those that must come from memory at least once when
/// nothing is left in the caches from the last evaluation.
public struct EvaluationWork: Sendable, Equatable {
  /// Floating-point operations.
  public var flops: Double
  /// Bytes read or written at least once.
  public var bytes: Double
}

extension GIHObjective {
  /// The work of one loss with its whole gradient.
  public var gradientWork: EvaluationWork { work(order: 0) }

  /// The work of one dense Hessian over the whole of θ.
  public var hessianWork: EvaluationWork { work(order: Double(layout.count)) }

  /// The work of a gradient, or of a Hessian of some order.
  private func work(order n: Double) -> EvaluationWork {
    let function = 40.0
    let width = Double(features.width)
    let subsets = Double(model.subsets.count)
    let terms = Double(model.subsets.members.reduce(0) { $0 + $1.count })
    let pairs = loss.plan.blocks.reduce(0.0) { $0 + Double($1.slots) }
    // k and e^z, then Σ z̄ m, ḡ and v̄; for the Hessian ∇z and Σ z̄ ∇z∇zᵀ.
    let ofPair = 2 * width + 3 * subsets + function + 2 * subsets + 2 * terms + 4 * width
    var flops = pairs * (ofPair + (n > 0 ? 4 * n + 2 * n * n : 0))
    var bytes = 8 * 2 * Double(features.tableSize)
    switch loss {
    case let loss as CorpusLoss:
      let targets = Double(loss.counts.targets)
      let blocks = loss.counts.pieces.reduce(0.0) { $0 + Double($1.blocks) }
      let sequences = loss.counts.pieces.reduce(0.0) { $0 + 8 * Double($1.chunks.count) }
      // T and z̄ over blocks of eight, the loss of each sequence; for the Hessian ∇y and its products.
      flops += blocks * 8 * (4 + 2 * n) + sequences * targets * (function + 10)
      flops += sequences * 2 * n * n * (targets + 2)
      bytes += Double(loss.counts.bytes)
    case let loss as PopulationLoss:
      let windows = Double(loss.windows.count)
      let laws = Double(loss.law.joint.count)
      // Two products of the laws with W queries; for the Hessian of n more columns.
      flops += laws * windows * (4 + 2 * n) + laws * (function + 10)
      bytes += 8 * laws
    default: break
    }
    return EvaluationWork(flops: flops, bytes: bytes)
  }
}
