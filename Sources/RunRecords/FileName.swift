// The name of a file directly inside a run directory.

/// A name that cannot lead out of the folder it is used in.
public struct FileName: Hashable, Sendable, CustomStringConvertible {
  /// The name itself.
  public let description: String

  /// Checks a name.
  ///
  /// Refused are names that are empty, hold `/` or a NUL, or start with a point: `.` and `..` lead
  /// elsewhere, and hidden files are the ones still being written.
  public init(_ name: String) throws(RecordError) {
    guard
      !name.isEmpty, !name.hasPrefix("."), name.utf8.count <= 255,
      !name.utf8.contains(where: { $0 == UInt8(ascii: "/") || $0 == 0 })
    else {
      throw RecordError(
        path: name, reason: .invalidName,
        advice: "Use at most 255 bytes, no \"/\", and no point at the start.")
    }
    description = name
  }

  private init(known name: String) { description = name }

  /// What was computed, by what, on what, and how it ended.
  public static let manifest = FileName(known: "manifest.json")
  /// The resolved experiment.
  public static let experiment = FileName(known: "experiment.yaml")
  /// One row per sample.
  public static let trajectory = FileName(known: "trajectory.csv")
  /// One row per located event.
  public static let events = FileName(known: "events.csv")
  /// One row per step of the solver.
  public static let steps = FileName(known: "steps.csv")
  /// The final parameters.
  public static let final = FileName(known: "final.yaml")
  /// Where a run that is not finished goes on.
  public static let checkpoint = FileName(known: "checkpoint.bin")
  /// The checkpoint before it.
  public static let previousCheckpoint = FileName(known: "checkpoint-previous.bin")
  /// One row per run, where an experiment has several.
  public static let flows = FileName(known: "flows.csv")
  /// The runs of a sweep, one numbered line each.
  public static let ledger = FileName(known: "ledger.jsonl")
  /// One row per run of a sweep: swept values, events, selection, rates, quality.
  public static let diagram = FileName(known: "phase-diagram.csv")
  /// One row per judged claim.
  public static let claims = FileName(known: "claims.csv")
  /// The flow at the moments of discrete training.
  public static let flow = FileName(known: "flow.csv")
  /// One row per recorded step of gradient descent.
  public static let gradientDescent = FileName(known: "gd.csv")
  /// One row per recorded step of the heavy ball.
  public static let momentum = FileName(known: "momentum.csv")
  /// One row per recorded step of mini-batch gradient descent.
  public static let stochastic = FileName(known: "sgd.csv")
  /// One row per recorded step of Adam.
  public static let adam = FileName(known: "adam.csv")
  /// How far discrete training is from the flow.
  public static let distance = FileName(known: "distance.csv")
  /// Gradient descent at several learning rates against the flow.
  public static let convergence = FileName(known: "convergence.csv")
  /// The trained model and others on fresh data.
  public static let evaluation = FileName(known: "evaluation.csv")
  /// Models with parts taken away, on fresh data.
  public static let ablations = FileName(known: "ablations.csv")
  /// The tokens, where they are exported.
  public static let corpus = FileName(known: "corpus.npz")
  /// The kernels and stationary laws, where they are exported.
  public static let population = FileName(known: "population.npz")

  /// Errors of the transformer that approximates IH₂, with their bounds.
  public static let bigrams = FileName(known: "bigrams.csv")
  /// Errors of lag kernels, with the sizes of their weights.
  public static let lags = FileName(known: "lags.csv")
  /// Errors of lag kernels at single positions.
  public static let positions = FileName(known: "positions.csv")
  /// Errors of the transformers that approximate IH_n, with their bounds.
  public static let patches = FileName(known: "patches.csv")
  /// Errors of finite-rank similarities, with the tails of their singular values.
  public static let similarities = FileName(known: "similarities.csv")

  /// The flow on a grid of a phase plane.
  public static let field = FileName(known: "field.csv")
  /// The curves of a phase plane on which a velocity is 0.
  public static let nullclines = FileName(known: "nullclines.csv")
  /// The points of a phase plane at which the flow stands still.
  public static let fixedPoints = FileName(known: "fixed_points.csv")
  /// Trajectories in a phase plane.
  public static let paths = FileName(known: "paths.csv")

  /// The files that a finished run has in any case.
  public static let required: [FileName] = [
    .manifest, .experiment, .trajectory, .events, .steps, .final,
  ]

  /// The files that the top of a finished experiment of several runs has in any case.
  public static let requiredAtTop: [FileName] = [.manifest, .experiment, .flows, .events]
}
