import FlowAnalysis
import GradientFlow
import Objectives
public import RunRecords

/// The flow on a plane of an experiment, computed and recorded.
public struct PhasePlaneRun: Sendable {
  /// What it goes through, in order.
  public enum Part: String, Sendable, CaseIterable {
    /// The flow on the grid.
    case field
    /// The curves on which a velocity is 0.
    case nullclines
    /// The points at which the flow stands still.
    case fixedPoints = "fixed points"
    /// The trajectories.
    case paths
  }

  /// The plane.
  public let plan: PhasePlanePlan
  /// What the program says of itself.
  public let program: ProgramDescription
  /// Threads to use; the results do not depend on it.
  public let threads: Int

  /// Prepares a run.
  public init(_ plan: PhasePlanePlan, program: ProgramDescription, threads: Int) {
    self.plan = plan
    self.program = program
    self.threads = threads
  }

  /// Computes everything and records it: manifest, resolved experiment, one table for each part.
  ///
  /// - Parameters:
  ///   - directory: a new run directory; it is taken away again if its first files cannot be written.
  ///   - isStopped: asked often; a yes ends the run, and no table is written.
  ///   - observer: told which part begins.
  /// - Returns: what was found.
  /// - Throws: `RecordError` when a file cannot be written; the manifest then says so.
  public func run(
    into directory: RunDirectory, isStopped: @escaping () -> Bool, observer: (Part) -> Void
  ) throws -> PhasePlaneReport {
    let experiment = plan.plan.experiment
    let resolved = experiment.resolved
    return try directory.record(
      resolved,
      program.manifest(
        experiment: experiment, resolved: resolved, threads: threads, start: .now()),
      isStopped: isStopped, tables: { $0.tables(parameters: plan.plan.system.layout.names) }
    ) { report(isStopped, observer) }
  }

  private func report(
    _ isStopped: @escaping () -> Bool, _ observer: (Part) -> Void
  ) -> PhasePlaneReport {
    let settings = plan.settings
    let plane = plan.plane(
      plan.plan.system.prepared(threads: threads, sharing: SharedData()).objective)
    let evaluator = PlaneEvaluator(plane, threads: threads)
    let goesOn = { !isStopped() }
    observer(.field)
    var report = PhasePlaneReport(evaluator.grid(settings.grid, goesOn: goesOn))
    observer(.nullclines)
    report.nullclines = evaluator.nullclines(report.grid, goesOn: goesOn)
    observer(.fixedPoints)
    report.fixedPoints = evaluator.stationaryPoints(report.grid, goesOn: goesOn)
    observer(.paths)
    var options = plan.plan.solverOptions(threads: threads)
    options.eventErrors = false
    for start in starts {
      if isStopped() { break }
      guard let point = evaluator.point(start.x, start.y) else {
        report.missingStarts += 1
        continue
      }
      report.paths.append(
        plane.path(from: point, until: settings.duration, options: options) { _ in goesOn() })
    }
    return report
  }

  /// The points that are listed, and the middles of even cells.
  private var starts: [PlaneSettings.Start] {
    let settings = plan.settings
    let n = settings.startGrid
    func middle(_ index: Int, _ axis: PlaneSettings.Axis) -> Double {
      axis.from + (axis.to - axis.from) * (Double(index) + 0.5) / Double(n)
    }
    return settings.starts
      + (0..<n).flatMap { row in
        (0..<n).map { .init(x: middle($0, settings.x), y: middle(row, settings.y)) }
      }
  }
}
