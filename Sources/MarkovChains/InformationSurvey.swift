import ParallelLoops

/// The informations of chains drawn from a prior, and how fast these chains mix.
///
/// Chain k is ``DirichletPrior/chain(seed:index:)`` with index k, so that the first chains are the
/// same whatever their number. Every mean is taken in the order of the index, and the result does
/// not depend on the number of threads, to the bit.
///
/// Reducible and periodic chains count like all others, with the stationary law that
/// ``StochasticMatrix/stationaryDistribution()`` gives them; their relaxation time is infinite.
public struct InformationSurvey: Sendable, Equatable {
  /// The number of chains K; 1 for a survey of one given chain.
  public let chainCount: Int
  /// Means of Ĩ and I over the chains; S*, Δ and the separation from paired differences.
  public let ranking: InformationRanking
  /// The mean entropy rate in nats.
  public let entropyRate: Estimate
  /// The spectral gaps in increasing order; those that could not be computed are left out.
  public let spectralGaps: [Double]
  /// Chains whose eigenvalues could not be computed.
  public let unknownGapCount: Int
  /// Chains with several recurrent classes.
  public let reducibleCount: Int
  /// Chains with one recurrent class, and a period above 1.
  public let periodicCount: Int
  /// Chains with transient windows.
  public let transientCount: Int

  /// The smallest gap that at least the fraction q of the chains does not exceed.
  ///
  /// - Parameter q: in 0...1.
  /// - Returns: an order statistic, without interpolation; NaN if no gap is known.
  public func gapQuantile(_ q: Double) -> Double {
    if spectralGaps.isEmpty { return .nan }
    let rank = (q * Double(spectralGaps.count)).rounded(.up)
    return spectralGaps[min(spectralGaps.count, max(1, Int(rank))) - 1]
  }

  /// The smallest relaxation time that at least the fraction q of the chains does not exceed.
  public func relaxationQuantile(_ q: Double) -> Double {
    if spectralGaps.isEmpty { return .nan }
    let rank = (q * Double(spectralGaps.count)).rounded(.up)
    return 1 / spectralGaps[spectralGaps.count - min(spectralGaps.count, max(1, Int(rank)))]
  }

  /// The fraction of the chains with a relaxation time above `time`.
  public func fractionSlower(than time: Double) -> Double {
    Double(spectralGaps.count { 1 / $0 > time }) / Double(max(1, spectralGaps.count))
  }

  /// The survey of one chain: its values are exact up to rounding, with standard error 0.
  ///
  /// - Parameters:
  ///   - chain: the chain.
  ///   - lagSets: the sets S, at least one.
  ///   - criterion: what sets are ranked by.
  ///   - observer: is given the chain's facts.
  public init(
    of chain: NGramChain, lagSets: [[Int]], criterion: SelectionCriterion = .modified,
    observer: (ChainFacts) throws -> Void
  ) rethrows {
    var analyser = ChainAnalyser(
      vocabulary: chain.vocabulary, parents: chain.parents, lagSets: lagSets)
    let facts = analyser.facts(of: chain)
    try observer(facts)
    var counts = Counts()
    counts.add(facts)
    let values = facts.informations
    self.init(
      chainCount: 1,
      ranking: InformationRanking(
        lagSets: lagSets, modified: values.map { Estimate($0.modified, standardError: 0) },
        standard: values.map { Estimate($0.standard, standardError: 0) },
        logits: values.map { Estimate($0.logits, standardError: 0) }, criterion: criterion
      ) {
        Estimate(
          criterion.value(of: values[$0]) - criterion.value(of: values[$1]), standardError: 0)
      },
      entropyRate: Estimate(facts.entropyRate, standardError: 0), counts)
  }

  /// The survey of one chain, without an observer.
  public init(of chain: NGramChain, lagSets: [[Int]]) {
    self.init(of: chain, lagSets: lagSets) { _ in }
  }

  /// Surveys chains drawn from a prior.
  ///
  /// - Parameters:
  ///   - prior: where chains come from, with d^{r_n} at most
  ///     ``StationarySolver/maximumWindowCount``.
  ///   - seed: the seed of the chains.
  ///   - chains: K ≥ 2.
  ///   - lagSets: the sets S, at least one.
  ///   - criterion: what sets are ranked by.
  ///   - threads: threads to use; the result does not depend on it.
  ///   - observer: is given index and facts of every chain in the order of the index; returns
  ///     whether to go on.
  /// - Returns: the survey; nil if the observer stopped it.
  public static func survey(
    _ prior: DirichletPrior, seed: UInt64, chains: Int, lagSets: [[Int]],
    criterion: SelectionCriterion = .modified, threads: Int,
    observer: (_ index: Int, _ facts: ChainFacts) throws -> Bool
  ) rethrows -> InformationSurvey? {
    precondition(chains >= 2, "A standard error needs two chains.")
    let analyser = ChainAnalyser(
      vocabulary: prior.vocabulary, parents: prior.parents, lagSets: lagSets)
    // Shape (sets, K): what the paired differences are taken of.
    var ranked = lagSets.map { _ in [Double]() }
    var (modified, standard, logits) = (
      lagSets.map { _ in Moments() }, lagSets.map { _ in Moments() }, lagSets.map { _ in Moments() }
    )
    var entropyRate = Moments()
    var counts = Counts()
    for s in ranked.indices { ranked[s].reserveCapacity(chains) }
    let (lane, lanes) = portions(prior, threads: threads)
    var start = 0
    while start < chains {
      let batch = start..<min(start + lane * lanes, chains)
      for (index, facts) in zip(
        batch,
        Self.facts(of: prior, seed: seed, batch, lane: lane, analyser, threads: threads))
      {
        for (s, value) in facts.informations.enumerated() {
          ranked[s].append(criterion.value(of: value))
          modified[s].add(value.modified)
          standard[s].add(value.standard)
          logits[s].add(value.logits)
        }
        entropyRate.add(facts.entropyRate)
        counts.add(facts)
        if try !observer(index, facts) { return nil }
      }
      start = batch.upperBound
    }
    return InformationSurvey(
      chainCount: chains,
      ranking: InformationRanking(
        lagSets: lagSets, modified: modified.map(\.estimate), standard: standard.map(\.estimate),
        logits: logits.map(\.estimate), criterion: criterion
      ) { best, other in
        Estimate(meanOf: zip(ranked[best], ranked[other]).map { $0 - $1 })
      },
      entropyRate: entropyRate.estimate, counts)
  }

