import Experiments
import Foundation
import MarkovChains

/// The text that `gradflow information` ends with.
struct InformationSummary {
  let plan: InformationPlan
  let report: InformationReport

  var text: String {
    var lines: [String] = []
    if let question = plan.question { lines += [question, ""] }
    lines += [subject, ""] + table + [""] + decision
    switch report {
    case .chains(let survey): lines += [""] + mixing(survey)
    case .tokens(let estimate): lines += [""] + caveats(estimate)
    }
    return lines.joined(separator: "\n")
  }

  // MARK: - Sets

  private var subject: String {
    let d = plan.settings.data.vocabulary
    switch plan.source {
    case .prior(let prior, let seed, let chains):
      return "\(chains) chains drawn from the prior: d = \(d), parents \(braces(prior.parents)), "
        + "α = \(prior.concentration.formatted(digits: 6)), seed \(seed); window \(plan.window)"
    case .kernel(let chain):
      return "One chain, the kernel of data.kernel: d = \(d), parents \(braces(chain.parents)); "
        + "window \(plan.window). The values are exact up to rounding."
    case .tokens(let stored):
      let count = stored.tokens.count / stored.width
      let positions = count * (stored.width - plan.window)
      return "Estimated from tokens: \(count) sequences of length \(plan.length ?? 0), d = \(d), "
        + "\(positions) positions with a full window of \(plan.window), pooled"
    }
  }

  private var table: [String] {
    let ranking = report.ranking
    let width = max(10, (ranking.sets.map { braces($0.lags).count }.max() ?? 0) + 2)
    var biases: [PlugInBias] = []
    var heading =
      "set".padded(to: width) + "Ĩ".aligned(to: 10) + "±".aligned(to: 10)
      + "I".aligned(to: 12) + "±".aligned(to: 10) + "G".aligned(to: 12) + "±".aligned(to: 10)
    if case .tokens(let estimate) = report {
      biases = estimate.biases
      heading +=
        "bias of Ĩ".aligned(to: 12) + "of I".aligned(to: 10)
        + "jackknife Ĩ".aligned(to: 13) + "I".aligned(to: 10)
    }
    var lines = [heading]
    for (index, set) in ranking.sets.enumerated() {
      var line =
        braces(set.lags).padded(to: width) + fixed(set.modified.value).aligned(to: 10)
        + error(set.modified).aligned(to: 10) + fixed(set.standard.value).aligned(to: 12)
        + error(set.standard).aligned(to: 10) + fixed(set.logits.value).aligned(to: 12)
        + error(set.logits).aligned(to: 10)
      if !biases.isEmpty {
        let bias = biases[index]
        line +=
          small(bias.independent.modified).aligned(to: 12)
          + small(bias.independent.standard).aligned(to: 10)
          + small(bias.jackknife.modified).aligned(to: 13)
          + small(bias.jackknife.standard).aligned(to: 10)
      }
      if index == ranking.best { line += "  S*" }
      lines.append(line)
    }
    return lines
  }

  private var decision: [String] {
    let ranking = report.ranking
    let best = braces(ranking.bestSet.lags)
    guard let second = ranking.runnerUp.map({ ranking.sets[$0] }), let gap = ranking.gap else {
      return ["S* = \(best), the only set."]
    }
    let symbol = ranking.criterion == .modified ? "Ĩ" : "G"
    var line =
      "S* = \(best); Δ = \(symbol)(S*) − \(symbol)(\(braces(second.lags))) = \(small(gap.value))"
    if gap.standardError > 0 {
      line += " ± \(small(gap.standardError)), \(separation(second))"
    }
    var lines = [line + "."]
    if !ranking.isDecided, let nearest = ranking.nearest.map({ ranking.sets[$0] }) {
      lines.append(
        nearest.deficit.standardError > 0
          ? "Undecided: only \(separation(nearest)) lie between S* and \(braces(nearest.lags)); "
            + "3 are asked for."
          : nearest.deficit.standardError.isNaN
            ? "Undecided: there is no standard error to judge Δ by."
            : "Undecided: \(braces(nearest.lags)) has the same \(symbol) up to rounding.")
    }
    return lines
  }

  private func separation(_ set: LagSetInformation) -> String {
    set.separation.isFinite
      ? String(format: "%.1f paired standard errors", set.separation)
      : "without scatter"
  }

  // MARK: - Chains

  private func mixing(_ survey: InformationSurvey) -> [String] {
    survey.chainCount == 1 ? oneChain(survey) : manyChains(survey)
  }

  /// The time that relaxation times are held against: L, or an example where there is none.
  private var reference: Int { plan.length ?? 100 }
  private var referenceName: String { plan.length.map { "L = \($0)" } ?? "100 steps" }

