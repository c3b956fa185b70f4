import DeclaredKeys
import GradientFlow

extension ExperimentKeys {
  // MARK: - Phase plane

  static let planeX = Key.string(
    "plane.x", default: .described("none; required by gradflow phase-plane"), sample: "share.1",
    "The coordinate on the first axis: a parameter such as a or w.1.2, the share share.1+2 of a set of "
      + "heads, the lead gap.1 of head 1's own lag over its others, or the product k of the mixed target"
  )
  static let planeXFrom = Key.real(
    "plane.x_from", .any, default: .described("0 of a share; required of others"), sample: "0",
    "Where the first axis begins")
  static let planeXTo = Key.real(
    "plane.x_to", .any, default: .described("1 of a share; required of others"), sample: "1",
    "Where it ends")
  static let planeY = Key.string(
    "plane.y", default: .described("none; required with plane.x"), sample: "share.1+2",
    "The coordinate on the second axis")
  static let planeYFrom = Key.real(
    "plane.y_from", .any, default: .described("0 of a share; required of others"), sample: "0",
    "Where the second axis begins")
  static let planeYTo = Key.real(
    "plane.y_to", .any, default: .described("1 of a share; required of others"), sample: "1",
    "Where it ends")
  static let planeGrid = Key.integer(
    "plane.grid", IntegerRange(2...1001), unit: "nodes", default: .value(41),
    "Nodes of the grid along each axis, the ends among them")
  static let planeOthers = Key<PhasePlane.Others>.choice(
    "plane.others", default: .value(.held),
    "What becomes of the other parameters that the stage trains: they stay where the experiment starts, or "
      + "they are at every point where the loss is least in them")
  static let planeStage = Key.identifier(
    "plane.stage", default: .described("the first stage"), sample: "selection",
    "The stage whose parameters move")
  static let planeDuration = Key.real(
    "plane.duration", .positive, unit: "flow time", default: .described("that of the stage"),
    sample: "1.0e+5", "How long a path lasts, unless it comes to rest before")
  static let planeStartGrid = Key.integer(
    "plane.start_grid", IntegerRange(0...50), unit: "starts", default: .value(5),
    "So many paths along each axis start in the middles of even cells")
  static let planeStarts = Key.mappings(
    "plane.starts", default: .described("none"), sample: "[{x: 0.1, y: 0.2}]",
    "Further points that paths start from")
  static let planeStartX = Key.real(
    "plane.starts[].x", .any, default: .required, sample: "0.1", "The first coordinate")
  static let planeStartY = Key.real(
    "plane.starts[].y", .any, default: .required, sample: "0.2", "The second coordinate")

  /// In the order in which experiments are written.
  static let ofPlane = [
    planeX.declaration, planeXFrom.declaration, planeXTo.declaration, planeY.declaration,
    planeYFrom.declaration, planeYTo.declaration, planeGrid.declaration, planeOthers.declaration,
    planeStage.declaration, planeDuration.declaration, planeStartGrid.declaration,
    planeStarts.declaration, planeStartX.declaration, planeStartY.declaration,
  ]
}
