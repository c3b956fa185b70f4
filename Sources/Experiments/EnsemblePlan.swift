public import DeclaredKeys

/// An experiment whose runs have been checked, ready to run.
///
/// Up to ``mostPlanned`` flows are planned once, so that everything wrong with any of them is known
/// before anything is computed. In larger grids each value of each axis is met once, beside the
/// first values of the other axes, and what else is wrong shows when a flow is about to run.
public struct EnsemblePlan: Sendable {
  /// The experiment.
  public let ensemble: Ensemble
  /// The plan of the first run.
  public let first: ExperimentPlan
  /// The size of the largest flow that was planned.
  public let largest: ProblemSize
  /// Bytes that may be used; nil for no limit.
  public let memoryLimit: Int?

  /// So many flows are all planned beforehand.
  public static let mostPlanned = 1000

  /// The runs.
  public var grid: FlowGrid { ensemble.grid }

  /// Plans an experiment.
  ///
  /// - Parameters:
  ///   - ensemble: the experiment.
  ///   - memoryLimit: bytes that may be used; nil for no limit.
  /// - Throws: `DocumentError` with what is wrong with any of the flows that are planned.
  public init(_ ensemble: Ensemble, memoryLimit: Int? = nil) throws(DocumentError) {
    self.ensemble = ensemble
    self.memoryLimit = memoryLimit
    let grid = ensemble.grid
    var found = Survey()
    // Each value alone first: what is wrong with one then shows once.
    for point in grid.cross {
      found.add(point, of: ensemble, memoryLimit)
      if found.problems.count > 100 { break }
    }
    if found.problems.isEmpty, grid.flowCount <= Self.mostPlanned {
      for flow in 0..<grid.flowCount where found.problems.count <= 100 {
        let point = grid[flow * grid.replicates]
        guard point.positions.filter({ $0 > 0 }).count > 1 else { continue }
        found.add(point, of: ensemble, memoryLimit)
      }
    }
    guard found.problems.isEmpty, let first = found.first, let largest = found.largest else {
      throw DocumentError(found.problems)
    }
    if grid.replicates > 1, !first.experiment.system.isRandom {
      throw first.loaded.error(
        at: ExperimentKeys.replicates.address(),
        found: "\(grid.replicates) runs that would all be the same",
        allowed: "replicates of what is drawn at random: chains, tokens, or initial.noise",
        advice: first.experiment.inductionHeads == nil
          ? "leave replicates out, or sample tokens with loss.induction"
          : "leave replicates out, or set initial.noise")
    }
    self.first = first
    self.largest = largest
  }

  /// The experiment with its axes and every default written out; that of a single flow as it
  /// stands in its run directory.
  public var resolved: String {
    grid.isSingle ? first.experiment.resolved : ensemble.resolved(first.experiment)
  }

  /// The plan of one run.
  ///
  /// - Throws: `DocumentError` when something is wrong with it that planning the others did not show.
  public func plan(at point: FlowPoint) throws(DocumentError) -> ExperimentPlan {
    point.index == 0 ? first : try ensemble.plan(at: point, memoryLimit, reusing: first)
  }

  /// How many runs may go on at the same time.
  public func concurrency(threads: Int) -> Int {
    let fitting = memoryLimit.map { max(1, Double($0) / max(1, largest.bytes)) } ?? .infinity
    return max(1, Int(min(Double(min(threads, grid.count)), fitting)))
  }
}

/// What planning some flows has shown.
private struct Survey {
  var problems: [DocumentProblem] = []
  var first: ExperimentPlan?
  var largest: ProblemSize?
  /// What has been told, whichever values of the axes stood beside it.
  private var told: Set<String> = []
  /// The values of every axis so far, as the declared type reads them.
  private var seen: [Int: [KeyValue: Int]] = [:]

  mutating func add(_ point: FlowPoint, of ensemble: Ensemble, _ memoryLimit: Int?) {
    do {
      let plan = try ensemble.plan(at: point, memoryLimit, reusing: first)
      if point.positions.filter({ $0 > 0 }).count <= 1 {
        try checkDistinct(plan, ensemble, point)
      }
      if point.index == 0 { first = plan }
      if plan.size.bytes > (largest?.bytes ?? -1) { largest = plan.size }
    } catch {
      // What the axes have no part in is found again at every point.
      for problem in error.problems where told.insert(cause(of: problem)).inserted {
        problems.append(problem)
      }
    }
  }

  /// A problem without the values of the axes beside which it showed.
  private func cause(of problem: DocumentProblem) -> String {
    "\(problem.place) \(problem.key ?? "") "
      + (problem.found.split(separator: Ensemble.beside, maxSplits: 1).first ?? "")
  }

  /// Refuses a value that an axis has already, written in another way.
  mutating func checkDistinct(
    _ plan: ExperimentPlan, _ ensemble: Ensemble, _ point: FlowPoint
  ) throws(DocumentError) {
    // Of paired axes each may have a value again.
    for (axis, position) in zip(ensemble.axes, point.positions) where axis.axis.pair == nil {
      guard let value = plan.loaded.document.values[axis.address] else { continue }
      // Of a list of mappings only the number of its elements is told.
      if case .mappings = value { continue }
      guard let earlier = seen[axis.index, default: [:]].updateValue(position, forKey: value),
        earlier != position
      else { continue }
      throw DocumentError([
        DocumentProblem(
          .repeatedElement, at: axis.place(of: position), key: axis.label(of: position),
          found: "\(axis.axis.values[position]), the same value as \(axis.label(of: earlier))",
          allowed: "each value once", advice: "keep one of them")
      ])
    }
  }
}

extension Ensemble {
  func plan(
    at point: FlowPoint, _ memoryLimit: Int?, reusing first: ExperimentPlan?
  ) throws(DocumentError) -> ExperimentPlan {
    let loaded = try experiment(at: point)
    do {
      return try ExperimentPlan(loaded, memoryLimit: memoryLimit, reusing: first)
    } catch {
      throw explained(error, at: point)
    }
  }
}
