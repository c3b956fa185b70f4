public import DeclaredKeys

extension ExperimentKeys {
  // MARK: - Several flows

  static let replicates = Key.integer(
    "replicates", IntegerRange(1...FlowGrid.mostRuns), unit: "runs", default: .value(1),
    "How many runs there are of each flow; each one has data.seed and initial.seed one higher than "
      + "the run before it")
  static let sweep = Key.mappings(
    "sweep", default: .described("none"),
    sample: "[{key: data.length, values: [30, 100]}]",
    "Axes of a grid of flows; the last one varies fastest")
  static let sweepKey = Key.string(
    "sweep[].key", default: .required, sample: "initial.scale",
    "The key that takes the values, written as after --set")
  static let sweepValues = Key.values(
    "sweep[].values", [.notEmpty],
    default: .described("none; exactly one of values and a range"),
    sample: "[0.01, 0.1]", "The values of the key, each as after --set")
  static let sweepFrom = Key.real(
    "sweep[].from", .any, default: .described("none; with to and count in place of values"),
    sample: "0.001", "The first value of a range, positive unless its spacing is linear")
  static let sweepTo = Key.real(
    "sweep[].to", .any, default: .described("none; with from and count in place of values"),
    sample: "0.1", "The last value of a range, positive unless its spacing is linear")
  static let sweepCount = Key.integer(
    "sweep[].count", IntegerRange(2...SweepAxis.mostValues), unit: "values",
    default: .described("none; with from and to in place of values"), sample: "3",
    "How many values a range has; without it, values are drawn, see draws")
  static let sweepSpacing = Key<AxisSpacing>.choice(
    "sweep[].spacing", default: .value(.logarithmic),
    "Whether the values of a range are even, or drawn evenly, in the logarithm")
  static let sweepPair = Key.string(
    "sweep[].pair", default: .described("none: the axis varies alone"), sample: "size",
    "Axes with the same name here vary together, position by position")
  static let drawCount = Key.integer(
    "draws.count", IntegerRange(1...SweepAxis.mostValues), unit: "flows",
    default: .described("none; needed for ranges without count"), sample: "100",
    "How many points are drawn in the box of all ranges without count")
  static let drawMethod = Key<DrawMethod>.choice(
    "draws.method", default: .value(.latinHypercube),
    "Each coordinate independently, or with one point in every one of count equal slices")
  static let drawSeed = Key.integer(
    "draws.seed", .atLeast(0), default: .value(0), "The seed of the points")

  /// The outermost keys that speak of all flows together, so that no axis can vary them.
  static let ofAllFlows: Set<String> = ["claims", "replicates", "sweep", "draws"]
}

/// How the values of a range are spaced.
public enum AxisSpacing: String, KeyChoice {
  /// Evenly.
  case linear
  /// Evenly in the logarithm.
  case logarithmic
}

/// How points are drawn in a box.
public enum DrawMethod: String, KeyChoice {
  /// Every slice of every axis once.
  case latinHypercube = "latin-hypercube"
  /// Independently.
  case random
}
