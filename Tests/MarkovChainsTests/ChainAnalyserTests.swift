import BigInt
import Foundation
import MarkovChains
import Testing

@Suite struct ChainAnalyserTests {
  static func facts(_ chain: NGramChain, _ sets: [[Int]]) -> ChainFacts {
    var analyser = ChainAnalyser(
      vocabulary: chain.vocabulary, parents: chain.parents, lagSets: sets)
    return analyser.facts(of: chain)
  }

  /// Two states, p = P(0 → 1), q = P(1 → 0), λ = 1 − p − q, μ = (q, p)/(p + q).
  ///
  /// P^m(e | Z) − μ(e) = λ^m (δ_eZ − μ(e)), so Σ_e (…)²/μ(e) = λ^{2m} (1/μ(Z) − 1), and
  /// I({m}) = λ^{2m}, Ĩ({m}) = λ^{2m} Σ_Z μ(Z)(1 − μ(Z)) = 2 λ^{2m} μ(0) μ(1). More lags add
  /// nothing to I({1}).
  @Test(arguments: [
    (0.3, 0.6), (0.5, 0.5), (0x1p-47, 0x1p-48), (0x1p-47, 0.5), (0.75, 0x1p-47), (0x1p-20, 0x1p-47),
  ])
  func twoStatesHaveClosedForms(p: Double, q: Double) {
    let chain = NGramChain(vocabulary: 2, parents: [1], rows: [1 - p, p, q, 1 - q])
    let facts = Self.facts(chain, [[1], [2], [3], [1, 2]])
    let λ = 1 - p - q
    let spread = 2 * (q / (p + q)) * (p / (p + q))
    for m in 1...3 {
      let power = pow(λ * λ, Double(m))
      let value = facts.informations[m - 1]
      // μ(e|Z) − μ(e), of size λ^m, is a difference of numbers of order 1 with errors of 1e−16.
      let error = 1e-14 * power + 2e-15 * power.squareRoot() + 1e-30
      #expect(abs(value.standard - power) <= error, "\(p) \(q) \(m)")
      #expect(abs(value.modified - power * spread) <= error * spread, "\(p) \(q) \(m)")
    }
    #expect(abs(facts.informations[3].standard - λ * λ) <= 1e-14)
    // log1p: the entropy of a probability of 1e−14 to full relative accuracy.
    func h(_ p: Double) -> Double { -p * log(p) - (1 - p) * log1p(-p) }
    let rate = (q * h(p) + p * h(q)) / (p + q)
    #expect(abs(facts.entropyRate - rate) <= 1e-14 * rate)
    #expect(abs(facts.spectralGap - (1 - abs(λ))) <= ChainFacts.gapResolution)
    #expect(facts.spectralGap >= ChainFacts.gapResolution)
    #expect(facts.recurrentClassCount == 1 && facts.period == 1 && facts.transientCount == 0)
  }

  // x_t = x_{t−2} over two tokens. The windows (z₁, z₂) fall into the classes {00}, {11} and
  // {01, 10}, the last of period 2. A uniformly drawn window ends in a class with the share of
  // the class, so all four windows have probability 1/4 and z = z₂:
  //
  // - {1}: z₁ and z₂ are independent, I = Ĩ = 0;
  // - {2}: μ(Z) = 1/2, Σ_e μ(e|Z)²/μ(e) − 1 = 2 − 1 = 1, so I = 2 · ½ = 1, Ĩ = 2 · ¼ = ½;
  // - {1,2}: μ(Z) = 1/4 and the same 1, so I = 4 · ¼ = 1, Ĩ = 4 · 1/16 = ¼: Ĩ falls.
  @Test func aPermutationIsWorkedOutByHand() {
    let chain = NGramChain(
      vocabulary: 2, parents: [1, 2], rows: [1, 0, 1, 0, 0, 1, 0, 1])
    let facts = Self.facts(chain, [[1], [2], [1, 2]])
    for (value, exact) in zip(facts.informations, [(0.0, 0.0), (1, 0.5), (1, 0.25)]) {
      #expect(value.standard == exact.0 && value.modified == exact.1)
    }
    #expect(facts.recurrentClassCount == 3 && facts.period == 2 && facts.transientCount == 0)
    #expect(facts.spectralGap == 0 && facts.relaxationTime == .infinity)
    #expect(facts.entropyRate == 0)
  }

