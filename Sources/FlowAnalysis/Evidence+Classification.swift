import Corpora
import GradientFlow
import InductionHeads
import MarkovChains
import Objectives

#if canImport(Glibc)
  import Glibc
#endif

// The classification stage: G6 and G7.

extension Evidence {
  /// G6: the local exponent r = −d log ȧ/da over the last two decades of the stage, against that of
  /// the limit model's loss; its value for Dirichlet chains; and the loss that is left.
  func classifierGrowth() -> [Finding] {
    func none(_ reason: String) -> [Finding] {
      [Finding(.classifierGrowth, "exponent r of ȧ ~ e^{−ra}", notApplicable: reason)]
    }
    guard isPopulation else { return none("at finite length a comes to rest; see G7") }
    guard let index = stage(training: ["a"]) else { return none("no stage trains a alone") }
    let stage = trajectory.stages[index]
    let shares = model.shares(at: stage.start.span)
    let selected = shares.indices.max { shares[$0] < shares[$1] } ?? 0
    let subset = model.coefficientSubsets[selected]
    let lags = Set(subset.map { model.heads[$0].ownLag }).sorted()
    let departure =
      (1 - shares[selected])
      + 2 * subset.reduce(0) { $0 + attentionElsewhere(stage.start, head: $1) }
    guard departure < 0.01 else {
      return none("1−p_S* + 2Σ(1−σ) = \(Self.text(departure)): far from the limit model")
    }
    let (speed, scale) = (column("gradient_norm.a"), column("a"))
    let end = stage.endTime - stage.startTime
    let window = samples(of: index).filter {
      $0.time - stage.startTime >= end / 100 && $0.values[speed] > 0
    }
    guard window.count >= 5, let first = window.first, let last = window.last,
      last.values[scale] > first.values[scale] + 0.1
    else { return none("a hardly moves in the last two decades of the stage") }
    let scales = window.map { $0.values[scale] }
    guard scales[0] > 2 else {
      return none("a = \(Self.text(scales[0])) is too small to speak of an exponent")
    }
    let fit = LineFit(scales, window.map { -log($0.values[speed]) })
    let limits = scales.map { -log(limitSlope(lags: lags, at: $0)) }
    let limit = LineFit(scales, limits)
    // Both bend alike; what counts is the slope between them.
    let gap = LineFit(scales, zip(window, limits).map { -log($0.values[speed]) - $1 })
    let a = last.values[scale]
    var findings = [
      Finding(
        .classifierGrowth,
        "local exponent r, against GIH(\(name(selected)))",
        derived: limit.slope, measured: fit.slope, uncertainty: gap.slopeHalfWidth,
        modelError: a * departure * limit.slope,
        detail: "a in \(Self.text(scales[0]))…\(Self.text(a))")
    ]
    if let concentration, lags == parents, floor == 0 {
      // Logarithms, from rare sub-windows and at α = 1, make local exponents differ: at α = 1 and
      // d = 3, r = 2 − 1/(a − 3.6).
      let statement = "r against min(2, 1+α), α=\(Self.text(concentration))"
      // Beyond this a no row has an entry to match, and r turns to 2.
      let deepest = -log(smallestEntry)
      findings.append(
        scales[0] > 5 && (concentration >= 1 || a < deepest)
          ? Finding(
            .classifierGrowth, statement, derived: min(2, 1 + concentration), measured: fit.slope,
            uncertainty: 0, modelError: 1 / (scales[0] - 4))
          : Finding(
            .classifierGrowth, statement,
            notApplicable: scales[0] > 5
              ? "a exceeds −log of the smallest of these chains' entries, \(Self.text(deepest))"
              : "a = \(Self.text(scales[0])) is too small for the asymptotic exponent"))
    }
    // What is still to be lost: ∫ −∂_a L da with the local exponent of the end.
    let left = last.values[speed] / max(fit.slope, 0.1)
    let statement = "loss at the end, against the conditional entropy given \(lags)"
    // Losses differ to second order in what the predictions lack: √(2 left) of the way in a, and
    // a times the departure in logits.
    let lacking = (2 * left).squareRoot() + a * departure
    if floor > 0 {
      return findings + [
        Finding(
          .classifierGrowth, statement, notApplicable: "the entropy is reached without a floor only"
        )
      ]
    }
    findings.append(
      left < 0.01 * stage.lossAtEnd
        ? Finding(
          .classifierGrowth, statement, derived: conditionalEntropy(lags: lags),
          measured: stage.lossAtEnd, uncertainty: 1e-12, modelError: lacking * lacking)
        : Finding(
          .classifierGrowth, statement,
          notApplicable: "about \(Self.text(left)) is still to be lost; lengthen the stage"))
    return findings
  }

  /// The smallest positive entry of the population's kernels.
  private var smallestEntry: Double {
    guard case .population(let law) = objective.data else { return 0 }
    return law.chains.lazy.flatMap(\.rows).filter { $0 > 0 }.min() ?? 0
  }

  /// The parents of the population's chains.
  private var parents: [Int] {
    guard case .population(let law) = objective.data else { return [] }
    return law.chains.first?.parents ?? []
  }

  /// G7: a comes to rest at the zero of ∂_a L, found by bisection at the stage's c and w.
  func finiteOptimum() -> [Finding] {
    let statement = "a at the end, against the zero of ∂L/∂a"
    func none(_ reason: String) -> [Finding] {
      [Finding(.finiteOptimum, statement, notApplicable: reason)]
    }
    guard !isPopulation else { return none("in infinite context a has no finite optimum; see G6") }
    guard let index = stage(training: ["a"]) else { return none("no stage trains a alone") }
    let stage = trajectory.stages[index]
    let evaluator = objective.makeEvaluator(threads: 1)
    let position = stage.end.count - 1
    // The zero is that of a difference of losses: the flow is made of gradients.
    func slope(_ a: Double) -> Double {
      let h = 1e-4
      var (up, down) = (stage.end, stage.end)
      up[position] = a + h
      down[position] = a - h
      return (evaluator.loss(at: up) - evaluator.loss(at: down)) / (2 * h)
    }
    // The first zero above the start: the flow of one parameter cannot pass it.
    var low = stage.start[position]
    guard slope(low) < 0 else { return none("the loss does not fall with a at the start") }
    var high = low + 0.25
    while slope(high) < 0 && high < 200 {
      low = high
      high += 0.25
    }
    guard high < 200 else {
      return none(
        "∂L/∂a < 0 up to a = 200: no finite optimum, as in infinite context or with a large floor")
    }
    while high - low > 1e-11 * high {
      let middle = (low + high) / 2
      if middle <= low || middle >= high { break }
      if slope(middle) < 0 { low = middle } else { high = middle }
    }
    let measured = stage.end[position]
    let curvature = evaluator.hessian(at: stage.end)[stage.end.count * stage.end.count - 1]
    let left = stage.gradientNormAtEnd / max(abs(curvature), .leastNormalMagnitude)
    // What the tolerances leave open, and the differences: rounding over h, and h² of the third order.
    let uncertainty =
      10 * (options.relativeTolerance * abs(measured) + options.absoluteTolerance)
      + 1e-11 / max(abs(curvature), 1e-8) + 1e-8
    guard left < uncertainty else {
      return none(
        "a has not come to rest: ∂L/∂a over its slope is still \(Self.text(left)); lengthen the stage"
      )
    }
    return [
      Finding(
        .finiteOptimum, statement, derived: high, measured: measured, uncertainty: uncertainty,
        modelError: 0)
    ]
  }
}