  /// About how many bytes a survey takes at most: known before anything is allocated.
  ///
  /// - Parameters:
  ///   - vocabulary: d.
  ///   - memory: r_n.
  ///   - window: M, the largest lag of any set or parent.
  ///   - sets: the number of sets.
  ///   - chains: K.
  ///   - threads: threads in use.
  /// - Returns: bytes, as a real number, which does not overflow.
  public static func bytes(
    vocabulary: Int, memory: Int, window: Int, sets: Double, chains: Int, threads: Int
  ) -> Double {
    let d = Double(vocabulary)
    let joint = power(d, window + 1)
    let states = power(d, memory)
    // Per lane: the joint law, its shorter forms and what is summed out; matrices and work.
    let lane = 8 * (joint * 3 + states * states * 4 + states * 40)
    let results = sets * (8 * Double(chains) + 200 + 16 * Double(batch))
    return lane * Double(threads + 1) + results
  }

  // MARK: - Parts

  /// The most chains between two rounds of the observer.
  private static let batch = 256

  /// How many chains a lane has, and how many lanes lie between two rounds of the observer.
  ///
  /// Few where a chain is much work, so that the observer is asked every few seconds; sums are
  /// taken chain by chain, so that nothing depends on it.
  private static func portions(
    _ prior: DirichletPrior, threads: Int
  ) -> (lane: Int, lanes: Int) {
    let d = Double(prior.vocabulary)
    let states = power(d, prior.parents.last ?? 1)
    // Eigenvalues take some 25 n³ operations, a few of a nanosecond each.
    let work = 30 * states * states * states
    let lane = work < 1e6 ? 8 : 1
    return (lane, work < 1e8 ? batch / lane : 2 * threads)
  }

  private init(
    chainCount: Int, ranking: InformationRanking, entropyRate: Estimate, _ counts: Counts
  ) {
    self.chainCount = chainCount
    self.ranking = ranking
    self.entropyRate = entropyRate
    spectralGaps = counts.gaps.sorted()
    unknownGapCount = counts.unknownGaps
    reducibleCount = counts.reducible
    periodicCount = counts.periodic
    transientCount = counts.transient
  }

  /// The facts of chains in the order of their index.
  private static func facts(
    of prior: DirichletPrior, seed: UInt64, _ batch: Range<Int>, lane: Int,
    _ analyser: ChainAnalyser, threads: Int
  ) -> [ChainFacts] {
    var lanes = [[ChainFacts]](repeating: [], count: (batch.count + lane - 1) / lane)
    unsafe lanes.withUnsafeMutableBufferPointer { lanes in
      let slots = unsafe lanes
      forEachLane(lanes.count, threads: threads) { index in
        var analyser = analyser
        var chain = prior.blankChain
        let first = batch.lowerBound + index * lane
        unsafe slots[index] = (first..<min(first + lane, batch.upperBound)).map {
          prior.draw(&chain, seed: seed, index: UInt64($0))
          return analyser.facts(of: chain)
        }
      }
    }
    return lanes.flatMap { $0 }
  }

  /// What is counted over chains.
  private struct Counts {
    var gaps: [Double] = []
    var unknownGaps = 0
    var reducible = 0
    var periodic = 0
    var transient = 0

    mutating func add(_ facts: ChainFacts) {
      if facts.spectralGap.isNaN { unknownGaps += 1 } else { gaps.append(facts.spectralGap) }
      reducible += facts.recurrentClassCount > 1 ? 1 : 0
      periodic += facts.recurrentClassCount == 1 && facts.period > 1 ? 1 : 0
      transient += facts.transientCount > 0 ? 1 : 0
    }
  }

  /// Mean and sum of squared deviations, updated value by value.
  ///
  /// Reference: Welford, *Technometrics* 4 (1962) 419–420.
  private struct Moments {
    var count = 0.0
    var mean = 0.0
    var squares = 0.0

    mutating func add(_ value: Double) {
      count += 1
      let difference = value - mean
      mean += difference / count
      squares += difference * (value - mean)
    }

    var estimate: Estimate {
      Estimate(mean, standardError: (squares / (count * (count - 1))).squareRoot())
    }
  }
}

/// d^k as a real number, which does not overflow before 1e308.
func power(_ base: Double, _ exponent: Int) -> Double {
  (0..<min(exponent, 2000)).reduce(1) { product, _ in product * base }
}
