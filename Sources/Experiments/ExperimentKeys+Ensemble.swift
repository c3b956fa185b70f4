import DeclaredKeys

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
    "sweep[].values", [.notEmpty, .distinct],
    default: .described("none; exactly one of values and a range"),
    sample: "[0.01, 0.1]", "The values of the key, each as after --set")
  static let sweepFrom = Key.real(
    "sweep[].from", .positive, default: .described("none; with to and count in place of values"),
    sample: "0.001", "The first value of a range")
  static let sweepTo = Key.real(
    "sweep[].to", .positive, default: .described("none; with from and count in place of values"),
    sample: "0.1", "The last value of a range")
  static let sweepCount = Key.integer(
    "sweep[].count", IntegerRange(2...SweepAxis.mostValues), unit: "values",
    default: .described("none; with from and to in place of values"), sample: "3",
    "How many values a range has, spaced evenly in the logarithm")

  /// The outermost keys that speak of all flows together, so that no axis can vary them.
  static let ofAllFlows: Set<String> = ["claims", "replicates", "sweep"]
}
