import DeclaredKeys
import FlowAnalysis
import MixedTargets

extension Experiment {
  /// The experiment with every default written out; it reads back to an equal one.
  public var resolved: String {
    ExperimentKeys.schema.resolved(
      values, header: [question ?? "", "Every default is written out."])
  }

  /// The values of the keys that describe one flow.
  var values: KeyValues {
    typealias Keys = ExperimentKeys
    var values = KeyValues()
    switch system {
    case .inductionHeads(let settings): write(settings, to: &values)
    case .mixedTarget(let settings): write(settings, to: &values)
    }
    write(stages, to: &values)
    values[Keys.method] = solver.method
    values[Keys.linearSolver] = solver.linearSolver
    values[Keys.krylovDimension] = solver.krylovDimension
    values[Keys.relativeTolerance] = solver.relativeTolerance
    values[Keys.absoluteTolerance] = solver.absoluteTolerance
    values[Keys.stepLimit] = solver.stepLimit
    values[Keys.checkpointSteps] = solver.checkpointSteps
    values[Keys.eventErrors] = solver.eventErrors
    values[Keys.first] = sampling.first
    values[Keys.perDecade] = sampling.perDecade
    values[Keys.sharpness] = sampling.sharpness
    write(training, to: &values)
    if !claims.isEmpty { values[Keys.claims] = claims }
    if !figures.isEmpty { values[Keys.figures] = KeyList(count: figures.count) }
    for (index, figure) in figures.enumerated() { write(figure, index, to: &values) }
    if let plane { write(plane, to: &values) }
    return values
  }

  private func write(_ training: TrainingSettings, to values: inout KeyValues) {
    typealias Keys = ExperimentKeys
    values[Keys.optimizers] = training.optimizers
    values[Keys.learningRate] = training.rates[0]
    for (index, rate) in training.rates.enumerated() { values[Keys.stageRate, index] = rate }
    values[Keys.momentum] = training.momentum
    values[Keys.batch] = training.batch
    values[Keys.adamRate] = training.adamRate
    values[Keys.factors] = training.factors
  }

  private func write(_ figure: FigureSettings, _ index: Int, to values: inout KeyValues) {
    typealias Keys = ExperimentKeys
    values[Keys.figureQuantity, index] = figure.quantity
    values[Keys.figureStage, index] = figure.stage
    switch figure.moment {
    case .step(let step): values[Keys.figureStep, index] = step
    case .time(let time): values[Keys.figureTime, index] = time
    }
    values[Keys.figureValue, index] = figure.value
    switch figure.tolerance {
    case .relative(let share): values[Keys.figureRelative, index] = share
    case .absolute(let width): values[Keys.figureAbsolute, index] = width
    }
  }

  private func write(_ settings: InductionHeadSettings, to values: inout KeyValues) {
    typealias Keys = ExperimentKeys
    let model = settings.model
    values[Keys.family] = model.layers == nil ? .inductionHeads : .fullTransformer
    write(settings.data, to: &values)
    values[Keys.heads] = model.heads
    values[Keys.window] = model.window
    values[Keys.lags] = model.lags
    values[Keys.ownLags] = model.ownLags
    values[Keys.readout] = model.readout
    if let layers = model.layers {
      write(layers, to: &values)
    } else {
      values[Keys.positions] = model.positions
      values[Keys.normaliseHeads] = model.normalisesHeads
    }
    if model.isPolynomial {
      values[Keys.degree] = model.degree
      values[Keys.emptySet] = model.hasEmptySet
      values[Keys.normaliseKernel] = model.normalisesKernel
    }
    values[Keys.outputs] = settings.loss.outputs
    if settings.loss.outputs == .probabilities { values[Keys.floor] = settings.loss.floor }
    if case .population = settings.data.source {
    } else {
      values[Keys.targets] = settings.loss.targets
    }
    write(settings.initial, model, to: &values)
    values[Keys.completeShare] = settings.completeShare
    values[Keys.evaluationLengths] = settings.evaluation.lengths
    if settings.data.kernels?.concentration != nil {
      values[Keys.evaluationConcentrations] = settings.evaluation.concentrations
    }
    values[Keys.evaluationSequences] = settings.evaluation.sequences
  }

