public import DeclaredKeys
import FlowAnalysis

// Discrete training and figures: their keys, and what they have to do with each other.

extension Ensemble {
  /// Reads an experiment file for `gradflow compare`: where it names no optimisers all of them train, and where
  /// it names no multiples of the learning rate gradient descent is run at five.
  ///
  /// - Parameters:
  ///   - path: the file; paths inside it are relative to its folder.
  ///   - overrides: `PATH=VALUE` each, as after `--set`, applied in order.
  /// - Returns: what is run.
  /// - Throws: everything that is wrong with it.
  public static func comparison(
    contentsOf path: String, overrides: [String] = []
  ) throws(DocumentError) -> Ensemble {
    let given = try Ensemble(contentsOf: path, overrides: overrides)
    let experiment = try given.experiment(at: given.grid[0]).experiment
    var names = OptimizerName.allCases
    // Its loss is not taken over batches.
    if experiment.inductionHeads == nil { names.removeAll { $0 == .stochastic } }
    var further: [String] = []
    if experiment.training.optimizers.isEmpty {
      further.append(
        "\(ExperimentKeys.optimizers.declaration.path)=[\(names.map(\.rawValue).joined(separator: ", "))]"
      )
    }
    if !given.gives(ExperimentKeys.factors) {
      // A step fits into every stage.
      let room =
        zip(experiment.stages, experiment.training.rates).map { $0.duration / $1 }.min() ?? 1
      let factors = [4, 2, 1, 0.5, 0.25].filter { $0 <= room }
      further.append("\(ExperimentKeys.factors.declaration.path)=\(factors)")
    }
    return try Ensemble(contentsOf: path, overrides: overrides + further)
  }
}

extension ExperimentReader {
  mutating func checkTraining() {
    let optimizers = document[Keys.optimizers] ?? []
    let isReadable = !document.isFaulty(Keys.optimizers.address())
    let claims = isReadable ? document[Keys.claims] ?? [] : []
    for (place, claim) in claims.enumerated() {
      let address = Keys.claims.address().element(place)
      switch claim {
      case .descentOrder where (document[Keys.factors] ?? []).count < 2:
        document.reject(
          address, found: "D1 without training.factors", allowed: "at least two multiples of η",
          advice: "write for example training.factors: [1, 0.5, 0.25]")
      case .descentDrift where !optimizers.contains(.descent):
        document.reject(
          address, found: "D2 without gd in training.optimizers", allowed: "with gradient descent",
          advice: "write training.optimizers: [gd]")
      case .figures where (document[Keys.figures]?.count ?? 0) == 0:
        document.reject(
          address, found: "figures, but there are none", allowed: "with the key figures",
          advice: "add the key figures, or drop the claim")
      default: break
      }
    }
    if optimizers.contains(.stochastic), document[Keys.family] == .mixedTarget {
      document.reject(
        Keys.optimizers.address(), found: "sgd with model.family: mixed-target",
        allowed: "gd, momentum, adam", advice: "its loss is not taken over batches; drop sgd")
    }
    checkRates(optimizers)
    for index in 0..<(document[Keys.figures]?.count ?? 0) { checkFigure(index, optimizers) }
  }

  /// Every stage has room for a step, also of the largest multiple.
  private mutating func checkRates(_ optimizers: [OptimizerName]) {
    let largest = document[Keys.factors]?.max() ?? 0
    guard !optimizers.isEmpty || largest > 0 else { return }
    for index in 0..<(document[Keys.stages]?.count ?? 0) {
      guard let duration = document[Keys.until, index] else { continue }
      let own = document[Keys.stageRate, index]
      guard let rate = own ?? document[Keys.learningRate] else { continue }
      if rate <= duration {
        guard largest * rate > duration, !document.isFaulty(Keys.factors.address()) else {
          continue
        }
        document.reject(
          Keys.factors.address(),
          found: "\(largest), and \(largest) times the learning rate \(rate) is longer than "
            + "stages[\(index)].until \(duration)",
          allowed: "multiples up to \(duration / rate)",
          advice: "drop the larger ones, or lengthen the stage")
        continue
      }
      document.reject(
        own == nil ? Keys.learningRate.address() : Keys.stageRate.address(index),
        found: "\(rate) with stages[\(index)].until \(duration)", allowed: "at most \(duration)",
        advice: "lower the learning rate, or lengthen the stage: a stage has at least one step")
    }
  }

