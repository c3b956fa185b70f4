import FlowAnalysis

extension Experiment {
  /// The same without what its claims do not look at, if they are all about figures and single steps.
  ///
  /// What is left are the stages up to the last moment that one of them names. Other claims are about whole flows.
  var upToLastFigure: Experiment {
    guard !claims.isEmpty, claims.allSatisfy({ $0 == .figures || $0 == .descentDrift }) else {
      return self
    }
    var needed = [Double?](repeating: nil, count: stages.count)
    for figure in figures {
      guard let stage = stages.firstIndex(where: { $0.name == figure.stage }) else { continue }
      let time =
        switch figure.moment {
        case .step(let step): Double(step) * training.rates[stage]
        case .time(let time): time
        }
      // Of a figure at its start a stage has one step.
      needed[stage] = max(needed[stage] ?? 0, time, training.rates[stage])
    }
    if claims.contains(.descentDrift),
      let stage = stages.firstIndex(where: { $0.groups.contains(.coefficients) })
    {
      needed[stage] = max(needed[stage] ?? 0, training.rates[stage])
    }
    guard let last = needed.lastIndex(where: { $0 != nil }) else { return self }
    var shortened = self
    shortened.stages = Array(stages[...last])
    shortened.stages[last].duration = min(stages[last].duration, needed[last] ?? 0)
    shortened.training.rates = Array(training.rates[...last])
    shortened.figures = figures.filter { figure in
      shortened.stages.contains { $0.name == figure.stage }
    }
    return shortened
  }
}