  // Two absorbing tokens and a transient one that leads to them with ¼ and ¾: from a uniform
  // start μ = (5/12, 7/12, 0). Each token tells the next: I = 2 − 1, Ĩ = Σ μ(Z)² (1/μ(Z) − 1) =
  // 2 · 5/12 · 7/12.
  @Test func absorbingTokensAreWeighedByAbsorption() {
    let chain = NGramChain(
      vocabulary: 3, parents: [1], rows: [1, 0, 0, 0, 1, 0, 0.25, 0.75, 0])
    let facts = Self.facts(chain, [[1]])
    #expect(abs(facts.informations[0].standard - 1) < 1e-15)
    #expect(abs(facts.informations[0].modified - 70.0 / 144) < 1e-15)
    #expect(facts.recurrentClassCount == 2 && facts.period == 1 && facts.transientCount == 1)
    #expect(facts.spectralGap == 0)
  }

  /// One token leads into a cycle of two tokens: period 2, μ = (0, ½, ½).
  @Test func aPeriodicChainHasNoGap() {
    let chain = NGramChain(
      vocabulary: 3, parents: [1], rows: [0.999, 0.001, 0, 0, 0, 1, 0, 1, 0])
    let facts = Self.facts(chain, [[1]])
    #expect(facts.recurrentClassCount == 1 && facts.period == 2 && facts.transientCount == 1)
    #expect(facts.spectralGap == 0)
    #expect(abs(facts.informations[0].modified - 0.5) < 1e-15)
  }

  /// The transient token leaves with probability 1e−3 a step, but never occurs; the two others
  /// have λ₂ = 1 − .3 − .6.
  @Test func transientWindowsDoNotCountForTheGap() {
    let chain = NGramChain(
      vocabulary: 3, parents: [1], rows: [0.999, 0.001, 0, 0, 0.7, 0.3, 0, 0.6, 0.4])
    let facts = Self.facts(chain, [[1]])
    #expect(facts.transientCount == 1 && facts.recurrentClassCount == 1)
    #expect(abs(facts.spectralGap - 0.9) < 1e-14)
  }

  /// A rotation with a fault: λ_k = (1 − ε) ω^k + ε δ_k0 for d tokens, so |λ₂| = 1 − ε.
  @Test(arguments: [0.5, 1e-3, 1e-9, 1e-13])
  func aFaultyRotationRelaxesAsItsFaults(ε: Double) {
    let d = 4
    var rows = [Double](repeating: ε / Double(d), count: d * d)
    for z in 0..<d { rows[z * d + (z + 1) % d] += 1 - ε }
    let facts = Self.facts(NGramChain(vocabulary: d, parents: [1], rows: rows), [[1]])
    #expect(abs(facts.spectralGap - ε) < 1e-14)
  }

  /// A parent at lag 2 alone makes two interleaved chains: the eigenvalues of the windows of two
  /// tokens have the modulus √|1 − p − q|.
  @Test func windowsOfTwoTokensAreTheStates() {
    let (p, q) = (0.1, 0.2)
    let chain = NGramChain(vocabulary: 2, parents: [2], rows: [1 - p, p, q, 1 - q])
    #expect(abs(Self.facts(chain, [[2]]).spectralGap - (1 - 0.7.squareRoot())) < 1e-14)
  }

  // MARK: - Exact rationals

  /// Fractions of big integers, never reduced.
  private struct Fraction {
    var numerator: BigInt
    var denominator: BigInt

    static func + (a: Fraction, b: Fraction) -> Fraction {
      Fraction(
        numerator: a.numerator * b.denominator + b.numerator * a.denominator,
        denominator: a.denominator * b.denominator)
    }

    static func / (a: BigInt, b: Fraction) -> Fraction {
      Fraction(numerator: a * b.denominator, denominator: b.numerator)
    }

    /// |value − self|, exactly until it is rounded.
    func distance(_ value: Double) -> Double {
      if value == 0 { return double }
      let (digits, exponent) = ExactStationaryLaw.dyadic(value)
      let difference = digits * denominator - numerator << -exponent
      return ExactStationaryLaw.quotient(BigInt(difference.magnitude), denominator << -exponent)
    }

    var double: Double { ExactStationaryLaw.quotient(numerator, denominator) }
  }

