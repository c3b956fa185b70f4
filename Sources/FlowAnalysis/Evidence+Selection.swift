import GradientFlow
import InductionHeads
import Objectives

#if canImport(Glibc)
  import Glibc
#endif

// Conservation (G1), information, and the selection stage: G2 and G3.

extension Evidence {
  /// G1: what the flow conserves, and how far this one has drifted.
  func conservation() -> [Finding] {
    let laws = Set(objective.conservationLaws.map(\.name))
    return trajectory.lawResiduals(of: objective, solvedWith: options)
      .filter { laws.contains($0.name) }
      .map {
        $0.limit > 0.01
          ? Finding(
            .conservation, $0.name,
            notApplicable: "the tolerances allow a drift of \(Self.text($0.limit)): tighten them")
          : Finding(
            .conservation, $0.name, derived: 0, measured: $0.value, uncertainty: $0.limit,
            modelError: 0)
      }
  }

  /// The loss's slope at a = 0 with S alone is −Ĩ(S), and the first stage that trains c ends with
  /// argmax Ĩ on top.
  func information() -> [Finding] {
    guard case .population = objective.data else {
      return [
        Finding(
          .information, "slope of the loss at a=0",
          notApplicable: "Ĩ is the slope in infinite context; this is a finite one")
      ]
    }
    guard floor == 0 else {
      return [
        Finding(
          .information, "slope of the loss at a=0",
          notApplicable: "Ĩ is the slope without a floor; set loss.floor to 0")
      ]
    }
    let values = modifiedInformations()
    let evaluator = objective.makeEvaluator(threads: 1)
    var findings = model.coefficientSubsets.indices.map { subset in
      let theta = model.limitParameters(of: model.coefficientSubsets[subset], scale: 0)
      let slope = -evaluator.lossAndGradient(at: theta).gradient[theta.count - 1]
      return Finding(
        .information, "Ĩ(\(name(subset))) = −∂L/∂a at a=0, S alone, one-hot",
        derived: values[subset],
        measured: slope, uncertainty: 1e-12, modelError: 0)
    }
    guard let stage = trajectory.stages.last(where: { $0.stage.trainedGroups.contains("c") }),
      let best = values.indices.max(by: { values[$0] < values[$1] })
    else { return findings }
    let shares = model.shares(at: stage.end.span)
    let statement = "share of argmax Ĩ = \(name(best)) after stage \(stage.stage.name)"
    findings.append(
      (shares.max() ?? 0) < 0.5
        ? Finding(.information, statement, notApplicable: "no share has reached 1/2 yet")
        : Finding(
          .information, statement, derived: 0.5, measured: shares[best], uncertainty: 0,
          modelError: 0, relation: .atLeast))
    return findings
  }

  /// G2: ln(c_S*/c_S) grows at the rate 2a (Ĩ_σ(S*) − Ĩ_σ(S))/C_D.
  func selectionRate() -> [Finding] {
    guard let index = stage(training: ["c"]) else {
      return [
        Finding(.selectionRate, "ln(c_S*/c_S) slope", notApplicable: "no stage trains c alone")
      ]
    }
    let stage = trajectory.stages[index]
    guard let (best, informations) = bestSubset(stage.start) else {
      return [
        Finding(.selectionRate, "ln(c_S*/c_S) slope", notApplicable: Self.noExpansion)
      ]
    }
    let rates = selectionRates(index, best: best, informations: informations)
    guard stage.start[stage.start.count - 1] > 0 else {
      return [Finding(.selectionRate, "ln(c_S*/c_S) slope", notApplicable: "a is not positive")]
    }
    let samples = samples(of: index)
    let winner = column("c.\(coefficientName(best))")
    return informations.indices.filter { $0 != best }.map { subset in
      let statement = "ln(c_S*/c_S) slope, S*=\(name(best)), S=\(name(subset))"
      let other = column("c.\(coefficientName(subset))")
      guard informations[best] - informations[subset] > 1e-9 * abs(informations[best]) else {
        return Finding(
          .selectionRate, statement, notApplicable: "the two carry the same information")
      }
      // Below this the absolute tolerance shows in the logarithm.
      let smallest = 1e4 * options.absoluteTolerance
      let window = samples.filter {
        abs($0.values[other]) > smallest && abs($0.values[winner]) > smallest
      }
      guard window.count >= 5 else {
        return Finding(
          .selectionRate, statement,
          notApplicable: "only \(window.count) samples have c_S above \(smallest), 10⁴ absolute "
            + "tolerances")
      }
      let fit = LineFit(
        window.map { $0.time - stage.startTime },
        window.map { log(abs($0.values[winner] / $0.values[other])) })
      return Finding(
        .selectionRate, statement, derived: rates.derived[subset], measured: fit.slope,
        uncertainty: fit.slopeHalfWidth, modelError: rates.neglected[subset])
    }
  }