  private mutating func checkFigure(_ index: Int, _ optimizers: [OptimizerName]) {
    let place = Keys.figures.address().element(index)
    if document.isFaulty(place) { return }
    let pairs = [
      (Keys.figureStep.address(index), Keys.figureTime.address(index), "step and time"),
      (
        Keys.figureRelative.address(index), Keys.figureAbsolute.address(index),
        "relative and absolute"
      ),
    ]
    for (first, second, names) in pairs {
      let hasFirst = document.isGiven(first)
      guard hasFirst == document.isGiven(second) else { continue }
      document.reject(
        place, found: hasFirst ? "both \(names)" : "neither of \(names)",
        allowed: "exactly one of \(names)", advice: hasFirst ? "drop one" : "add one")
      return
    }
    if document[Keys.figureValue, index] == 0, document.isGiven(Keys.figureRelative.address(index))
    {
      document.reject(
        Keys.figureRelative.address(index), found: "a share of the figure 0",
        allowed: "absolute there",
        advice: "write absolute")
    }
    if document.isGiven(Keys.figureStep.address(index)), !optimizers.contains(.descent) {
      document.reject(
        Keys.figureStep.address(index), found: "a step without gd in training.optimizers",
        allowed: "with gradient descent", advice: "write training.optimizers: [gd], or a time")
    }
    let names = (0..<(document[Keys.stages]?.count ?? 0)).compactMap {
      document[Keys.stageName, $0]
    }
    if let stage = document[Keys.figureStage, index] {
      if !names.contains(stage) {
        document.reject(
          Keys.figureStage.address(index), .notAllowed, found: stage,
          allowed: names.joined(separator: " | "), advice: "name one of the stages")
      }
    } else if names.count > 1 {
      document.reject(
        place, .missingKey, found: "no stage, and there are \(names.count)",
        allowed: "the key stage: \(names.joined(separator: " | "))",
        advice: "name one of the stages")
    }
  }

  func training(_ stages: [StageSettings]) throws(DocumentError) -> TrainingSettings {
    let rate = try document.required(Keys.learningRate)
    return TrainingSettings(
      optimizers: document[Keys.optimizers] ?? [],
      rates: stages.indices.map { document[Keys.stageRate, $0] ?? rate },
      momentum: try document.required(Keys.momentum), batch: try document.required(Keys.batch),
      adamRate: try document.required(Keys.adamRate), factors: document[Keys.factors] ?? [])
  }

  func figures(_ stages: [StageSettings]) throws(DocumentError) -> [FigureSettings] {
    var figures: [FigureSettings] = []
    for index in 0..<(document[Keys.figures]?.count ?? 0) {
      let moment: PublishedFigure.Moment =
        if let step = document[Keys.figureStep, index] {
          .step(step)
        } else {
          .time(try document.required(Keys.figureTime, index))
        }
      let tolerance: FigureSettings.Tolerance =
        if let share = document[Keys.figureRelative, index] {
          .relative(share)
        } else {
          .absolute(try document.required(Keys.figureAbsolute, index))
        }
      figures.append(
        FigureSettings(
          quantity: try document.required(Keys.figureQuantity, index),
          stage: document[Keys.figureStage, index] ?? stages[0].name, moment: moment,
          value: try document.required(Keys.figureValue, index), tolerance: tolerance))
    }
    return figures
  }
}
