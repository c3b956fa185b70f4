import Foundation
import GradientFlow
import InductionHeads
import Objectives
import Testing

/// L = (x² − 1)²/4 + y²/2 + 5 (z − xy)²: held at z = 0 or slaved to z = xy, everything has a closed form.
private struct DoubleWell: Objective {
  var layout: ParameterLayout { ParameterLayout([("all", ["x", "y", "z"])]) }
  var observableNames: [String] { [] }
  var conservationLaws: [ConservationLaw] { [] }
  var phaseEvents: [PhaseEvent] { [] }
  var lossDropEvents: [LossDropEvent] { [] }
  func observe(_ parameters: Span<Double>, into values: inout MutableSpan<Double>) {}
  func makeEvaluator(threads: Int) -> any ObjectiveEvaluator { Evaluator() }

  final class Evaluator: ObjectiveEvaluator {
    func loss(at p: Span<Double>) -> Double {
      let (x, y, gap) = (p[0], p[1], p[2] - p[0] * p[1])
      return (x * x - 1) * (x * x - 1) / 4 + y * y / 2 + 5 * gap * gap
    }
    func gradient(at p: Span<Double>, into gradient: inout MutableSpan<Double>) -> Double {
      let (x, y, gap) = (p[0], p[1], p[2] - p[0] * p[1])
      gradient[0] = x * (x * x - 1) - 10 * gap * y
      gradient[1] = y - 10 * gap * x
      gradient[2] = 10 * gap
      return loss(at: p)
    }
    func hessianVectorProduct(
      at p: Span<Double>, direction: Span<Double>, into product: inout MutableSpan<Double>
    ) {
      let matrix = matrix(p)
      for i in 0..<3 { product[i] = (0..<3).reduce(0) { $0 + matrix[3 * i + $1] * direction[$1] } }
    }
    func hessian(at p: Span<Double>, into hessian: inout MutableSpan<Double>) {
      for (i, value) in matrix(p).enumerated() { hessian[i] = value }
    }
    private func matrix(_ p: Span<Double>) -> [Double] {
      let (x, y, gap) = (p[0], p[1], p[2] - p[0] * p[1])
      let cross = 10 * x * y - 10 * gap
      return [
        3 * x * x - 1 + 10 * y * y, cross, -10 * y, cross, 1 + 10 * x * x, -10 * x, -10 * y,
        -10 * x,
        10,
      ]
    }
  }
}

@Suite struct PhasePlaneTests {
  private func plane(_ others: PhasePlane.Others) -> PhasePlane {
    PhasePlane(
      DoubleWell(), at: [0.3, 0.2, 0], training: ["all"],
      x: .init(PlaneCoordinate("x", .parameter(0)), over: -1.55...1.5),
      y: .init(PlaneCoordinate("y", .parameter(1)), over: -0.95...1), others: others)
  }

  private func isClose(_ a: [Double], _ b: [Double], _ tolerance: Double) -> Bool {
    a.count == b.count && zip(a, b).allSatisfy { abs($0 - $1) <= tolerance }
  }

  // MARK: - Closed forms

  @Test func heldFieldIsTheClosedForm() throws {
    let grid = PlaneEvaluator(plane(.held)).grid(12)
    for point in grid.points {
      let p = try #require(point)
      let (x, y) = (p.x, p.y)
      #expect(abs(p.xVelocity + x * (x * x - 1) + 10 * x * y * y) < 1e-13)
      #expect(abs(p.yVelocity + y + 10 * x * x * y) < 1e-13)
      // z is held, and pulled by −10 (z − xy).
      #expect(abs(p.heldGradientNorm - abs(10 * x * y)) < 1e-13)
    }
  }

  @Test func slavedFieldIsTheClosedForm() throws {
    let grid = PlaneEvaluator(plane(.slaved)).grid(12)
    for point in grid.points {
      let p = try #require(point)
      #expect(abs(p.parameters[2] - p.x * p.y) < 1e-12)
      #expect(abs(p.xVelocity + p.x * (p.x * p.x - 1)) < 1e-11)
      #expect(abs(p.yVelocity + p.y) < 1e-11)
    }
  }

  /// With y and z on the axes and x slaved from 0, where L is largest in x: it leaves for a well, ±1 at y = z = 0.
  @Test func slavedParametersLeaveSaddles() throws {
    let plane = PhasePlane(
      DoubleWell(), at: [0, 0, 0], training: ["all"],
      x: .init(PlaneCoordinate("y", .parameter(1)), over: -0.1...0.1),
      y: .init(PlaneCoordinate("z", .parameter(2)), over: -0.1...0.1), others: .slaved)
    let evaluator = PlaneEvaluator(plane)
    let middle = try #require(evaluator.point(0, 0))
    #expect(abs(abs(middle.parameters[0]) - 1) < 1e-10)
    let points = evaluator.stationaryPoints(evaluator.grid(5))
    #expect(!points.isEmpty && points.allSatisfy { $0.kind == .minimum })
    #expect(points.allSatisfy { abs(abs($0.parameters[0]) - 1) < 1e-10 })
  }

