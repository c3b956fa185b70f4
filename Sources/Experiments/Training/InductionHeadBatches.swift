import Corpora
import GradientFlow
import InductionHeads
import MarkovChains
import Objectives

/// Mini-batches of the sequences or chains of a plan.
///
/// A batch is compressed when its turn comes. Tokens are drawn once where the law of the target is not needed.
struct InductionHeadBatches: BatchSource {
  private let plan: InductionHeadPlan
  private let data: InductionHeadPlan.PlannedData

  /// The most tokens that are kept.
  private static let mostTokens = 1 << 28

  init(plan: InductionHeadPlan) {
    self.plan = plan
    if case .sequences(let sequences) = plan.data, plan.settings.loss.targets == .sampled,
      sequences.sequenceCount * (sequences.length + 1) <= Self.mostTokens
    {
      data = .sequences(StoredSequences(sequences))
    } else {
      data = plan.data
    }
  }

  func batches(of size: Int, epoch: Int, seed: UInt64) -> [[Int]] {
    var order = Array(0..<data.count)
    var stream = RandomStream(seed: seed, purpose: .batches, index: UInt64(epoch))
    // Fisher and Yates.
    for i in stride(from: order.count - 1, to: 0, by: -1) {
      order.swapAt(i, Int(stream.next().multipliedFullWidth(by: UInt64(i + 1)).high))
    }
    return stride(from: 0, to: order.count, by: size).map { first in
      Array(order[first..<min(first + size, order.count)])
    }
  }

  func objective(over members: [Int]) -> any Objective {
    plan.trainedModel.objective(plan.posed(data.chosen(members), threads: 1))
  }
}