  private func oneChain(_ survey: InformationSurvey) -> [String] {
    let time = survey.relaxationQuantile(1)
    var lines = [
      "Entropy rate \(fixed(survey.entropyRate.value)) nats, spectral gap "
        + "\(gap(survey.gapQuantile(1))), relaxation time \(relaxation(time)) steps."
    ]
    if survey.reducibleCount > 0 {
      lines.append(
        "The chain is reducible: several recurrent classes, which are weighed by the probability "
          + "that a uniformly drawn window ends in them.")
    } else if survey.periodicCount > 0 {
      lines.append(
        "The chain is periodic: μ is its average over time, and its relaxation time is infinite.")
    } else if time > Double(reference) {
      lines.append(
        "It relaxes slower than \(referenceName): the theory's fast mixing does not hold for it.")
    }
    if survey.transientCount > 0 {
      lines.append(
        "It has transient windows, which have probability 0 and are left out of the gap.")
    }
    return lines
  }

  private func manyChains(_ survey: InformationSurvey) -> [String] {
    let quantiles = [0.05, 0.25, 0.5, 0.75, 0.95]
    let slow = survey.fractionSlower(than: Double(reference))
    let rate = survey.entropyRate
    var lines = [
      "Entropy rate \(fixed(rate.value)) ± \(small(rate.standardError)) nats.",
      "quantile".padded(to: 18)
        + quantiles.map { String(format: "%.0f %%", 100 * $0).aligned(to: 12) }.joined(),
      "spectral gap".padded(to: 18)
        + quantiles.map { gap(survey.gapQuantile($0)).aligned(to: 12) }.joined(),
      "relaxation time".padded(to: 18)
        + quantiles.map { relaxation(survey.relaxationQuantile($0)).aligned(to: 12) }.joined(),
    ]
    lines.append(
      String(format: "%.1f %%", 100 * slow) + " of the chains relax slower than \(referenceName)"
        + (slow > 0 ? ": the theory's fast mixing does not hold for them." : "."))
    lines.append(
      survey.reducibleCount + survey.periodicCount == 0
        ? "No chain is reducible or periodic."
        : "\(survey.reducibleCount) reducible chains (their recurrent classes weighed by absorption "
          + "from uniformly drawn windows), \(survey.periodicCount) periodic ones (μ averaged over "
          + "time); all of them count, with an infinite relaxation time.")
    if survey.transientCount > 0 {
      lines.append(
        "\(survey.transientCount) chains have transient windows, which have probability 0 and are "
          + "left out of the gap.")
    }
    if survey.unknownGapCount > 0 {
      lines.append(
        "The eigenvalues of \(survey.unknownGapCount) chains could not be computed; they are "
          + "missing in gaps and relaxation times.")
    }
    return lines
  }

  // MARK: - Tokens

  private func caveats(_ estimate: PlugInInformation) -> [String] {
    [
      "Plug-in estimates lie too high on average; nothing is subtracted. The first bias holds for "
        + "independent",
      "positions without information: (windows seen − 1)(tokens seen − 1)/n for I, (tokens seen − 1)"
        + " Σ μ(1 − μ)/n",
      "for Ĩ, n = \(estimate.positionCount). The second is the jackknife's over sequences.",
      estimate.groupCount > 1
        ? "Standard errors take the sequences as independent (jackknife over "
          + "\(estimate.groupCount) groups)."
        : "One sequence gives no standard errors.",
      "If the sequences have different kernels, this measures the pooled law and not the mean over "
        + "the kernels.",
    ]
  }

  // MARK: - Numbers

  private func braces(_ lags: [Int]) -> String {
    "{" + lags.map(String.init).joined(separator: ",") + "}"
  }

  private func fixed(_ value: Double) -> String {
    value != 0 && abs(value) < 1e-3 ? value.formatted(digits: 3) : String(format: "%.5f", value)
  }

  private func small(_ value: Double) -> String {
    value.isNaN ? "—" : value.formatted(digits: 2)
  }

  private func error(_ estimate: Estimate) -> String {
    estimate.standardError.isNaN
      ? "—" : estimate.standardError == 0 ? "exact" : small(estimate.standardError)
  }

  private func gap(_ value: Double) -> String {
    (value == ChainFacts.gapResolution ? "≤ " : "") + value.formatted(digits: 3)
  }

  private func relaxation(_ time: Double) -> String {
    if time == .infinity { return "∞" }
    return (time == 1 / ChainFacts.gapResolution ? "≥ " : "") + time.formatted(digits: 3)
  }
}