  private func write(_ settings: MixedTargetSettings, to values: inout KeyValues) {
    typealias Keys = ExperimentKeys
    values[Keys.family] = .mixedTarget
    values[Keys.length] = settings.target.length
    values[Keys.sequences] = settings.sequences
    if settings.sequences != nil { values[Keys.dataSeed] = settings.seed }
    values[Keys.dimension] = settings.transformer.dimension
    values[Keys.isTied] = settings.transformer.isTied
    values[Keys.proportion] = settings.target.proportion
    values[Keys.targetWeight] = settings.target.weight
    values[Keys.form] = settings.target.form
    values[Keys.induction] = settings.induction
    switch settings.start {
    case .file(let file): values[Keys.initialFile] = file
    case .values(let size, let firstRate, let exceptions):
      values[Keys.sigma] = size
      if firstRate.isFinite { values[Keys.firstRate] = firstRate }
      if !exceptions.isEmpty {
        values[Keys.values] = exceptions.sorted { $0.key < $1.key }
          .map { NamedNumber($0.key, $0.value) }
      }
    }
  }

  private func write(_ data: DataSettings, to values: inout KeyValues) {
    typealias Keys = ExperimentKeys
    values[Keys.vocabulary] = data.vocabulary
    values[Keys.dataSeed] = data.seed
    switch data.source {
    case .chains(let chains):
      values[Keys.source] = .chains
      values[Keys.parents] = chains.parents
      write(chains.kernels, to: &values)
      values[Keys.start] = chains.start
      values[Keys.sequences] = chains.sequences
      values[Keys.length] = chains.length
    case .population(let population):
      values[Keys.source] = .population
      values[Keys.parents] = population.parents
      write(population.kernels, to: &values)
      if population.kernels.concentration != nil { values[Keys.chains] = population.chains }
    case .tokens(let tokens):
      values[Keys.source] = .tokens
      values[Keys.file] = tokens.file
      values[Keys.sequences] = tokens.sequences
      values[Keys.length] = tokens.length
    }
  }

  private func write(_ kernels: KernelSettings, to values: inout KeyValues) {
    switch kernels {
    case .dirichlet(let concentration): values[ExperimentKeys.concentration] = concentration
    case .file(let file): values[ExperimentKeys.kernel] = file
    }
  }

  private func write(_ layers: LayerSettings, to values: inout KeyValues) {
    typealias Keys = ExperimentKeys
    values[Keys.content] = layers.hasContent
    values[Keys.valueMaps] = layers.hasValues
    values[Keys.ownPosition] = layers.seesItself
    values[Keys.headNorm] = layers.normalisesHeads
    values[Keys.normFloor] = layers.normFloor
    values[Keys.comparison] = layers.comparison
    if let network = layers.network {
      values[Keys.hidden] = network.hidden
      values[Keys.features] = network.features
      values[Keys.activation] = network.activation
      values[Keys.networkNorm] = network.isNormalised
    }
    if layers.comparison == .polynomial {
      values[Keys.rectifier] = layers.rectifier
    } else {
      values[Keys.bilinear] = layers.isBilinear
    }
    values[Keys.upperHeads] = layers.upper?.heads
    values[Keys.upperWindow] = layers.upper?.window
  }

  private func write(
    _ initial: InitialSettings, _ model: ModelSettings, to values: inout KeyValues
  ) {
    typealias Keys = ExperimentKeys
    switch initial.start {
    case .file(let file): values[Keys.initialFile] = file
    case .values(let start):
      if model.isPolynomial { values[Keys.coefficient] = start.coefficient }
      if let layers = model.layers {
        values[Keys.projection] = start.projection
        values[Keys.valueMap] = start.valueMap
        if layers.network != nil { values[Keys.networkScale] = start.network }
      }
      values[Keys.ownWeight] = start.ownWeight
      values[Keys.otherWeight] = start.otherWeight
      values[Keys.scale] = start.scale
      if !start.exceptions.isEmpty {
        values[Keys.values] = start.exceptions.sorted { $0.key < $1.key }
          .map { NamedNumber($0.key, $0.value) }
      }
    }
    values[Keys.noise] = initial.noise
    values[Keys.initialSeed] = initial.seed
  }

  private func write(_ stages: [StageSettings], to values: inout KeyValues) {
    typealias Keys = ExperimentKeys
    values[Keys.stages] = KeyList(count: stages.count)
    for (index, stage) in stages.enumerated() {
      values[Keys.stageName, index] = stage.name
      values[Keys.train, index] = stage.groups
      values[Keys.until, index] = stage.duration
      if !stage.stops.isEmpty { values[Keys.stopWhen, index] = KeyList(count: stage.stops.count) }
      for (position, stop) in stage.stops.enumerated() {
        values[Keys.quantity, index, position] = stop.quantity
        switch stop.bound {
        case .above(let bound): values[Keys.above, index, position] = bound
        case .below(let bound): values[Keys.below, index, position] = bound
        }
      }
    }
  }
}
