public import DeclaredKeys
import GradientFlow
import MixedTargets
import Objectives

/// An experiment's plane, checked against its parameters.
public struct PhasePlanePlan: Sendable {
  /// The experiment.
  public let plan: ExperimentPlan
  /// The plane.
  public let settings: PlaneSettings
  let x: PhasePlane.Axis
  let y: PhasePlane.Axis
  /// The groups that move.
  let groups: [String]

  /// Plans a plane of an experiment.
  ///
  /// - Parameters:
  ///   - path: the file; paths inside it are relative to its folder.
  ///   - overrides: `PATH=VALUE` each, as after `--set`, applied in order.
  ///   - memoryLimit: bytes that may be used; nil for no limit.
  /// - Throws: everything that is wrong with the experiment, several flows among it, and with its plane.
  public init(
    contentsOf path: String, overrides: [String] = [], memoryLimit: Int? = nil
  ) throws(DocumentError) {
    try self.init(Ensemble(contentsOf: path, overrides: overrides), memoryLimit: memoryLimit)
  }

  /// Plans a plane of an experiment.
  ///
  /// - Parameters:
  ///   - ensemble: what a file poses; a single flow.
  ///   - memoryLimit: bytes that may be used; nil for no limit.
  /// - Throws: everything that is wrong with the experiment, several flows among it, and with its plane.
  public init(_ ensemble: Ensemble, memoryLimit: Int? = nil) throws(DocumentError) {
    typealias Keys = ExperimentKeys
    let loaded = try ensemble.experiment(at: ensemble.grid[0])
    guard ensemble.grid.isSingle else {
      throw LoadedExperiment(
        loaded.experiment, path: ensemble.path, document: ensemble.base
      ).error(
        at: ensemble.axes.isEmpty ? Keys.replicates.address() : Keys.sweep.address(),
        found: "an experiment of several flows",
        allowed: "a single one, for a plane is of one loss",
        advice: "choose one with --set, for example --set 'sweep=[]' or --set replicates=1")
    }
    guard let settings = loaded.experiment.plane else {
      throw loaded.error(
        at: Keys.planeX.address(), .missingKey, found: "no plane",
        allowed: "the coordinates of both axes",
        advice: "add plane.x and plane.y, or give --x and --y")
    }
    let plan = try ExperimentPlan(loaded, memoryLimit: memoryLimit)
    let layout = plan.system.layout
    let groups =
      loaded.experiment.stages.first { $0.name == settings.stage }?.groups.map(\.rawValue) ?? []
    let trained = layout.indices(ofGroups: groups)
    let named =
      layout.names.enumerated().map { PlaneCoordinate($1, .parameter($0)) }
      + plan.system.planeCoordinates
    func axis(_ axis: PlaneSettings.Axis, _ key: Key<String>) throws(DocumentError)
      -> PhasePlane.Axis
    {
      let moving = named.filter { $0.positions.allSatisfy(trained.contains) }
      guard let coordinate = moving.first(where: { $0.name == axis.name }) else {
        let isKnown = named.contains { $0.name == axis.name }
        throw loaded.error(
          at: key.address(),
          found: axis.name
            + (isKnown ? ", of which stage \(settings.stage) does not train all parameters" : ""),
          allowed: moving.isEmpty
            ? "a coordinate" : "one of \(moving.map(\.name).joined(separator: ", "))",
          advice: isKnown ? "choose another plane.stage" : "choose one of these")
      }
      return PhasePlane.Axis(coordinate, over: axis.from...axis.to)
    }
    x = try axis(settings.x, Keys.planeX)
    y = try axis(settings.y, Keys.planeY)
    guard PhasePlane.areIndependent(x.coordinate, y.coordinate, at: plan.start) else {
      throw loaded.error(
        at: Keys.planeY.address(), found: "\(settings.y.name) beside plane.x: \(settings.x.name)",
        allowed: "coordinates that share no parameter; two shares only where others are left",
        advice: "choose another coordinate")
    }
    self.plan = plan
    self.settings = settings
    self.groups = groups
  }

  /// The plane through the start of the experiment.
  func plane(_ objective: any Objective) -> PhasePlane {
    PhasePlane(
      objective, at: plan.start, training: groups, x: x, y: y, others: settings.others,
      symmetries: plan.system.planeCoordinates)
  }
}

extension InductionHeadPlan {
  /// `share.S` for every subset, where C_D is conserved, and `gap.h` for every head with several lags.
  ///
  /// A full transformer has neither: its shares are read off its scores, and its heads look at tokens, too.
  var planeCoordinates: [PlaneCoordinate] {
    let settings = settings.model
    guard settings.layers == nil else { return [] }
    let coefficients = layout.indices(ofGroups: [ParameterGroup.coefficients.rawValue])
    let shares =
      settings.normalisesKernel && coefficients.count > 1
      ? coefficients.map { position in
        PlaneCoordinate(
          "share" + layout.names[position].dropFirst(),
          .share(of: position, among: coefficients))
      } : []
    guard settings.positions == .relative else { return shares }
    let gaps = settings.lags.indices.compactMap { head -> PlaneCoordinate? in
      let positions = settings.lags[head].compactMap { lag in
        layout.names.firstIndex(of: "w.\(head + 1).\(lag)")
      }
      let own = layout.names.firstIndex(of: "w.\(head + 1).\(settings.ownLags[head])")
      guard let own, positions.count > 1 else { return nil }
      return PlaneCoordinate(
        "gap.\(head + 1)", .gap(of: own, above: positions.filter { $0 != own }))
    }
    return shares + gaps
  }
}

extension MixedTargetPlan {
  /// `k`, the product of W_K and W_Q, for tokens of one dimension.
  var planeCoordinates: [PlaneCoordinate] {
    guard settings.transformer.dimension == 1 else { return [] }
    let weights = layout.indices(ofGroups: [ParameterGroup.weights.rawValue])
    return [PlaneCoordinate("k", .product(weights[0], weights[weights.count - 1]))]
  }
}
