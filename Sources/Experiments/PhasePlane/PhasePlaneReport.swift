public import GradientFlow
public import RunRecords

/// What `gradflow phase-plane` found.
public struct PhasePlaneReport: Sendable, TableReport {
  /// The flow on the grid.
  public internal(set) var grid: PlaneGrid
  /// The curves on which a velocity is 0.
  public internal(set) var nullclines: [Nullcline] = []
  /// The points at which the flow stands still.
  public internal(set) var fixedPoints: [StationaryPoint] = []
  /// The trajectories.
  public internal(set) var paths: [PlanePath] = []
  /// Starts of paths at which there is no flow.
  public internal(set) var missingStarts = 0
  /// Whether the user stopped it.
  public internal(set) var isStopped = false
  /// How long it took, in seconds.
  public internal(set) var seconds = 0.0

  init(_ grid: PlaneGrid) { self.grid = grid }

  /// Nodes of the grid without a flow.
  public var missingNodes: Int { grid.points.count { $0 == nil } }

  /// How exactly points stand still, and how exactly curves are found.
  public var checks: [LawCheck] {
    let slope = fixedPoints.map(\.gradientNorm).max() ?? 0
    let residual =
      nullclines.map { curve in
        let fastest = grid.points.compactMap { $0.map { abs($0.velocity(curve.axis)) } }.max() ?? 1
        return curve.vertices.map { abs($0.residual) }.max().map { $0 / fastest } ?? 0
      }.max() ?? 0
    return [
      LawCheck(
        name: "fixed points", value: slope, limit: StationaryPoint.largestGradient,
        isPassed: slope <= StationaryPoint.largestGradient,
        explanation: "largest ‖∇L‖ over the free directions at a fixed point"),
      LawCheck(
        name: "nullclines", value: residual, limit: Self.largestResidual,
        isPassed: residual <= Self.largestResidual,
        explanation: "largest velocity on its nullcline, as a share of the largest on the grid"),
    ]
  }

  /// Zeros are found to 1e−12 of an edge; velocities between two nodes hardly change by more than that of the grid.
  private static let largestResidual = 1e-9

  /// The files, in the order in which they are written.
  func tables(parameters names: [String]) -> [(name: FileName, table: Table)] {
    [
      (.field, fieldTable), (.nullclines, nullclineTable),
      (.fixedPoints, fixedPointTable(names)), (.paths, pathTable),
    ]
  }

  private var fieldTable: Table {
    var table = Table(columns: [
      "x", "y", "dx", "dy", "loss", "gradient_norm", "held_gradient_norm",
    ])
    for (row, y) in grid.y.enumerated() {
      for (column, x) in grid.x.enumerated() {
        let point = grid[column, row]
        let values = [
          point?.xVelocity, point?.yVelocity, point?.loss, point?.gradientNorm,
          point?.heldGradientNorm,
        ]
        let cells: [Cell] = values.map { value in value.map { .real($0) } ?? .empty }
        table.append([.real(x), .real(y)] + cells)
      }
    }
    return table
  }

  private var nullclineTable: Table {
    var table = Table(columns: ["of", "curve", "x", "y", "residual"])
    for (index, curve) in nullclines.enumerated() {
      for vertex in curve.vertices {
        table.append(
          [.text("d\(curve.axis.rawValue)"), .integer(index + 1)],
          reals: [vertex.x, vertex.y, vertex.residual])
      }
    }
    return table
  }

  private func fixedPointTable(_ names: [String]) -> Table {
    let count = fixedPoints.map(\.eigenvalues.count).max() ?? 0
    var table = Table(
      columns: ["x", "y", "kind", "loss", "gradient_norm"]
        + (0..<count).map { "eigenvalue.\($0 + 1)" } + names.map { "at.\($0)" })
    for point in fixedPoints {
      let eigenvalues: [Cell] = (0..<count).map {
        $0 < point.eigenvalues.count ? .real(point.eigenvalues[$0]) : .empty
      }
      let place: [Cell] = [.real(point.x), .real(point.y), .text(point.kind.rawValue)]
      let slope: [Cell] = [.real(point.loss), .real(point.gradientNorm)]
      table.append(place + slope + eigenvalues + point.parameters.map { .real($0) })
    }
    return table
  }

  private var pathTable: Table {
    var table = Table(columns: ["path", "t", "x", "y", "loss"])
    for (index, path) in paths.enumerated() {
      for sample in path.samples {
        table.append(
          [.integer(index + 1)], reals: [sample.time, sample.x, sample.y, sample.loss])
      }
    }
    return table
  }
}
