public import GradientFlow
import InductionHeads

#if canImport(Glibc)
  import Glibc
#endif

// The copying stage: G4 and G5.

extension Evidence {
  /// The reduced flow of the stage that trains w alone: the gap ODE of every head, to be solved by
  /// the caller.
  ///
  /// - Returns: the problem, or nil when no stage trains w alone, it ended where it began, or there is no expansion.
  public func reducedCopyingProblem() -> FlowProblem? {
    guard let stage = try? lastingCopyingStage(), let expansion else { return nil }
    let n = model.coefficientSubsets.count
    let flow = ReducedCopying(
      model, expansion, shares: model.shares(at: stage.start.span),
      scale: stage.start[stage.start.count - 1])
    return FlowProblem(
      minimizing: flow, from: Array(stage.start[n..<stage.start.count - 1]),
      stages: [Stage(name: "copying", training: ["w"], until: stage.endTime - stage.startTime)])
  }

  /// What both claims of the stage need.
  private struct CopyingStage {
    let stage: Trajectory.StageSummary
    /// The subset that is selected, an index into the coefficients.
    let selected: Int
    let scale: Double
    /// 1 − p_S*.
    let unselected: Double
    /// w at the end of the reduced flow.
    let reduced: [Double]
    let flow: ReducedCopying
  }

  /// The stage that trains w alone; a short one behind a long one has no length on the clock of the flow.
  private func lastingCopyingStage() throws(NotApplicable) -> Trajectory.StageSummary {
    guard let index = stage(training: ["w"]) else {
      throw NotApplicable(reason: "no stage trains w alone")
    }
    let stage = trajectory.stages[index]
    guard stage.endTime > stage.startTime else {
      throw NotApplicable(reason: "the stage ended where it began")
    }
    return stage
  }

  private func copyingStage() -> Result<CopyingStage, NotApplicable> {
    let stage: Trajectory.StageSummary
    do { stage = try lastingCopyingStage() } catch { return .failure(error) }
    guard let reduced = reducedCopying, let problem = reducedCopyingProblem(),
      let flow = problem.objective as? ReducedCopying
    else {
      return .failure(
        NotApplicable(
          reason: expansion == nil ? Self.noExpansion : "the reduced flow could not be solved"))
    }
    guard stage.start[stage.start.count - 1] > 0 else {
      return .failure(NotApplicable(reason: "a is not positive"))
    }
    let shares = model.shares(at: stage.start.span)
    let selected = shares.indices.max { shares[$0] < shares[$1] } ?? 0
    let unselected = shares.indices.reduce(0.0) { $1 == selected ? $0 : $0 + shares[$1] }
    guard unselected < 0.5 else {
      return .failure(
        NotApplicable(reason: "no subset has a share above 1/2 when the stage starts"))
    }
    return .success(
      CopyingStage(
        stage: stage, selected: selected, scale: stage.start[stage.start.count - 1],
        unselected: unselected, reduced: reduced.parameters, flow: flow))
  }

  struct NotApplicable: Error {
    let reason: String
  }

  /// G4: 1 − σ of the heads in S* at the end of the stage, against the gap ODE and its asymptote.
  func copying() -> [Finding] {
    let copying: CopyingStage
    switch copyingStage() {
    case .failure(let none):
      return [Finding(.copying, "1−σ after copying", notApplicable: none.reason)]
    case .success(let stage): copying = stage
    }
    let time = copying.stage.endTime - copying.stage.startTime
    let n = model.coefficientSubsets.count
    let full = copying.stage.end
    let reduced = Array(full[..<n]) + copying.reduced + [copying.scale]
    return model.coefficientSubsets[copying.selected].flatMap { head -> [Finding] in
      let lags = model.heads[head].lags
      let statement = "1−σ of head \(head + 1) at t=\(Self.text(time))"
      guard lags.count > 1, let own = lags.firstIndex(of: model.heads[head].ownLag) else {
        return [
          Finding(.copying, statement, notApplicable: "the head sees one lag only")
        ]
      }
      let matrix = copying.flow.matrices[head]
      let gaps = lags.indices.filter { $0 != own }.map { matrix[own][own] - matrix[own][$0] }
      guard gaps.allSatisfy({ $0 > 0 }) else {
        return [
          Finding(
            .copying, statement,
            notApplicable: "a gap D_j is not positive: \(gaps.map { Self.text($0) })")
        ]
      }
      let measured = attentionElsewhere(full, head: head)
      let ode = attentionElsewhere(reduced, head: head)
      // The weights are known to the tolerances times what they have travelled.
      let tolerance = 100 * (options.relativeTolerance + options.absoluteTolerance) * measured
      let relative =
        abs(copying.scale) + copying.unselected
        + othersDeparture(copying, head: head)
      var findings = [
        Finding(
          .copying, "\(statement), gap ODE", derived: ode, measured: measured,
          uncertainty: tolerance, modelError: relative * ode)
      ]
      let start = copying.stage.start
      findings.append(
        asymptote(
          statement, gaps: gaps, time: time, scale: copying.scale,
          elsewhere: attentionElsewhere(start, head: head), measured: measured,
          uncertainty: tolerance, relative: relative))
      return findings
    }
  }

