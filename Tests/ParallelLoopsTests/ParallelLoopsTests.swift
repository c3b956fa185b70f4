import ParallelLoops
import Testing

@Suite struct ParallelLoopsTests {
  @Test(arguments: [1, 2, 3, 8]) func everyLaneRunsOnce(threads: Int) {
    let counts = [Int](unsafeUninitializedCapacity: 100) { buffer, count in
      buffer.initialize(repeating: 0)
      count = 100
      forEachLane(100, threads: threads) { buffer[$0] += 1 }
    }
    #expect(counts.allSatisfy { $0 == 1 })
  }

  @Test func noLanesAreNoWork() {
    forEachLane(0, threads: 2) { _ in Issue.record("there is no lane") }
  }

  @Test(arguments: [0, 1, 5, 64, 1000], [1, 3, 16])
  func rangesCoverAllItems(count: Int, lanes: Int) {
    let ranges = balancedRanges(count, lanes: lanes) { $0 % 7 }
    #expect(ranges.flatMap { Array($0) } == Array(0..<count))
    #expect(ranges.count <= lanes && ranges.allSatisfy { !$0.isEmpty })
  }

  @Test func rangesBalanceTheirCost() {
    let ranges = balancedRanges(1000, lanes: 4) { $0 }
    let costs = ranges.map { $0.reduce(0, +) }
    #expect((costs.max() ?? 0) < (costs.reduce(0, +) / 4) + 1000)
  }
}
