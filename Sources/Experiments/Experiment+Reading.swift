public import DeclaredKeys

extension Experiment {
  /// Reads an experiment file; of one with several flows, the first.
  ///
  /// - Parameters:
  ///   - path: the file; paths inside it are relative to its folder.
  ///   - overrides: `PATH=VALUE` each, as after `--set`, applied in order.
  /// - Throws: everything that is wrong with the file and the overrides.
  public init(contentsOf path: String, overrides: [String] = []) throws(DocumentError) {
    self = try LoadedExperiment(contentsOf: path, overrides: overrides).experiment
  }

  /// Reads an experiment from a text; of one with several flows, the first.
  ///
  /// - Parameters:
  ///   - text: the experiment.
  ///   - file: the name that messages give it; paths inside the text are relative to its folder.
  ///   - overrides: `PATH=VALUE` each, as after `--set`, applied in order.
  /// - Throws: everything that is wrong with the text and the overrides.
  public init(text: String, file: String, overrides: [String] = []) throws(DocumentError) {
    let ensemble = try Ensemble(text: text, file: file, overrides: overrides)
    self = try ensemble.experiment(at: ensemble.grid[0]).experiment
  }
}
