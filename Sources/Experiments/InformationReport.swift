public import MarkovChains
public import RunRecords

/// What `gradflow information` found.
public enum InformationReport: Sendable, Equatable {
  /// Of chains drawn from a prior, or of one chain.
  case chains(InformationSurvey)
  /// Of a token file.
  case tokens(PlugInInformation)

  /// The sets with their informations.
  public var ranking: InformationRanking {
    switch self {
    case .chains(let survey): survey.ranking
    case .tokens(let estimate): estimate.ranking
    }
  }

  /// One row per set: `set,size,modified,modified_se,…`.
  ///
  /// `logits` is G, what takes the place of Ĩ where a prediction is taken as logits. `deficit` is Ĩ(S*) − Ĩ(S), or
  /// the same of G if the experiment's loss takes logits, with its standard error from paired differences. Tokens have four
  /// columns more, the bias of the plug-in estimates by the formula for independent positions and
  /// by the jackknife.
  public var table: Table {
    var biases: [PlugInBias] = []
    if case .tokens(let estimate) = self { biases = estimate.biases }
    var table = Table(columns: Self.columns(withBias: !biases.isEmpty))
    for (index, set) in ranking.sets.enumerated() {
      var row: [Cell] = [
        .text(LagSets.name(set.lags)), .integer(set.lags.count), .real(set.modified.value),
        .real(set.modified.standardError), .real(set.standard.value),
        .real(set.standard.standardError), .real(set.logits.value),
        .real(set.logits.standardError), .real(set.deficit.value),
        .real(set.deficit.standardError), .integer(index == ranking.best ? 1 : 0),
      ]
      if !biases.isEmpty {
        let bias = biases[index]
        row += [
          .real(bias.independent.modified), .real(bias.independent.standard),
          .real(bias.independent.logits), .real(bias.jackknife.modified),
          .real(bias.jackknife.standard), .real(bias.jackknife.logits),
        ]
      }
      table.append(row)
    }
    return table
  }

  static func columns(withBias: Bool) -> [String] {
    [
      "set", "size", "modified", "modified_se", "standard", "standard_se", "logits", "logits_se",
      "deficit", "deficit_se", "best",
    ]
      + (withBias
        ? [
          "modified_bias", "standard_bias", "logits_bias", "modified_jackknife_bias",
          "standard_jackknife_bias", "logits_jackknife_bias",
        ]
        : [])
  }

  /// The columns of a file with one row per chain: facts, then `standard.S`, `modified.S` and `logits.S`.
  public static func chainColumns(_ lagSets: [[Int]]) -> [String] {
    [
      "chain", "entropy_rate", "spectral_gap", "relaxation_time", "recurrent_classes", "period",
      "transient_windows",
    ]
      + lagSets.flatMap { lags in
        ["standard", "modified", "logits"].map { "\($0).\(LagSets.name(lags))" }
      }
  }

  /// The row of one chain.
  public static func chainRow(_ index: Int, _ facts: ChainFacts) -> [Cell] {
    [
      .integer(index), .real(facts.entropyRate), .real(facts.spectralGap),
      .real(facts.relaxationTime), .integer(facts.recurrentClassCount), .integer(facts.period),
      .integer(facts.transientCount),
    ]
      + facts.informations.flatMap {
        [.real($0.standard), .real($0.modified), .real($0.logits)]
      }
  }
}