  /// (I, Ĩ) of a chain over windows of its memory, from exact integers.
  private static func exact(_ chain: NGramChain, _ lags: [Int]) -> (Fraction, Fraction) {
    let d = chain.vocabulary
    let weights = ExactStationaryLaw(windowMatrix(chain)).weights
    // With integers for all: pair[Z d + e] ∝ μ(Z, e), unit 2⁻⁶⁰ of the rows.
    let projection = Windows.projection(vocabulary: d, length: chain.memory, lags: lags)
    let contexts = Windows.projection(
      vocabulary: d, length: chain.memory, lags: chain.parents)
    var pair = [BigInt](
      repeating: 0, count: Windows.count(vocabulary: d, length: lags.count + 1))
    for (window, weight) in weights.enumerated() {
      for e in 0..<d {
        let entry = chain.rows[contexts[window] * d + e]
        if entry > 0 { pair[projection[window] * d + e] += weight * BigInt(entry * 0x1p60) }
      }
    }
    let total = pair.reduce(0, +)
    let token = (0..<d).map { e in
      stride(from: e, to: pair.count, by: d).reduce(BigInt(0)) { $0 + pair[$1] }
    }
    var standard = Fraction(numerator: -1, denominator: 1)
    var modified = Fraction(numerator: 0, denominator: 1)
    for start in stride(from: 0, to: pair.count, by: d) {
      let window = pair[start..<start + d].reduce(0, +)
      if window == 0 { continue }
      for e in 0..<d where token[e] > 0 {
        let square = pair[start + e] * pair[start + e]
        standard = standard + Fraction(numerator: square, denominator: window * token[e])
        modified = modified + Fraction(numerator: square, denominator: total * token[e])
      }
      modified =
        modified + Fraction(numerator: -window * window, denominator: total * total)
    }
    return (standard, modified)
  }

  /// Rows that are dyadic and sum to one exactly: x, ε and the rest.
  private static func dyadicChain(_ ε: Double, _ index: UInt64) -> NGramChain {
    var stream = RandomStream(seed: 12, purpose: .parameters, index: index)
    var rows: [Double] = []
    for window in 0..<4 {
      let x = (1 + (stream.uniform() * 6).rounded(.down)) / 8
      // Two rare exits, so that the windows nearly fall apart.
      let first = [ε, 1 - 2 * ε, x, 4 * ε][(window + Int(index)) % 4]
      rows += [first, 1 - first]
    }
    return NGramChain(vocabulary: 2, parents: [1, 2], rows: rows)
  }

  @Test(arguments: [0x1p-10, 0x1p-30, 0x1p-47])
  func nearlyDecomposableChainsAgreeWithExactRationals(ε: Double) {
    let sets = [[1], [2], [1, 2]]
    var worst = 0.0
    for index in 0..<12 as Range<UInt64> {
      let chain = Self.dyadicChain(ε, index)
      let values = Self.facts(chain, sets).informations
      for (value, lags) in zip(values, sets) {
        let (standard, modified) = Self.exact(chain, lags)
        worst = max(worst, standard.distance(value.standard))
        // Ĩ ≤ I; where a window is rare it may be tiny, and is still known relative to itself,
        // down to the squares of the rounding errors of the differences.
        let relative = modified.distance(value.modified) / max(modified.double, 1e-16)
        worst = max(worst, relative)
      }
    }
    print("ε = \(ε): worst error of an information \(worst)")
    #expect(worst < 1e-14)
  }

  private static func windowMatrix(_ chain: NGramChain) -> StochasticMatrix {
    let solver = StationarySolver(vocabulary: chain.vocabulary, parents: chain.parents)
    return StochasticMatrix(
      size: solver.probabilities.count, entries: solver.transitionMatrix(of: chain))
  }

  // MARK: - Size

  @Test func modifiedInformationCanFallWhereTheStandardOneCannot() {
    let prior = DirichletPrior(vocabulary: 3, parents: [1, 2], concentration: 0.1)
    var falls = 0
    for index in 0..<100 as Range<UInt64> {
      let values = Self.facts(
        prior.chain(seed: 5, index: index), [[1, 2], [1, 2, 3]]
      ).informations
      #expect(values[1].standard >= values[0].standard - 1e-13)
      falls += values[1].modified < values[0].modified ? 1 : 0
    }
    #expect(falls == 100)  // lag 3 adds nothing, and costs
  }

  @Test func lagSetsAreListedBySize() {
    #expect(
      LagSets.all(window: 3, largest: 3) == [[1], [2], [3], [1, 2], [1, 3], [2, 3], [1, 2, 3]])
    #expect(LagSets.all(window: 4, largest: 1) == [[1], [2], [3], [4]])
    for (window, largest) in [(1, 1), (4, 4), (6, 2), (10, 3)] {
      let sets = LagSets.all(window: window, largest: largest)
      #expect(Double(sets.count) == LagSets.count(window: window, largest: largest))
      #expect(Set(sets).count == sets.count)
    }
    #expect(LagSets.count(window: 1024, largest: 512) > 1e300)
    #expect(LagSets.name([1, 12]) == "1+12")
  }
}