  /// Eigenvalues at (±1, 0) and (0, 0) by hand; slaved, the block of y and z at x = ±1 has trace 21 and determinant 10.
  @Test func fixedPointsAreTheClosedForm() {
    for others in PhasePlane.Others.allCases {
      let evaluator = PlaneEvaluator(plane(others))
      let points = evaluator.stationaryPoints(evaluator.grid(12))
      #expect(points.map(\.kind) == [.minimum, .saddle, .minimum])
      #expect(isClose(points.map(\.x), [-1, 0, 1], 1e-12))
      #expect(isClose(points.map(\.y), [0, 0, 0], 1e-12))
      #expect(points.allSatisfy { $0.gradientNorm <= 1e-12 })
      let root = (21 * 21 - 40.0).squareRoot()
      let well = others == .held ? [2, 11] : [(21 - root) / 2, 2, (21 + root) / 2]
      let top: [Double] = others == .held ? [-1, 1] : [-1, 1, 10]
      for (point, expected) in zip(points, [well, top, well]) {
        #expect(isClose(point.eigenvalues, expected, 1e-10), "\(point)")
      }
    }
  }

  /// Held: x′ = 0 on x = 0 and on the ellipse x² + 10y² = 1; y′ = 0 on y = 0.
  @Test func nullclinesAreTheClosedForm() {
    let evaluator = PlaneEvaluator(plane(.held))
    let curves = evaluator.nullclines(evaluator.grid(24))
    #expect(curves.contains { $0.axis == .x } && curves.contains { $0.axis == .y })
    var (onLine, onEllipse) = (0, 0)
    for curve in curves {
      #expect(curve.vertices.count > 1)
      for vertex in curve.vertices {
        #expect(abs(vertex.residual) < 1e-11)
        if curve.axis == .y {
          #expect(abs(vertex.y) < 1e-11)
        } else if abs(vertex.x) < 1e-11 {
          onLine += 1
        } else {
          #expect(abs(vertex.x * vertex.x + 10 * vertex.y * vertex.y - 1) < 1e-11)
          onEllipse += 1
        }
      }
    }
    #expect(onLine >= 23 && onEllipse >= 20)
  }

  /// Along y = 0: x² = 1/(1 + (1/x₀² − 1) e^{−2t}).
  @Test func pathsAreTheClosedForm() throws {
    let plane = plane(.held)
    let start = try #require(PlaneEvaluator(plane).point(0.1, 0))
    let path = plane.path(
      from: start, until: 20,
      options: SolverOptions(
        relativeTolerance: 1e-10, absoluteTolerance: 1e-12, eventErrors: false))
    #expect(path.failure == nil && path.samples.count > 50)
    for sample in path.samples {
      let exact = 1 / (1 + (1 / 0.01 - 1) * exp(-2 * sample.time)).squareRoot()
      // Some thousand tolerances: errors of the unstable start grow tenfold on the way.
      #expect(abs(sample.x - exact) < 1e-7 && sample.y == 0)
    }
  }

  // MARK: - Coordinates

