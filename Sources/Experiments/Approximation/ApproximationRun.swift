public import MixedTargets
public import RunRecords

/// The parts of a file for `gradflow approximate`, measured and recorded.
public struct ApproximationRun: Sendable {
  /// The parts, in the order in which they run.
  public enum Part: Sendable, Equatable {
    /// IH₂.
    case bigrams
    /// One lag.
    case lag(Int)
    /// IH_n of one order.
    case patches(order: Int)
    /// One similarity.
    case similarity(SimilarityKernel)
  }

  /// What is measured.
  public let experiment: ApproximationExperiment
  /// What the program says of itself.
  public let program: ProgramDescription
  /// Threads to use; the results do not depend on it.
  public let threads: Int

  /// Prepares a run.
  public init(
    _ experiment: ApproximationExperiment, program: ProgramDescription, threads: Int
  ) {
    self.experiment = experiment
    self.program = program
    self.threads = threads
  }

  /// Measures everything and records it: manifest, resolved experiment, one table for each part.
  ///
  /// - Parameters:
  ///   - directory: a new run directory; it is taken away again if its first files cannot be written.
  ///   - isStopped: asked often, from several threads; a yes ends the run, and no table is written.
  ///   - observer: told which part begins.
  /// - Returns: what was measured.
  /// - Throws: `RecordError` when a file cannot be written, ``ApproximationFailure`` when a part
  ///   cannot be computed; the manifest then says so.
  public func run(
    into directory: RunDirectory, isStopped: () -> Bool, observer: (Part) -> Void
  ) throws -> ApproximationReport {
    let resolved = experiment.resolved
    return try directory.record(
      resolved,
      program.manifest(
        seeds: ["sequences": experiment.sampling.seed], resolved: resolved, threads: threads,
        start: .now()),
      isStopped: isStopped, tables: \.tables
    ) { try measure(isStopped, observer) }
  }

  private func measure(
    _ isStopped: () -> Bool, _ observer: (Part) -> Void
  ) throws(ApproximationFailure) -> ApproximationReport {
    var report = ApproximationReport()
    if let study = experiment.bigrams {
      observer(.bigrams)
      report.bigrams = study.rows(threads: threads, isStopped: isStopped)
    }
    for study in experiment.lags {
      observer(.lag(study.lag))
      let rows = study.rows(threads: threads, isStopped: isStopped)
      report.lags += rows
      report.positions += study.positionRows(of: rows)
    }
    for study in experiment.patches {
      observer(.patches(order: study.order))
      report.patches += study.rows(threads: threads, isStopped: isStopped)
    }
    for study in experiment.similarities {
      observer(.similarity(study.kernel))
      guard let rows = study.rows(isStopped: isStopped) else {
        throw ApproximationFailure(kernel: study.kernel.name)
      }
      report.similarities.append(.init(study: study, rows: rows))
    }
    return report
  }
}

/// A similarity that could not be expanded.
public struct ApproximationFailure: Error, Sendable, Equatable, CustomStringConvertible {
  /// The kernel.
  public let kernel: SimilarityKernel.Name

  /// What happened, in a sentence.
  public var description: String {
    "LAPACK could not compute the singular functions of the kernel \(kernel.rawValue). Its values on "
      + "the nodes of the quadrature may overflow; lower similarities[].degree."
  }
}
