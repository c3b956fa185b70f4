import ArgumentParser
import DeclaredKeys
import Experiments

// What shells offer: `gradflow --generate-completion-script bash`, or zsh, or fish.

extension CompletionKind {
  /// An experiment.
  static var experiment: CompletionKind { .file(extensions: ["yaml"]) }

  /// A key to override, as it is declared; its value follows behind `=`.
  static var key: CompletionKind {
    // Elements of a list have names or numbers, which only the file knows.
    .list(ExperimentKeys.schema.keys.map(\.path).filter { !$0.contains("[") })
  }
}
