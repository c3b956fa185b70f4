import Foundation

/// A training run with one part of the model or of the training taken away.
public enum Ablation: String, Sendable, CaseIterable {
  /// Nothing is taken away.
  case nothing = "as it is"
  /// Every head attends to all its lags alike, and w is not trained.
  case uniformAttention = "first attention uniform"
  /// Every subset has the same share, and c is not trained.
  case uniformSelection = "selection uniform"
  /// The kernel is not divided by C_D.
  case plainKernel = "no division by C_D"
  /// The first head alone.
  case oneHead = "one head"
  /// a = 1 throughout.
  case fixedScale = "a = 1 throughout"
  /// One stage trains everything, as long as all stages together.
  case noStages = "no stages"
  /// On sequences of length 20.
  case short = "at L = 20"
  /// The same with weights of their own at every position.
  case absolutePositions = "at L = 20, absolute positions"

  /// The length at which positions are told apart: there are as many blocks of weights.
  static let shortLength = 20

  /// A name for folders.
  var folder: String {
    rawValue.map { $0.isLetter || $0.isNumber ? String($0) : "-" }.joined()
      .split(separator: "-").joined(separator: "-").lowercased()
  }

  /// The experiment with this taken away.
  ///
  /// - Parameter experiment: an experiment on a transformer TF(M, H, d, D).
  /// - Returns: the ablated one, without claims and discrete training; nil if it would not differ, or if it
  ///   starts from a file, which says nothing of another model.
  func applied(to experiment: Experiment) -> Experiment? {
    guard var settings = experiment.inductionHeads else { return nil }
    var ablated = experiment
    ablated.claims = []
    ablated.figures = []
    ablated.training.optimizers = []
    ablated.training.factors = []
    if self == .nothing { return ablated }
    // The others are about the parts of the simplified transformer.
    guard settings.model.layers == nil || [.fixedScale, .noStages, .short].contains(self) else {
      return nil
    }
    guard case .values(var start) = settings.initial.start else { return nil }
    switch self {
    case .nothing: break
    case .uniformAttention:
      start.ownWeight = 0
      start.otherWeight = 0
      start.exceptions = start.exceptions.filter { !$0.key.hasPrefix("w.") }
      ablated.freeze(.weights)
    case .uniformSelection:
      start.exceptions = start.exceptions.filter { !$0.key.hasPrefix("c.") }
      ablated.freeze(.coefficients)
    case .plainKernel:
      guard settings.model.normalisesKernel else { return nil }
      settings.model.normalisesKernel = false
    case .oneHead:
      guard settings.model.heads > 1 else { return nil }
      settings.model.heads = 1
      settings.model.degree = 1
      settings.model.lags = [settings.model.lags[0]]
      settings.model.ownLags = [settings.model.ownLags[0]]
      start.exceptions = start.exceptions.filter { settings.model.hasParameter(named: $0.key) }
    case .fixedScale:
      start.scale = 1
      start.exceptions["a"] = nil
      ablated.freeze(.scale)
    case .noStages:
      guard ablated.stages.count > 1 else { return nil }
      ablated.stages = [
        StageSettings(
          name: "all", groups: ablated.allGroups,
          duration: ablated.stages.reduce(0) { $0 + $1.duration }, stops: [])
      ]
      ablated.training.rates = [ablated.training.rates[0]]
    case .short, .absolutePositions:
      guard case .chains(var chains) = settings.data.source, settings.model.positions == .relative,
        settings.model.window < Self.shortLength,
        chains.parents.allSatisfy({ $0 <= Self.shortLength })
      else { return nil }
      chains.length = Self.shortLength
      settings.data.source = .chains(chains)
      if !settings.evaluation.lengths.contains(Self.shortLength) {
        settings.evaluation.lengths.append(Self.shortLength)
      }
      if self == .short { break }
      settings.evaluation.lengths = [Self.shortLength]
      settings.model.positions = .absolute
      start.exceptions = start.exceptions.filter { !$0.key.hasPrefix("w.") }
    }
    guard !ablated.stages.isEmpty else { return nil }
    settings.initial.start = .values(start)
    ablated.system = .inductionHeads(settings)
    return ablated
  }
}

extension Experiment {
  /// All groups that some stage trains, in the order of their first.
  fileprivate var allGroups: [ParameterGroup] {
    stages.flatMap(\.groups).reduce(into: []) { groups, group in
      if !groups.contains(group) { groups.append(group) }
    }
  }

  /// Trains a group no more; stages that train nothing else are left out.
  fileprivate mutating func freeze(_ group: ParameterGroup) {
    let rates = zip(stages, training.rates).filter { $0.0.groups != [group] }.map(\.1)
    stages = stages.compactMap { stage in
      var stage = stage
      stage.groups.removeAll { $0 == group }
      return stage.groups.isEmpty ? nil : stage
    }
    training.rates = rates
  }
}
