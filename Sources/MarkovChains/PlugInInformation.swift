import ParallelLoops

/// How far the plug-in estimates of one set lie above the truth, to leading order.
public struct PlugInBias: Sendable, Equatable {
  /// The bias if n positions were independent, and e of Z.
  ///
  ///     E[Î − I]   ≈ (#{Z seen} − 1) (#{e seen} − 1) / n,
  ///     E[Ĩ̂ − Ĩ]   ≈ (#{e seen} − 1) Σ_Z μ(Z) (1 − μ(Z)) / n,
  ///     E[Ĝ − G]   ≈ Σ_e μ(e) (1 − μ(e)) Σ_Z μ(Z) (1 − μ(Z)) / n.
  ///
  /// Derived; see the article on information measures.
  public let independent: Information

  /// The bias as the jackknife over sequences estimates it.
  ///
  /// It knows of the dependence of positions inside a sequence, and of kernels that differ between
  /// sequences, and is itself noisy. NaN for a single sequence.
  public let jackknife: Information
}

/// The informations of token sequences: those of the pooled empirical law of (z, Z).
///
/// All positions of all sequences with a full window of M tokens are pooled and put in the place
/// of μ. If the sequences come from different kernels this measures the law of the mixture, which
/// is not the mean over the kernels.
///
/// Plug-in estimates lie too high on average; ``biases`` says by how much, and nothing is
/// subtracted. Standard errors treat sequences as the independent units: a weighted jackknife
/// that leaves out one of at most ``mostGroups`` groups of sequences at a time. Where a set
/// carries no information at all the estimate is a quadratic in the noise, and its bias says more
/// than its standard error.
///
/// Reference: Busing, Meijer, van der Leeden, *Statistics and Computing* 9 (1999) 3–8 (the
/// jackknife for groups of unequal size).
public struct PlugInInformation: Sendable, Equatable {
  /// The most groups that are left out.
  public static let mostGroups = 100

  /// The number of sequences.
  public let sequenceCount: Int
  /// The number n of pooled positions.
  public let positionCount: Int
  /// The number of groups that were left out in turn.
  public let groupCount: Int
  /// Ĩ and I of the pooled law, with jackknife standard errors.
  public let ranking: InformationRanking
  /// The bias of each set, in the order of the ranking's sets.
  public let biases: [PlugInBias]

  /// Estimates from tokens.
  ///
  /// - Parameters:
  ///   - tokens: shape (K, width), each below d; one row per sequence, oldest token first.
  ///   - width: the number of tokens of a sequence, above M.
  ///   - vocabulary: d in 2...256.
  ///   - window: M; positions count from the (M+1)-th token on, for every set alike.
  ///   - lagSets: the sets S of lags in 1...M, at least one.
  ///   - criterion: what sets are ranked by.
  ///   - threads: threads to use; the result does not depend on it.
  public init(
    tokens: [UInt8], width: Int, vocabulary: Int, window: Int, lagSets: [[Int]],
    criterion: SelectionCriterion = .modified, threads: Int
  ) {
    precondition(width > window && window >= 1, "A sequence has a position with a full window.")
    precondition(!tokens.isEmpty && tokens.count.isMultiple(of: width), "Sequences are ragged.")
    precondition(tokens.allSatisfy { $0 < vocabulary }, "A token is outside the vocabulary.")
    let sequences = tokens.count / width
    let groups = min(sequences, Self.mostGroups)
    var results = [SetEstimate?](repeating: nil, count: lagSets.count)
    unsafe results.withUnsafeMutableBufferPointer { results in
      let slots = unsafe results
      forEachLane(lagSets.count, threads: threads) { s in
        var counter = PairCounter(
          tokens: tokens, width: width, vocabulary: vocabulary, window: window, lags: lagSets[s])
        unsafe slots[s] = counter.estimate(groups: groups)
      }
    }
    let estimates = results.compactMap(\.self)
    sequenceCount = sequences
    positionCount = sequences * (width - window)
    groupCount = groups
    biases = estimates.map(\.bias)
    let sizes = (0..<groups).map { g in
      Double((g + 1) * sequences / groups - g * sequences / groups) / Double(sequences)
    }
    func estimate(_ value: (Information) -> Double) -> [Estimate] {
      estimates.map { Jackknife(value($0.whole), $0.parts.map(value), sizes).estimate }
    }
    ranking = InformationRanking(
      lagSets: lagSets, modified: estimate(\.modified), standard: estimate(\.standard),
      logits: estimate(\.logits), criterion: criterion
    ) { best, other in
      let (a, b) = (estimates[best], estimates[other])
      let value = criterion.value(of:)
      return Jackknife(
        value(a.whole) - value(b.whole), zip(a.parts, b.parts).map { value($0) - value($1) }, sizes
      ).estimate
    }
  }