  /// What it costs that the other heads of S* are not one-hot yet.
  ///
  /// They slow the head down by η = 2 Σ (1 − σ), which itself falls like 1/t from t₀ on, so 1 − σ is
  /// off by (1/t) ∫ η dt = η(t) (1 + ln(t/t₀)), relative (derived).
  private func othersDeparture(_ copying: CopyingStage, head: Int) -> Double {
    let others = model.coefficientSubsets[copying.selected].filter { $0 != head }
    let now = 2 * others.reduce(0) { $0 + attentionElsewhere(copying.stage.end, head: $1) }
    let before = 2 * others.reduce(0) { $0 + attentionElsewhere(copying.stage.start, head: $1) }
    guard now > 0, before > now else { return now }
    return now * (1 + log(before / now))
  }

  /// 1 − σ → (1/(2aMt)) Σ_j 1/D_j.
  ///
  /// With u_j = σ_j D_j the deviations r_j = u_j/ū − 1 shrink like (t₀/t)^{1/M} from D_j/D̄ − 1,
  /// their value where the lags start alike, t₀ = 1/(2aM ū(0)) (derived); that is the model error.
  private func asymptote(
    _ statement: String, gaps: [Double], time: Double, scale: Double, elsewhere: Double,
    measured: Double, uncertainty: Double, relative: Double
  ) -> Finding {
    guard elsewhere < 0.5 else {
      return Finding(
        .copying, "\(statement), asymptote",
        notApplicable: "the head starts with σ = \(Self.text(1 - elsewhere)) on its own lag")
    }
    let lags = Double(gaps.count + 1)
    let mean = gaps.reduce(0, +) / Double(gaps.count)
    let spread = gaps.map { abs($0 / mean - 1) }.max() ?? 0
    let start = 1 / (2 * scale * lags * elsewhere / Double(gaps.count) * mean)
    guard time > 10 * start else {
      return Finding(
        .copying, "\(statement), asymptote",
        notApplicable: "the asymptote needs t far beyond 1/(2aMū) = \(Self.text(start))")
    }
    let derived = gaps.reduce(0) { $0 + 1 / $1 } / (2 * scale * lags * time)
    let transient = spread * pow(start / time, 1 / lags) + start / time
    return Finding(
      .copying, "\(statement), asymptote", derived: derived, measured: measured,
      uncertainty: uncertainty, modelError: (transient + relative) * derived)
  }

  /// G5: how far the heads outside S* have moved, against the same ODE with the shares left.
  func bystanders() -> [Finding] {
    let copying: CopyingStage
    switch copyingStage() {
    case .failure(let none):
      return [Finding(.bystanders, "heads outside S*", notApplicable: none.reason)]
    case .success(let stage): copying = stage
    }
    let outside = model.heads.indices.filter {
      !model.coefficientSubsets[copying.selected].contains($0) && model.heads[$0].lags.count > 1
    }
    guard !outside.isEmpty else {
      return [
        Finding(
          .bystanders, "heads outside S*",
          notApplicable: "every head with several lags is in S*")
      ]
    }
    let n = model.coefficientSubsets.count
    var first = 0
    let ranges = model.heads.map { head -> Range<Int> in
      defer { first += head.lags.count }
      return first..<first + head.lags.count
    }
    // The heads of S*, which are taken to match at their own lags, are not one-hot from the start.
    let departure = othersDeparture(copying, head: -1)
    return outside.map { head in
      let derived =
        ranges[head].map { abs(copying.reduced[$0] - copying.stage.start[n + $0]) }
        .max() ?? 0
      let measured =
        ranges[head].map {
          abs(copying.stage.end[n + $0] - copying.stage.start[n + $0])
        }.max() ?? 0
      return Finding(
        .bystanders, "largest |Δw| of head \(head + 1)",
        derived: derived, measured: measured,
        uncertainty: 10 * options.absoluteTolerance + 100 * options.relativeTolerance * measured,
        modelError: (abs(copying.scale) + departure) * derived,
        detail: "1−p_S* = \(Self.text(copying.unselected))")
    }
  }

  static func text(_ value: Double) -> String {
    let text = "\(Float(value))"
    if text.hasSuffix(".0"), text.count > 6,
      let zeros = text.dropLast(2).lastIndex(where: { $0 != "0" })
    {
      // 10000000 is 1e+07
      let digits = text.dropLast(2)
      let power = digits.distance(from: digits.startIndex, to: digits.endIndex) - 1
      let head = digits[...zeros]
      return head.count == 1
        ? "\(head)e\(power)" : "\(head.prefix(1)).\(head.dropFirst())e\(power)"
    }
    return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
  }
}