  /// θ of given coordinates has them, and keeps what they hold; velocities are derivatives of values.
  @Test func coordinatesAreWhatTheySay() throws {
    let model = GIHTransformer(
      vocabulary: 2, heads: (1...3).map { GIHTransformer.Head(lags: [1, 2, 3], ownLag: $0) },
      window: 3, degree: 2, loss: .logProbability(floor: 1e-3))
    let shares = Array(0..<6)
    let pairs: [(PlaneCoordinate, PlaneCoordinate, Double, Double)] = [
      (
        PlaneCoordinate("share.1", .share(of: 0, among: shares)),
        PlaneCoordinate("share.1+3", .share(of: 4, among: shares)), 0.3, 0.45
      ),
      (
        PlaneCoordinate("gap.2", .gap(of: 10, above: [9, 11])),
        PlaneCoordinate("a", .parameter(15)),
        1.5, 2
      ),
      (
        PlaneCoordinate("k", .product(6, 7)),
        PlaneCoordinate("share.2", .share(of: 1, among: shares)), -0.4, 0.2
      ),
    ]
    var base = model.initialParameters(ownWeight: 1, otherWeight: 0.2, scale: 0.5)
    for i in base.indices { base[i] += 0.05 * sin(Double(7 * i)) }
    let objective = Flat(layout: model.layout)
    for (x, y, atX, atY) in pairs {
      let plane = PhasePlane(
        objective, at: base, training: ["c", "w", "a"], x: .init(x, over: -5...5),
        y: .init(y, over: -5...5), others: .held)
      let theta = try #require(plane.parameters(atX, atY))
      #expect(abs(x.value(at: theta) - atX) < 1e-14 && abs(y.value(at: theta) - atY) < 1e-14)
      func sum(_ p: [Double]) -> Double { p[9] + p[10] + p[11] }
      func squares(_ p: [Double]) -> Double { shares.reduce(0) { $0 + p[$1] * p[$1] } }
      func difference(_ p: [Double]) -> Double { p[6] * p[6] - p[7] * p[7] }
      #expect(abs(sum(theta) - sum(base)) < 1e-14 && abs(squares(theta) - squares(base)) < 1e-14)
      if x.name == "k" { #expect(abs(difference(theta) - difference(base)) < 1e-14) }
      let motion = base.indices.map { cos(Double(3 * $0)) }
      for coordinate in [x, y] {
        func value(_ t: Double) -> Double {
          coordinate.value(at: theta.indices.map { theta[$0] + t * motion[$0] })
        }
        let slope = (value(1e-5) - value(-1e-5)) / 2e-5
        #expect(abs(coordinate.velocity(at: theta, moving: motion) - slope) < 1e-9)
      }
    }
    #expect(!PhasePlane.areIndependent(pairs[0].0, pairs[0].0, at: base))
    #expect(
      !PhasePlane.areIndependent(
        PlaneCoordinate("share.1", .share(of: 0, among: [0, 1])),
        PlaneCoordinate("share.2", .share(of: 1, among: [0, 1])), at: base))
    #expect(
      !PhasePlane.areIndependent(
        PlaneCoordinate("c.2", .parameter(1)),
        PlaneCoordinate("share.1", .share(of: 0, among: [0, 1])), at: base))
  }

  /// The corners of the shares' triangle are at rest whatever the grid: each set alone keeps itself.
  @Test(arguments: [-0.02, -1, 0]) func cornersOfSharesAreFound(margin: Double) {
    let problem = PaperRunTests.problem(seed: 3)
    let group = Array(0..<6)
    func axis(_ name: String, _ position: Int) -> PhasePlane.Axis {
      .init(PlaneCoordinate(name, .share(of: position, among: group)), over: margin...(1 - margin))
    }
    let evaluator = PlaneEvaluator(
      PhasePlane(
        problem.objective, at: problem.start.dropLast() + [1], training: ["c"],
        x: axis("share.1", 0), y: axis("share.1+2", 3), others: .held))
    let points = evaluator.stationaryPoints(evaluator.grid(8))
    for (x, y) in [(0.0, 0.0), (1, 0), (0, 1)] {
      let isFound = points.contains { abs($0.x - x) < 1e-12 && abs($0.y - y) < 1e-12 }
      #expect(isFound, "(\(x), \(y)) is not among \(points.map { ($0.x, $0.y) })")
    }
  }

  /// Shares of six sets, far from the start: the field against differences along the integrated flow of c.
  @Test func velocitiesOfSharesAreThoseOfTheFlow() throws {
    let problem = PaperRunTests.problem(seed: 3)
    var base = problem.start
    base[base.count - 1] = 1
    let group = Array(0..<6)
    let plane = PhasePlane(
      problem.objective, at: base, training: ["c"],
      x: .init(PlaneCoordinate("share.1", .share(of: 0, among: group)), over: 0...1),
      y: .init(PlaneCoordinate("share.1+2", .share(of: 3, among: group)), over: 0...1),
      others: .held)
    let evaluator = PlaneEvaluator(plane)
    for (x, y) in [(0.2, 0.1), (0.05, 0.7), (0.6, 0.3)] {
      let point = try #require(evaluator.point(x, y))
      let h = 0.02
      let trajectory = try FlowSolver(
        options: SolverOptions(
          relativeTolerance: 1e-12, absoluteTolerance: 1e-14, eventErrors: false)
      ).solve(
        FlowProblem(
          minimizing: problem.objective, from: point.parameters,
          stages: [Stage(name: "c", training: ["c"], until: 3 * h)]),
        sampling: SampleSchedule(at: [[h, 2 * h]]))
      for (name, velocity) in [("share.1", point.xVelocity), ("share.1+2", point.yVelocity)] {
        let values = try #require(trajectory.values(of: name))
        // One-sided, of third order in h.
        let slope =
          (-11 * values[0] + 18 * values[1] - 9 * values[2] + 2 * values[3]) / (6 * h)
        #expect(abs(slope - velocity) < 1e-7 * max(abs(velocity), 1e-2), "\(name): \(slope)")
      }
    }
    // The flow of the plane alone keeps C_D.
    let path = plane.path(
      from: try #require(evaluator.point(0.2, 0.2)), until: 1e4,
      options: SolverOptions(eventErrors: false))
    #expect(path.samples.allSatisfy { $0.x >= -1e-9 && $0.y >= -1e-9 && $0.x + $0.y <= 1 + 1e-9 })
    #expect(zip(path.samples, path.samples.dropFirst()).allSatisfy { $1.loss <= $0.loss + 1e-12 })
  }
}

/// A loss of nothing, for coordinates alone.
private struct Flat: Objective {
  let layout: ParameterLayout
  var observableNames: [String] { [] }
  var conservationLaws: [ConservationLaw] { [] }
  var phaseEvents: [PhaseEvent] { [] }
  var lossDropEvents: [LossDropEvent] { [] }
  func observe(_ parameters: Span<Double>, into values: inout MutableSpan<Double>) {}
  func makeEvaluator(threads: Int) -> any ObjectiveEvaluator { DoubleWell.Evaluator() }
}
