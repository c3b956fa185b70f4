public import DeclaredKeys
import Foundation

/// What an experiment file poses: one flow, or a grid of flows and replicates.
///
/// The flows are read one by one, when they are asked for.
public struct Ensemble: Sendable {
  /// The path it was read from.
  public let path: String
  /// The runs.
  public let grid: FlowGrid
  let axes: [PlacedAxis]
  /// The document as it stands, with its axes.
  let base: KeyedDocument
  private let tree: DocumentTree
  private let folder: URL
  /// Whether stages go no further than claims look.
  private var isUpToLastFigure = false
  /// What is wrong with the document apart from any axis.
  private let baseProblems: Set<DocumentProblem>

  /// Reads an experiment file.
  ///
  /// - Parameters:
  ///   - path: the file; paths inside it are relative to its folder.
  ///   - overrides: `PATH=VALUE` each, as after `--set`, applied in order.
  /// - Throws: everything that is wrong with the axes and, if there are none, with the experiment.
  public init(contentsOf path: String, overrides: [String] = []) throws(DocumentError) {
    try self.init(
      ExperimentKeys.schema.tree(contentsOf: path, overrides: overrides), path: path)
  }

  /// Reads an experiment from a text.
  ///
  /// - Parameters:
  ///   - text: the experiment.
  ///   - file: the name that messages give it; paths inside the text are relative to its folder.
  ///   - overrides: `PATH=VALUE` each, as after `--set`, applied in order.
  /// - Throws: everything that is wrong with the axes and, if there are none, with the experiment.
  public init(text: String, file: String, overrides: [String] = []) throws(DocumentError) {
    try self.init(
      ExperimentKeys.schema.tree(text: text, file: file, overrides: overrides), path: file)
  }

  private init(_ whole: DocumentTree, path: String) throws(DocumentError) {
    self.path = path
    folder = URL(fileURLWithPath: path).deletingLastPathComponent()
    let read = whole.read()
    var reader = EnsembleReader(document: read, tree: whole, folder: folder)
    (axes, grid) = try reader.axesAndGrid()
    base = read
    tree = whole.removing(["replicates", "sweep", "draws"])
    var flow = ExperimentReader(
      document: read, folder: folder, sweepsModel: Self.changeModel(axes))
    do {
      _ = try flow.experiment()
      baseProblems = []
    } catch {
      // An axis may give what is missing here, and replace what is wrong.
      if axes.isEmpty { throw error }
      baseProblems = Set(error.problems)
    }
  }

  /// Reads the experiment of one run: one flow without axes, its seeds moved on by r − 1.
  ///
  /// - Throws: everything that is wrong with it; what an axis causes names the axis.
  public func experiment(at point: FlowPoint) throws(DocumentError) -> LoadedExperiment {
    let settings = zip(axes, point.positions).map { axis, position in
      KeySetting(
        path: axis.axis.key, text: axis.axis.values[position], place: axis.place(of: position))
    }
    var reader = ExperimentReader(
      document: tree.read(setting: settings), folder: folder, sweepsModel: Self.changeModel(axes))
    do {
      var experiment = try reader.experiment()
      try checkSeeds(experiment)
      experiment.system = experiment.system.movingSeeds(by: point.replicate - 1)
      if isUpToLastFigure { experiment = experiment.upToLastFigure }
      return LoadedExperiment(experiment, path: path, document: reader.document)
    } catch {
      throw explained(error, at: point)
    }
  }

  private static func changeModel(_ axes: [PlacedAxis]) -> Bool {
    axes.contains { $0.axis.key.hasPrefix("model.") }
  }

  /// The same runs, but where claims are about figures alone no further than the last of them.
  public var upToLastFigure: Ensemble {
    var copy = self
    copy.isUpToLastFigure = true
    return copy
  }

  /// Whether the file, or what overrides it, gives a key.
  func gives<Value>(_ key: Key<Value>) -> Bool { base.isGiven(key.address()) }

  /// The first run of every flow whose data, window or degree no earlier flow has.
  ///
  /// - Throws: everything that is wrong with a flow.
  public func pointsWithDistinctData() throws(DocumentError) -> [FlowPoint] {
    var seen: Set<[AnyHashable]> = []
    var points: [FlowPoint] = []
    for flow in 0..<grid.flowCount {
      let point = grid[flow * grid.replicates]
      let experiment = try experiment(at: point).experiment
      guard let settings = experiment.inductionHeads else {
        points.append(point)
        continue
      }
      let key: [AnyHashable] = [settings.data, settings.model.window, settings.model.degree]
      if seen.insert(key).inserted { points.append(point) }
    }
    return points
  }

  private func checkSeeds(_ experiment: Experiment) throws(DocumentError) {
    for (section, seed) in experiment.system.seeds.sorted(by: { $0.key < $1.key })
    where seed > Int.max - (grid.replicates - 1) {
      var document = base
      document.reject(
        ExperimentKeys.replicates.address(),
        found: "\(grid.replicates) with \(section).seed \(seed)",
        allowed: "seeds below 2^63", advice: "lower the seed")
      throw DocumentError(document.problems.suffix(1))
    }
  }

  /// The problems of one run with the axes that cause them.
  func explained(_ error: DocumentError, at point: FlowPoint) -> DocumentError {
    guard !axes.isEmpty else { return error }
    return DocumentError(
      error.problems.map { baseProblems.contains($0) ? $0 : explained($0, at: point) })
  }

  /// What stands between a problem and the values of the axes beside which it shows.
  static let beside = ", where "

  private func explained(_ problem: DocumentProblem, at point: FlowPoint) -> DocumentProblem {
    func with(key: String?, found: String) -> DocumentProblem {
      DocumentProblem(
        problem.kind, at: problem.place, key: key, isDefault: problem.isDefault, found: found,
        allowed: problem.allowed, nearest: problem.nearest, advice: problem.advice)
    }
    let key = problem.key ?? ""
    for (axis, position) in zip(axes, point.positions)
    where problem.place == axis.place(of: position) && axis.covers(key) {
      return with(key: axis.label(of: position), found: "\(problem.found) for \(key)")
    }
    let values = zip(axes, point.positions).map { axis, position in
      "\(axis.axis.key) = \(axis.axis.values[position].prefix(40)) (\(axis.label(of: position)))"
    }
    return with(
      key: problem.key, found: problem.found + Self.beside + values.joined(separator: ", "))
  }

  /// The experiment with its axes and every default written out, but for those defaults that may
  /// differ from flow to flow; it reads back to an equal grid of equal flows.
  ///
  /// - Parameter first: the experiment of the first run.
  /// - Returns: the text of an experiment file.
  func resolved(_ first: Experiment) -> String {
    typealias Keys = ExperimentKeys
    var values = first.values
    if !axes.isEmpty {
      for key in Keys.schema.keys where !key.path.contains("[]") {
        guard case .described = key.fallback else { continue }
        let address = KeyAddress(key)
        let isSwept = axes.contains { $0.address.overlaps(address) }
        if !base.isGiven(address), !isSwept { values[address] = nil }
      }
      values[Keys.sweep] = KeyList(count: axes.count)
      for (index, axis) in axes.enumerated() {
        values[Keys.sweepKey, index] = axis.axis.key
        values[Keys.sweepValues, index] = axis.axis.values
        values[Keys.sweepPair, index] = axis.axis.pair
      }
    }
    values[Keys.replicates] = grid.replicates
    return Keys.schema.resolved(
      values,
      header: [
        first.question ?? "",
        axes.isEmpty
          ? "Every default is written out."
          : "Every default is written out, but for those that depend on other keys.",
      ])
  }
}
