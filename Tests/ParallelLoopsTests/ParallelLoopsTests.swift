import ParallelLoops
import Synchronization
import Testing

#if canImport(Glibc)
  import Glibc
#endif

@Suite struct ParallelLoopsTests {
  @Test(arguments: [1, 2, 3, 8]) func everyLaneRunsOnce(threads: Int) {
    let counts = [Int](unsafeUninitializedCapacity: 100) { buffer, count in
      buffer.initialize(repeating: 0)
      count = 100
      forEachLane(100, threads: threads) { buffer[$0] += 1 }
    }
    #expect(counts.allSatisfy { $0 == 1 })
  }

  /// Also with pauses after which the threads of the team sleep, and with teams that are dropped.
  @Test(arguments: [1, 2, 3, 8]) func aTeamRunsEveryLaneOnce(threads: Int) {
    for round in 0..<20 {
      let team = ThreadTeam(threads: threads)
      var counts = [Int](repeating: 0, count: 50)
      for loop in 0..<100 {
        counts.withUnsafeMutableBufferPointer { counts in
          team.forEachLane(loop % 50) { counts[$0] += 1 }
        }
        if loop % 50 == round { usleep(2000) }
      }
      #expect(counts == (0..<50).map { 2 * (49 - $0) })
    }
  }

  @Test func aTeamWorksOnSeveralThreadsAtOnce() {
    // Each lane waits for the other, which one thread alone could never do.
    let team = ThreadTeam(threads: 2)
    let arrived = Atomic<Int>(0)
    team.forEachLane(2) { _ in
      arrived.add(1, ordering: .sequentiallyConsistent)
      while arrived.load(ordering: .sequentiallyConsistent) < 2 { sched_yield() }
    }
    #expect(arrived.load(ordering: .sequentiallyConsistent) == 2)
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