  /// The rate of ln(c_S*/c_S) for every S to first order in a, and the size of what follows.
  ///
  /// The exact rate at θ is ρ(a) = −(∂_{c_S*}L/c_S* − ∂_{c_S}L/c_S) = a r₁ + a² r₂ + …. r₁ is derived;
  /// what follows is estimated from the objective alone, without r₁, as 2(ρ(a) − 2ρ(a/2)) =
  /// a² r₂ + (3/2) a³ r₃ + …, the largest over a dozen states along the stage.
  private func selectionRates(
    _ index: Int, best: Int, informations: [Double]
  ) -> (derived: [Double], neglected: [Double]) {
    let stage = trajectory.stages[index]
    let position = stage.start.count - 1
    let scale = stage.start[position]
    let total = model.sumOfSquares(stage.start.span)
    let derived = informations.map { 2 * scale * (informations[best] - $0) / total }
    let evaluator = objective.makeEvaluator(threads: 1)
    let first = column(trajectory.layout.names[0])
    let rows = samples(of: index)
    let states = stride(from: 0, to: rows.count, by: max(1, rows.count / 12)).map {
      Array(rows[$0].values[first..<first + stage.start.count])
    }
    // Losing coefficients may have underflowed; their rates need only the shares.
    let floor = 1e-6 * total.squareRoot()
    var neglected = informations.map { _ in 0.0 }
    for state in states + [stage.end] {
      func rates(_ a: Double) -> [Double] {
        var theta = state
        theta[position] = a
        for i in informations.indices where abs(theta[i]) < floor {
          theta[i] = theta[i] < 0 ? -floor : floor
        }
        let gradient = evaluator.lossAndGradient(at: theta).gradient
        let own = informations.indices.map { gradient[$0] / theta[$0] }
        return own.map { $0 - own[best] }
      }
      for (i, (whole, half)) in zip(rates(scale), rates(scale / 2)).enumerated() {
        neglected[i] = max(neglected[i], 2 * abs(whole - 2 * half))
      }
    }
    return (derived, neglected)
  }

  /// G3: the time at which p_S* reaches its complete share P solves
  /// Σ_S (p_S(0)/p_S*(0)) e^{−4a (Ĩ_σ(S*) − Ĩ_σ(S)) t/C_D} = (1 − P)/P.
  func selectionTime() -> [Finding] {
    func none(_ reason: String) -> [Finding] {
      [Finding(.selectionTime, "time of complete selection", notApplicable: reason)]
    }
    guard let index = stage(training: ["c"]) else { return none("no stage trains c alone") }
    guard let complete = objective.completeShare else { return none("no share counts as complete") }
    let stage = trajectory.stages[index]
    guard let (best, informations) = bestSubset(stage.start) else { return none(Self.noExpansion) }
    let scale = stage.start[stage.start.count - 1]
    let shares = model.shares(at: stage.start.span)
    guard scale > 0 else { return none("a is not positive") }
    guard shares[best] > 0 else {
      return none("the share of S* is zero at the start, and stays so")
    }
    guard shares[best] < complete else { return none("S* is selected at the start") }
    let name = "selection-complete.\(coefficientName(best))"
    let event = trajectory.events.first { $0.stage == index && $0.name == name }
    guard let event, event.isReached else { return none("\(name) was not reached") }
    let rates = selectionRates(index, best: best, informations: informations)
    /// The time at which the others' shares have fallen enough, at given rates.
    func time(_ rates: [Double]) -> Double? {
      func rest(_ t: Double) -> Double {
        informations.indices.filter { $0 != best }.reduce(0.0) { sum, subset in
          sum + shares[subset] / shares[best] * exp(-2 * rates[subset] * t)
        } - (1 - complete) / complete
      }
      var high = 1.0
      while rest(high) > 0 && high < 1e300 { high *= 2 }
      guard high < 1e300 else { return nil }
      var low = 0.0
      for _ in 0..<200 where high - low > 1e-14 * high {
        let middle = (low + high) / 2
        if rest(middle) > 0 { low = middle } else { high = middle }
      }
      return high
    }
    guard let derived = time(rates.derived) else {
      return none("another subset carries the same information to first order in a")
    }
    guard let late = time(zip(rates.derived, rates.neglected).map { $0 - $1 }),
      let early = time(zip(rates.derived, rates.neglected).map { $0 + $1 })
    else {
      return none("what the law neglects is as large as the smallest rate: a is too large")
    }
    return [
      Finding(
        .selectionTime, "time at which p_S* reaches \(Self.text(complete)), S*=\(self.name(best))",
        derived: derived, measured: event.time - stage.startTime, uncertainty: event.error ?? 0,
        modelError: max(late - derived, derived - early))
    ]
  }

  /// What a subset is called in parameters and events: `1+2`.
  func coefficientName(_ subset: Int) -> String {
    GIHTransformer.name(of: model.coefficientSubsets[subset])
  }
}
