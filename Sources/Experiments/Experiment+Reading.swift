public import DeclaredKeys
import Foundation

extension Experiment {
  /// Reads an experiment file.
  ///
  /// - Parameters:
  ///   - path: the file; paths inside it are relative to its folder.
  ///   - overrides: `PATH=VALUE` each, as after `--set`, applied in order.
  /// - Throws: everything that is wrong with the file and the overrides.
  public init(contentsOf path: String, overrides: [String] = []) throws(DocumentError) {
    self = try LoadedExperiment(contentsOf: path, overrides: overrides).experiment
  }

  /// Reads an experiment from a text.
  ///
  /// - Parameters:
  ///   - text: the experiment.
  ///   - file: the name that messages give it; paths inside the text are relative to its folder.
  ///   - overrides: `PATH=VALUE` each, as after `--set`, applied in order.
  /// - Throws: everything that is wrong with the text and the overrides.
  public init(text: String, file: String, overrides: [String] = []) throws(DocumentError) {
    let document = try ExperimentKeys.schema.read(text: text, file: file, overrides: overrides)
    var reader = ExperimentReader(
      document: document, folder: URL(fileURLWithPath: file).deletingLastPathComponent())
    self = try reader.experiment()
  }
}