  /// About how many bytes the tables of one estimate take, besides the tokens.
  ///
  /// - Parameters:
  ///   - vocabulary: d.
  ///   - largest: the size of the largest set.
  ///   - sets: the number of sets.
  ///   - threads: threads in use.
  /// - Returns: bytes, as a real number, which does not overflow.
  public static func bytes(
    vocabulary: Int, largest: Int, sets: Double, threads: Int
  ) -> Double {
    8 * power(Double(vocabulary), largest + 1) * Double(threads)
      + sets * (400 + 16 * Double(mostGroups))
  }
}

/// What is found of one set: from all sequences, and with one group left out.
private struct SetEstimate {
  let whole: Information
  let parts: [Information]
  let bias: PlugInBias
}

/// The jackknife over groups of unequal size.
private struct Jackknife {
  let bias: Double
  let estimate: Estimate

  /// - Parameters:
  ///   - whole: θ from all data.
  ///   - parts: θ₍₋g₎ without group g.
  ///   - sizes: the share of each group, n_g/n.
  init(_ whole: Double, _ parts: [Double], _ sizes: [Double]) {
    guard parts.count > 1 else {
      bias = .nan
      estimate = Estimate(whole, standardError: .nan)
      return
    }
    // With h = n/n_g: θ_J = G θ − Σ (1 − 1/h) θ₍₋g₎, pseudovalues h θ − (h − 1) θ₍₋g₎. Written in
    // differences, so that nothing cancels.
    var shift = 0.0  // Σ (1 − 1/h)(θ₍₋g₎ − θ) = θ − θ_J
    for (part, size) in zip(parts, sizes) { shift += (1 - size) * (part - whole) }
    var variance = 0.0
    for (part, size) in zip(parts, sizes) {
      let h = 1 / size
      let deviation = (1 - h) * (part - whole) + shift  // pseudovalue − θ_J
      variance += deviation * deviation / (h - 1)
    }
    bias = shift
    estimate = Estimate(whole, standardError: (variance / Double(parts.count)).squareRoot())
  }
}

/// Counts (e, Z_S) over the positions with a full window.
private struct PairCounter {
  let tokens: [UInt8]
  let width: Int
  let vocabulary: Int
  let window: Int
  let lags: [Int]
  /// Shape (d^{|S|}, d), flattened.
  var counts: [Double]

  init(tokens: [UInt8], width: Int, vocabulary: Int, window: Int, lags: [Int]) {
    precondition(Windows.isIncreasing(lags) && (lags.last ?? 0) <= window, "A lag is outside.")
    self.tokens = tokens
    self.width = width
    self.vocabulary = vocabulary
    self.window = window
    self.lags = lags
    counts = [Double](
      repeating: 0, count: Windows.count(vocabulary: vocabulary, length: lags.count + 1))
  }

  mutating func estimate(groups: Int) -> SetEstimate {
    let sequences = tokens.count / width
    add(1, sequences: 0..<sequences)
    let n = Double(sequences * (width - window))
    let whole = Information(ofPairs: counts.span, vocabulary: vocabulary, total: n)
    let independent = independentBias(n)
    var parts: [Information] = []
    if groups > 1 {
      for g in 0..<groups {
        let group = g * sequences / groups..<(g + 1) * sequences / groups
        add(-1, sequences: group)
        parts.append(
          Information(
            ofPairs: counts.span, vocabulary: vocabulary,
            total: n - Double(group.count * (width - window))))
        add(1, sequences: group)
      }
    }
    let sizes = (0..<groups).map { g in
      Double((g + 1) * sequences / groups - g * sequences / groups) / Double(sequences)
    }
    return SetEstimate(
      whole: whole, parts: parts,
      bias: PlugInBias(
        independent: independent,
        jackknife: Information(
          standard: Jackknife(whole.standard, parts.map(\.standard), sizes).bias,
          modified: Jackknife(whole.modified, parts.map(\.modified), sizes).bias,
          logits: Jackknife(whole.logits, parts.map(\.logits), sizes).bias)))
  }

  private mutating func add(_ weight: Double, sequences: Range<Int>) {
    for sequence in sequences {
      let start = sequence * width
      for position in start + window..<start + width {
        var index = 0
        for lag in lags.reversed() { index = index * vocabulary + Int(tokens[position - lag]) }
        counts[index * vocabulary + Int(tokens[position])] += weight
      }
    }
  }

  private func independentBias(_ n: Double) -> Information {
    let d = vocabulary
    var token = [Double](repeating: 0, count: d)
    var (windows, spread) = (0, 0.0)
    for start in stride(from: 0, to: counts.count, by: d) {
      var sum = 0.0
      for e in 0..<d where counts[start + e] > 0 {
        token[e] += counts[start + e] / n
        sum += counts[start + e]
      }
      windows += sum > 0 ? 1 : 0
      spread += sum / n * (1 - sum / n)
    }
    let freedom = Double(token.count { $0 > 0 } - 1)
    let scatter = token.reduce(0) { $0 + $1 * (1 - $1) }
    return Information(
      standard: Double(windows - 1) * freedom / n, modified: freedom * spread / n,
      logits: scatter * spread / n)
  }
}
