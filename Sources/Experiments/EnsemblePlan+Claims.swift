import FlowAnalysis

extension EnsemblePlan {
  /// What came of the claims: those of every flow, over its replicates, then those across flows.
  func findings<Judgement>(of flows: [FlowResult<Judgement>]) -> [Finding] {
    let claims = first.experiment.claims
    let groups = Dictionary(grouping: flows, by: \.point.flow)
    var findings: [Finding] = []
    for (_, group) in groups.sorted(by: { $0.key < $1.key }) {
      guard let point = group.first?.point else { continue }
      findings += combined(group).map { $0.labelled(grid.label(of: point)) }
    }
    let swept = flows.compactMap { flow -> SweptFlow? in
      var swept = flow.swept
      swept?.axes = Dictionary(
        zip(grid.axes.map(\.key), flow.point.values), uniquingKeysWith: { first, _ in first })
      return swept
    }
    return findings + claims.flatMap { $0.findings(across: swept) }
  }

  /// One finding for each statement that all replicates make, in the order of the first; what only
  /// some of them say, for instance because they selected another set, is not applicable unless one
  /// of those is rejected.
  private func combined<Judgement>(_ replicates: [FlowResult<Judgement>]) -> [Finding] {
    var statements: [(claim: Claim, statement: String)] = []
    for finding in replicates.flatMap(\.findings)
    where !statements.contains(where: { $0 == (finding.claim, finding.statement) }) {
      statements.append((finding.claim, finding.statement))
    }
    return statements.map { claim, statement in
      let same = replicates.flatMap(\.findings).filter {
        $0.claim == claim && $0.statement == statement
      }
      let isRejected = same.contains { $0.verdict == .rejected }
      guard same.count == replicates.count || isRejected else {
        return Finding(
          claim, statement,
          notApplicable: "said of \(same.count) of \(replicates.count) replicates only")
      }
      return Finding.combined(same)
    }
  }
}
