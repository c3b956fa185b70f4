/// A trajectory seen in a plane.
public struct PlanePath: Sendable, Equatable {
  /// A moment of it.
  public struct Sample: Sendable, Equatable {
    /// t, from 0.
    public let time: Double
    /// The first coordinate.
    public let x: Double
    /// The second coordinate.
    public let y: Double
    /// L.
    public let loss: Double
  }

  /// The samples, the start and the end among them.
  public let samples: [Sample]
  /// Why it ends before its time, in a sentence; nil where it does not, or where it comes to rest.
  public let failure: String?
}

extension PhasePlane {
  /// ‖∇L‖ at which a path has come to rest.
  private static let rest = 1e-10

  /// Samples of a path in each factor of ten of its time, and how many such factors there are.
  private static let density = (perDecade: 20, decades: 6.0)

  /// The flow from a point of the plane, in exact steps of a solver.
  ///
  /// With held parameters it is the flow of L restricted to the directions of the coordinates, which does not leave the
  /// plane; with slaved ones that of all trained parameters, which starts where these are relaxed.
  ///
  /// - Parameters:
  ///   - point: where it starts.
  ///   - duration: how long it lasts, unless ‖∇L‖ falls below 1e−10 before.
  ///   - options: of the solver.
  ///   - observer: told after every accepted step; returns whether to go on.
  /// - Returns: the path as far as it goes.
  public func path(
    from point: PlanePoint, until duration: Double, options: SolverOptions,
    observer: @escaping (FlowProgress) -> Bool = { _ in true }
  ) -> PlanePath {
    let start = PlanePath.Sample(time: 0, x: point.x, y: point.y, loss: point.loss)
    if point.gradientNorm <= Self.rest { return PlanePath(samples: [start], failure: nil) }
    let objective = RestrictedObjective(self)
    let problem = FlowProblem(
      minimizing: objective, from: objective.reduced(point.parameters),
      stages: [
        Stage(
          name: "path", training: [RestrictedObjective.group], until: duration,
          stoppingWhen: [StopCondition("gradient_norm", .below, Self.rest)])
      ])
    let schedule = SampleSchedule(
      first: duration / power(ofTen: Self.density.decades), perDecade: Self.density.perDecade)
    do {
      let trajectory = try FlowSolver(options: options).solve(
        problem, sampling: schedule, observer: observer)
      return PlanePath(samples: Self.samples(of: trajectory), failure: nil)
    } catch {
      return PlanePath(samples: Self.samples(of: error.partial), failure: error.description)
    }
  }

  private static func samples(of trajectory: Trajectory) -> [PlanePath.Sample] {
    guard let x = trajectory.values(of: "x"), let y = trajectory.values(of: "y") else { return [] }
    return trajectory.samples.indices.map {
      .init(
        time: trajectory.samples[$0].time, x: x[$0], y: y[$0],
        loss: trajectory.samples[$0].values[0])
    }
  }
}
