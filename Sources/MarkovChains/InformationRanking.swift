/// A mean or an estimate with its standard error.
public struct Estimate: Sendable, Equatable {
  /// The value.
  public let value: Double
  /// Its standard error; 0 for an exact value, NaN where the data do not give one.
  public let standardError: Double

  /// An estimate.
  public init(_ value: Double, standardError: Double) {
    self.value = value
    self.standardError = standardError
  }

  /// The mean of independent values, with the standard error of the mean; NaN for a single value.
  public init(meanOf values: some Collection<Double>) {
    let n = Double(values.count)
    let mean = values.reduce(0, +) / n
    let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    self.init(mean, standardError: (squares / (n * (n - 1))).squareRoot())
  }
}

/// The informations of one set of lags.
public struct LagSetInformation: Sendable, Equatable {
  /// The lags S, increasing.
  public let lags: [Int]
  /// Ĩ(S).
  public let modified: Estimate
  /// I(S).
  public let standard: Estimate
  /// G(S).
  public let logits: Estimate
  /// What sets are ranked by: one of these.
  public let ranked: Estimate
  /// What S* has more of what sets are ranked by, whose standard error comes from paired differences; 0 ± 0 for S* itself.
  public let deficit: Estimate

  /// How many standard errors S lies below S*; infinite for exact values that differ.
  public var separation: Double {
    // Values that agree to rounding are the same, also where they are exact.
    if deficit.value <= 1e-12 * max(ranked.value, deficit.value) || deficit.value <= 1e-28 {
      return 0
    }
    return deficit.value / deficit.standardError
  }
}

/// The sets of lags with their informations, and the best of them.
public struct InformationRanking: Sendable, Equatable {
  /// Standard errors that must lie between S* and every other set for S* to be decided.
  public static let decidingSeparation = 3.0

  /// The sets, in the order in which they were given.
  public let sets: [LagSetInformation]
  /// What they are ranked by.
  public let criterion: SelectionCriterion
  /// The position of S* in ``sets``, the largest by the criterion; the first one of equals.
  public let best: Int
  /// The position of the second largest; nil if there is one set only.
  public let runnerUp: Int?
  /// The position of the set that the fewest standard errors separate from S*.
  ///
  /// It differs from the runner-up where a lower value comes with a far larger error.
  public let nearest: Int?

  /// S*.
  public var bestSet: LagSetInformation { sets[best] }

  /// Δ = Ĩ(S*) − max_{S≠S*} Ĩ(S), or the same of G, with its standard error from paired differences.
  public var gap: Estimate? { runnerUp.map { sets[$0].deficit } }

  /// Whether at least ``decidingSeparation`` standard errors separate S* from every other set.
  public var isDecided: Bool {
    nearest.map { sets[$0].separation >= Self.decidingSeparation } ?? true
  }

  /// Ranks sets.
  ///
  /// - Parameters:
  ///   - lagSets: the sets, at least one.
  ///   - modified: Ĩ of each.
  ///   - standard: I of each.
  ///   - logits: G of each.
  ///   - criterion: what they are ranked by.
  ///   - deficit: by how much the first of two positions exceeds the second.
  init(
    lagSets: [[Int]], modified: [Estimate], standard: [Estimate], logits: [Estimate],
    criterion: SelectionCriterion, deficit: (_ best: Int, _ other: Int) -> Estimate
  ) {
    precondition(!lagSets.isEmpty, "There is nothing to rank.")
    let ranked = criterion == .modified ? modified : logits
    var best = 0
    for s in lagSets.indices where ranked[s].value > ranked[best].value { best = s }
    let sets = lagSets.indices.map { s in
      LagSetInformation(
        lags: lagSets[s], modified: modified[s], standard: standard[s], logits: logits[s],
        ranked: ranked[s],
        deficit: s == best ? Estimate(0, standardError: 0) : deficit(best, s))
    }
    let others = lagSets.indices.filter { $0 != best }
    self.sets = sets
    self.criterion = criterion
    self.best = best
    runnerUp = others.max { ranked[$0].value < ranked[$1].value }
    nearest = others.min { sets[$0].separation < sets[$1].separation }
  }
}
