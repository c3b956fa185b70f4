import DeclaredKeys
import FlowAnalysis
import Foundation

/// Turns a document into an experiment: checks across keys first, then the settings.
struct ExperimentReader {
  typealias Keys = ExperimentKeys

  var document: KeyedDocument
  /// The folder that paths in the document are relative to.
  let folder: URL
  /// Whether an axis changes the model, so that stages name groups that some flows lack and do not train.
  var sweepsModel = false

  mutating func experiment() throws(DocumentError) -> Experiment {
    // Which keys belong here hangs on the family.
    if document.isFaulty(Keys.family.address()) { try document.finish() }
    checkStages()
    checkSolver()
    checkTraining()
    let system: SystemSettings =
      switch document[Keys.family] {
      case .mixedTarget?: .mixedTarget(try mixedTarget())
      case .fullTransformer?: .inductionHeads(try inductionHeads(.fullTransformer))
      default: .inductionHeads(try inductionHeads(.inductionHeads))
      }
    try document.finish()
    let stages = try stages()
    let figures = try figures(stages)
    // Figures are there to be judged.
    var claims = document[Keys.claims] ?? []
    if !figures.isEmpty, !claims.contains(.figures) { claims.append(.figures) }
    return Experiment(
      question: document.firstComment, system: system, stages: stages, solver: try solver(),
      sampling: SamplingSettings(
        first: try document.required(Keys.first),
        perDecade: try document.required(Keys.perDecade),
        sharpness: try document.required(Keys.sharpness)),
      training: try training(stages), claims: claims, figures: figures, plane: try plane(stages))
  }

  private mutating func inductionHeads(
    _ family: ModelFamily
  ) throws(DocumentError) -> InductionHeadSettings {
    checkFamily(family)
    checkData()
    if family == .fullTransformer { checkLayers() }
    checkModel()
    checkLength()
    checkLoss()
    checkInitial()
    try document.finish()
    let model = try model(family == .fullTransformer ? try layers() : nil)
    let settings = InductionHeadSettings(
      data: try data(), model: model,
      loss: LossSettings(
        outputs: try document.required(Keys.outputs),
        floor: try document.required(Keys.floor), targets: try document.required(Keys.targets)),
      initial: try initial(model),
      completeShare: document[Keys.completeShare] ?? defaultCompleteShare,
      evaluation: EvaluationSettings(
        lengths: try document.required(Keys.evaluationLengths),
        concentrations: try document.required(Keys.evaluationConcentrations),
        sequences: try document.required(Keys.evaluationSequences)))
    checkNames(settings)
    return settings
  }

  private func data() throws(DocumentError) -> DataSettings {
    let source: DataSettings.Source =
      switch try document.required(Keys.source) {
      case .chains:
        .chains(
          ChainSettings(
            parents: try document.required(Keys.parents).sorted(),
            kernels: try kernels(),
            start: try document.required(Keys.start),
            sequences: try document.required(Keys.sequences),
            length: try document.required(Keys.length)))
      case .population:
        .population(
          PopulationSettings(
            parents: try document.required(Keys.parents).sorted(),
            kernels: try kernels(), chains: document[Keys.chains] ?? 1))
      case .tokens:
        .tokens(
          TokenSettings(
            file: absolute(try document.required(Keys.file)),
            sequences: document[Keys.sequences], length: document[Keys.length]))
      }
    return DataSettings(
      vocabulary: try document.required(Keys.vocabulary),
      seed: try document.required(Keys.dataSeed), source: source)
  }

  /// 1 − 1/L where L is known and a share above 1/2 comes of it; for a file it shows later.
  private var defaultCompleteShare: Double? {
    switch document[Keys.source] {
    case .population?: 0.99
    case .chains?: document[Keys.length].flatMap { $0 > 2 ? 1 - 1 / Double($0) : nil }
    default: nil
    }
  }

  private func kernels() throws(DocumentError) -> KernelSettings {
    if let file = document[Keys.kernel] { return .file(absolute(file)) }
    return .dirichlet(concentration: try document.required(Keys.concentration))
  }

  private func model(_ layers: LayerSettings?) throws(DocumentError) -> ModelSettings {
    let heads = try document.required(Keys.heads)
    let window = try document.required(Keys.window)
    let lags =
      document[Keys.lags]?.map { $0.sorted() } ?? Array(repeating: Array(1...window), count: heads)
    // checkModel has seen that every head has an h-th lag where own lags are not given.
    let ownLags =
      document[Keys.ownLags] ?? zip(lags, lags.indices).map { $1 < $0.count ? $0[$1] : 1 }
    return ModelSettings(
      heads: heads, window: window, lags: lags, ownLags: ownLags,
      degree: layers.map { $0.comparison == .polynomial } ?? true
        ? try document.required(Keys.degree) : 1,
      hasEmptySet: try document.required(Keys.emptySet),
      readout: try document.required(Keys.readout),
      positions: try document.required(Keys.positions),
      normalisesHeads: try document.required(Keys.normaliseHeads),
      normalisesKernel: try document.required(Keys.normaliseKernel), layers: layers)
  }

  private func initial(_ model: ModelSettings) throws(DocumentError) -> InitialSettings {
    let start: InitialSettings.Start
    if let file = document[Keys.initialFile] {
      start = .file(absolute(file))
    } else {
      let entries = document[Keys.values] ?? []
      start = .values(
        InitialValues(
          coefficient: document[Keys.coefficient] ?? 1 / Double(model.subsetCount).squareRoot(),
          ownWeight: try document.required(Keys.ownWeight),
          otherWeight: try document.required(Keys.otherWeight),
          scale: try document.required(Keys.scale),
          projection: try document.required(Keys.projection),
          valueMap: try document.required(Keys.valueMap),
          network: try document.required(Keys.networkScale),
          exceptions: Dictionary(entries.map { ($0.name, $0.value) }) { first, _ in first }))
    }
    let dataSeed = try document.required(Keys.dataSeed)
    return InitialSettings(
      start: start, noise: try document.required(Keys.noise),
      seed: document[Keys.initialSeed] ?? dataSeed)
  }

  private func stages() throws(DocumentError) -> [StageSettings] {
    var stages: [StageSettings] = []
    for index in 0..<(try document.required(Keys.stages).count) {
      var stops: [StopSettings] = []
      for stop in 0..<(document[Keys.stopWhen, index]?.count ?? 0) {
        let bound: StopSettings.Bound =
          if let above = document[Keys.above, index, stop] {
            .above(above)
          } else {
            .below(try document.required(Keys.below, index, stop))
          }
        stops.append(
          StopSettings(
            quantity: try document.required(Keys.quantity, index, stop), bound: bound))
      }
      stages.append(
        StageSettings(
          name: try document.required(Keys.stageName, index),
          groups: try document.required(Keys.train, index).filter(hasGroup),
          duration: try document.required(Keys.until, index), stops: stops))
    }
    return stages
  }

  private func solver() throws(DocumentError) -> SolverSettings {
    SolverSettings(
      method: try document.required(Keys.method),
      linearSolver: try document.required(Keys.linearSolver),
      krylovDimension: try document.required(Keys.krylovDimension),
      relativeTolerance: try document.required(Keys.relativeTolerance),
      absoluteTolerance: try document.required(Keys.absoluteTolerance),
      stepLimit: try document.required(Keys.stepLimit),
      checkpointSteps: try document.required(Keys.checkpointSteps),
      eventErrors: try document.required(Keys.eventErrors))
  }

  func absolute(_ path: String) -> String {
    URL(fileURLWithPath: path, relativeTo: folder).standardizedFileURL.path
  }
}
