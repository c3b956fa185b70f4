import GradientFlow
import MarkovChains
import Objectives

/// Mini-batches of the sequences or chains of a plan, sampled and compressed anew in every epoch.
struct InductionHeadBatches: BatchSource {
  let plan: InductionHeadPlan

  func batches(of size: Int, epoch: Int, seed: UInt64) -> [any Objective] {
    var order = Array(0..<plan.data.count)
    var stream = RandomStream(seed: seed, purpose: .batches, index: UInt64(epoch))
    // Fisher and Yates.
    for i in stride(from: order.count - 1, to: 0, by: -1) {
      order.swapAt(i, Int(stream.next().multipliedFullWidth(by: UInt64(i + 1)).high))
    }
    return stride(from: 0, to: order.count, by: size).map { first in
      let chosen = Array(order[first..<min(first + size, order.count)])
      return plan.objective(over: plan.data.chosen(chosen), threads: 1)
    }
  }
}
