// Fork–join loops whose result cannot depend on the number of threads: work is cut into lanes by
// the data alone, every lane writes memory of its own, and the caller reduces in lane order.

import Dispatch
import Synchronization

/// Calls `body(lane)` once for every lane in `0..<lanes`, on up to `threads` threads.
///
/// Lanes are handed out in order to whichever thread is free, so no assumption may be made about
/// the order in which they run.
///
/// - Parameters:
///   - lanes: number of independent pieces of work, ≥ 0.
///   - threads: upper bound on the threads used, ≥ 1; with 1 everything runs on the caller's.
///   - body: the work of one lane. It must write only memory that no other lane touches.
public func forEachLane(_ lanes: Int, threads: Int, _ body: (Int) -> Void) {
  precondition(lanes >= 0 && threads >= 1, "lanes must be ≥ 0 and threads ≥ 1")
  let workers = min(lanes, threads)
  guard workers > 1 else {
    for lane in 0..<lanes { body(lane) }
    return
  }
  let next = Atomic<Int>(0)
  // concurrentPerform returns only when all workers have, so neither the counter nor `body` escapes.
  withoutActuallyEscaping(body) { body in
    nonisolated(unsafe) let work = body
    DispatchQueue.concurrentPerform(iterations: workers) { _ in
      while true {
        let lane = next.add(1, ordering: .relaxed).oldValue
        if lane >= lanes { return }
        work(lane)
      }
    }
  }
}

/// Calls `body` with consecutive ranges that cover `0..<count`, and gives its results in their order.
///
/// - Parameters:
///   - count: number of items, ≥ 0; they are cut into at most 64 ranges.
///   - threads: upper bound on the threads used, ≥ 1.
///   - cost: cost of an item, ≥ 0, all the same by default.
///   - body: the work on a range. It must write only memory that no other range touches.
/// - Returns: one result for each range; how items are cut does not depend on the threads.
public func inLanes<Result>(
  _ count: Int, threads: Int, cost: (Int) -> Int = { _ in 1 }, _ body: (Range<Int>) -> Result
) -> [Result] {
  let lanes = balancedRanges(count, lanes: 64, cost: cost)
  return [Result](unsafeUninitializedCapacity: lanes.count) { results, initialized in
    forEachLane(lanes.count, threads: threads) { lane in
      results.initializeElement(at: lane, to: body(lanes[lane]))
    }
    initialized = lanes.count
  }
}

/// Cuts `0..<count` into at most `lanes` contiguous ranges of nearly equal total cost.
///
/// The cut depends on the costs alone, so sums over lanes have the same rounding on every machine.
///
/// - Parameters:
///   - count: number of items, ≥ 0.
///   - lanes: the most ranges wanted, ≥ 1.
///   - cost: cost of an item, ≥ 0.
/// - Returns: non-empty ranges in ascending order that cover `0..<count`.
public func balancedRanges(_ count: Int, lanes: Int, cost: (Int) -> Int) -> [Range<Int>] {
  precondition(count >= 0 && lanes >= 1, "count must be ≥ 0 and lanes ≥ 1")
  let total = (0..<count).reduce(0) { $0 + cost($1) }
  var ranges: [Range<Int>] = []
  var start = 0
  var spent = 0
  for item in 0..<count {
    spent += cost(item)
    let due = total * (ranges.count + 1) / lanes
    if spent >= due && ranges.count < lanes - 1 {
      ranges.append(start..<item + 1)
      start = item + 1
    }
  }
  if start < count { ranges.append(start..<count) }
  return ranges
}
