import MarkovChains
import Testing

@Suite struct CommunicatingClassesTests {
  func permutation(_ images: [Int]) -> StochasticMatrix {
    let n = images.count
    return StochasticMatrix(
      size: n, entries: (0..<n * n).map { images[$0 / n] == $0 % n ? 1 : 0 })
  }

  @Test func aCycleHasItsLengthAsPeriod() {
    for n in 1...7 {
      let law = permutation((0..<n).map { ($0 + 1) % n }).stationaryDistribution()
      #expect(law.period == n)
      #expect(law.recurrentClassCount == 1)
      #expect(law.isLimit == (n == 1))
      #expect(law.probabilities.allSatisfy { abs($0 - 1 / Double(n)) < 1e-15 })
    }
  }

  @Test func aPermutationHasOneClassPerCycle() {
    // Cycles (0 3), (1 4 2), (5): periods 2, 3, 1.
    let chain = permutation([3, 4, 1, 0, 2, 5])
    let classes = chain.communicatingClasses()
    #expect(classes.recurrent.map(\.states) == [[0, 3], [1, 2, 4], [5]])
    #expect(classes.recurrent.map(\.period) == [2, 3, 1])
    #expect(classes.period == 6)
    #expect(classes.transient.isEmpty)
    let law = chain.stationaryDistribution()
    #expect(law.recurrentClassCount == 3)
    // A uniform start stays uniform.
    #expect(law.probabilities.allSatisfy { abs($0 - 1.0 / 6) < 1e-15 })
  }

  @Test func aBipartiteChainHasPeriodTwo() {
    let chain = matrix(4) { i, j in (i + j) % 2 == 1 ? 0.5 : 0 }
    #expect(chain.communicatingClasses().period == 2)
    let withLoop = matrix(4) { i, j in (i + j) % 2 == 1 ? (i == 0 ? 0.25 : 0.5) : 0 }
    #expect(withLoop.communicatingClasses().period == 1)
  }

  /// The fair gambler on 0...4: from i absorbed at 4 with probability i/4.
  @Test func theGamblerIsAbsorbedAtEitherEnd() {
    let chain = matrix(5) { i, j in (1...3).contains(i) && abs(i - j) == 1 ? 0.5 : 0 }
    let law = chain.stationaryDistribution()
    #expect(chain.communicatingClasses().transient == [1, 2, 3])
    #expect(law.recurrentClassCount == 2)
    #expect(law.probabilities[1...3].allSatisfy { $0 == 0 })
    #expect(abs(law.probabilities[0] - 0.5) < 1e-15)
    #expect(abs(law.probabilities[4] - 0.5) < 1e-15)
  }

  /// The unfair gambler on 0...3: up with probability ε, down with 1/2.
  ///
  /// With r = 2ε the ruin
  /// formula gives the probabilities (r² and r + r²)/(1 + r + r²) of reaching 3 from 1 and 2.
  @Test func anUnfairGamblerIsRuined() {
    let ε = 1e-60
    let chain = matrix(4) { i, j in
      (1...2).contains(i) ? (j == i + 1 ? ε : (j == i - 1 ? 0.5 : 0)) : 0
    }
    let law = chain.stationaryDistribution()
    let r = 2 * ε
    let h1 = r * r / (1 + r + r * r)
    let h2 = (r + r * r) / (1 + r + r * r)
    #expect(abs(law.probabilities[3] / ((1 + h1 + h2) / 4) - 1) < 1e-15)
    #expect(abs(law.probabilities[0] / ((3 - h1 - h2) / 4) - 1) < 1e-15)
  }

  /// Transient states that leave only by two steps of probability 1e−200 each.
  @Test func absorptionSurvivesUnderflow() {
    // 0 ⇄ 1 transient; 0 → 1 rarely, 1 → {2 twice as often as 3} rarely, 1 → 0 mostly.
    let ε = 1e-200
    let chain = matrix(4) { i, j in
      switch (i, j) {
      case (0, 1): ε
      case (1, 0): 0.5
      case (1, 2): 2 * ε
      case (1, 3): ε
      default: 0
      }
    }
    let law = chain.stationaryDistribution().probabilities
    #expect(abs(law[2] - (0.25 + 0.5 * 2 / 3)) < 1e-15)
    #expect(abs(law[3] - (0.25 + 0.5 / 3)) < 1e-15)
  }

  @Test func transientStatesOfAUnichainGetNothing() {
    // 0 → 1 → 2 ⇄ 3.
    let chain = permutation([1, 2, 3, 2])
    let law = chain.stationaryDistribution()
    #expect(law.recurrentClassCount == 1)
    #expect(law.period == 2)
    #expect(law.probabilities == [0, 0, 0.5, 0.5])
  }

  /// With parent {2} alone, odd and even tokens do not meet.
  @Test func aChainThatSkipsALagIsStillSolved() {
    let rows = [0.75, 0.25, 0.5, 0.5]  // marginal law (2/3, 1/3)
    let chain = NGramChain(vocabulary: 2, parents: [2], rows: rows)
    let law = chain.windowLaw(length: 2).probabilities
    let expected = [4.0 / 9, 2.0 / 9, 2.0 / 9, 1.0 / 9]
    for (p, q) in zip(law, expected) { #expect(abs(p - q) < 1e-15) }
  }

  @Test func wideNumbersCalculateLikeDoubles() {
    var stream = RandomStream(seed: 8, purpose: .parameters, index: 0)
    for _ in 0..<1000 {
      let a = (20 * stream.normal()).magnitude
      let b = (stream.uniform() * 1e-5)
      #expect((WideDouble(a) + WideDouble(b)).double == a + b)
      #expect((WideDouble(a) * WideDouble(b)).double == a * b)
      #expect((WideDouble(a) / WideDouble(b)).double == a / b)
    }
    let tiny = WideDouble(1e-300) * WideDouble(1e-300)
    #expect(tiny.double == 0)
    #expect((tiny / WideDouble(1e-300)).double == 1e-300)
    #expect(WideDouble(0x1p-1074).double == 0x1p-1074)
  }
}
