public import DeclaredKeys

/// An experiment together with the document it was read from, so that what turns out wrong later
/// can still be reported with file, line and column.
public struct LoadedExperiment: Sendable {
  /// The experiment.
  public let experiment: Experiment
  /// The path it was read from.
  public let path: String
  let document: KeyedDocument

  /// Reads an experiment file; of one with several flows, the first.
  ///
  /// - Parameters:
  ///   - path: the file; paths inside it are relative to its folder.
  ///   - overrides: `PATH=VALUE` each, as after `--set`, applied in order.
  /// - Throws: everything that is wrong with the file and the overrides.
  public init(contentsOf path: String, overrides: [String] = []) throws(DocumentError) {
    let ensemble = try Ensemble(contentsOf: path, overrides: overrides)
    self = try ensemble.experiment(at: ensemble.grid[0])
  }

  init(_ experiment: Experiment, path: String, document: KeyedDocument) {
    self.experiment = experiment
    self.path = path
    self.document = document
  }

  /// The error that the value of a key is not allowed.
  func error(
    at address: KeyAddress, _ kind: DocumentProblem.Kind = .notAllowed, found: String,
    allowed: String, advice: String
  ) -> DocumentError {
    var copy = document
    copy.reject(address, kind, found: found, allowed: allowed, advice: advice)
    return DocumentError(copy.problems)
  }
}
