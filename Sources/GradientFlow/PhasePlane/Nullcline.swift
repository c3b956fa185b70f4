/// A curve of a plane on which one of the velocities is 0.
public struct Nullcline: Sendable, Equatable {
  /// A point of the curve.
  public struct Vertex: Sendable, Equatable {
    /// The first coordinate.
    public let x: Double
    /// The second coordinate.
    public let y: Double
    /// The velocity that should be 0 there.
    public let residual: Double
  }

  /// Whether x′ or y′ is 0.
  public let axis: PlaneAxisName
  /// The points in order along the curve; the first once more at the end of a closed one.
  public let vertices: [Vertex]
}

extension PlaneEvaluator {
  /// The curves x′ = 0 and y′ = 0 through a grid.
  ///
  /// On every edge of a cell whose ends have different signs the zero is found by regula falsi (the Illinois rule)
  /// on the flow itself, to 1e−12 of the edge; marching squares joins the zeros. A cell with four of them is divided by
  /// the sign in its middle. Edges along which a velocity vanishes at both ends, such as the border where a share is 0,
  /// are curves of their own; others end a cell before they meet them.
  ///
  /// - Parameters:
  ///   - grid: of this plane.
  ///   - goesOn: asked now and then; a no leaves curves out.
  /// - Returns: all curves, those of x′ first.
  public func nullclines(_ grid: PlaneGrid, goesOn: () -> Bool = { true }) -> [Nullcline] {
    PlaneAxisName.allCases.flatMap { axis in
      var tracer = NullclineTracer(self, grid, axis)
      return tracer.curves(goesOn)
    }
  }
}

/// Marching squares for one velocity.
private struct NullclineTracer {
  /// An edge of the grid, from a node to its right or upper neighbour.
  private struct Edge: Hashable {
    let column: Int
    let row: Int
    let isUpward: Bool
  }

  /// Where a curve can end or pass: a zero inside an edge, or a node.
  private enum Joint: Hashable {
    case edge(Edge)
    case node(column: Int, row: Int)
  }

  private let evaluator: PlaneEvaluator
  private let grid: PlaneGrid
  private let axis: PlaneAxisName
  private var neighbours: [Joint: [Joint]] = [:]
  private var order: [Joint] = []
  private var vertices: [Joint: Nullcline.Vertex] = [:]

  init(_ evaluator: PlaneEvaluator, _ grid: PlaneGrid, _ axis: PlaneAxisName) {
    self.evaluator = evaluator
    self.grid = grid
    self.axis = axis
  }

  mutating func curves(_ goesOn: () -> Bool) -> [Nullcline] {
    for (column, row) in grid.cells {
      if column == 0, !goesOn() { break }
      cross(column, row)
    }
    addVanishingEdges()
    return joined()
  }

  private func value(_ column: Int, _ row: Int) -> Double? {
    guard grid.x.indices.contains(column), grid.y.indices.contains(row) else { return nil }
    return grid[column, row]?.velocity(axis)
  }

  /// Whether the velocity is 0 at a node and at a neighbour of it.
  private func vanishes(_ column: Int, _ row: Int) -> Bool {
    value(column, row) == 0
      && [(1, 0), (-1, 0), (0, 1), (0, -1)].contains { value(column + $0.0, row + $0.1) == 0 }
  }

  /// Joins the zeros on the edges of one cell.
  private mutating func cross(_ column: Int, _ row: Int) {
    let corners = [(0, 0), (1, 0), (1, 1), (0, 1)].map { value(column + $0.0, row + $0.1) }
    let signs = corners.compactMap { $0.map { $0 >= 0 } }
    guard signs.count == 4 else { return }
    // In order around the cell: below, right, above, left.
    let edges = [
      Edge(column: column, row: row, isUpward: false),
      Edge(column: column + 1, row: row, isUpward: true),
      Edge(column: column, row: row + 1, isUpward: false),
      Edge(column: column, row: row, isUpward: true),
    ]
    let crossed = (0..<4).filter { signs[$0] != signs[($0 + 1) % 4] }
    let joints = crossed.map { locate(edges[$0]) }
    guard joints.allSatisfy({ $0 != nil }) else { return }
    let found = joints.compactMap(\.self)
    if found.count == 2 { join(found[0], found[1]) }
    guard found.count == 4 else { return }
    let x = (grid.x[column] + grid.x[column + 1]) / 2
    let y = (grid.y[row] + grid.y[row + 1]) / 2
    let middle = evaluator.point(x, y, from: grid[column, row]?.parameters)?.velocity(axis)
    // Corners 0 and 2 are of one sign; with it in the middle the curves cut off corners 1 and 3.
    if (middle.map { $0 >= 0 } ?? signs[0]) == signs[0] {
      join(found[0], found[1])
      join(found[2], found[3])
    } else {
      join(found[3], found[0])
      join(found[1], found[2])
    }
  }

  /// The zero on an edge whose ends have different signs; a node where the zero is one.
  private mutating func locate(_ edge: Edge) -> Joint? {
    let joint = Joint.edge(edge)
    if vertices[joint] != nil { return joint }
    let end = (edge.column + (edge.isUpward ? 0 : 1), edge.row + (edge.isUpward ? 1 : 0))
    guard let first = grid[edge.column, edge.row], let last = grid[end.0, end.1] else { return nil }
    for (point, column, row) in [(first, edge.column, edge.row), (last, end.0, end.1)]
    where point.velocity(axis) == 0 {
      // Beside an edge of zeros a sign says nothing: that edge is a curve of its own.
      return vanishes(column, row) ? nil : node(column, row, point)
    }
    var (low, high) = (0.0, 1.0)
    var (atLow, atHigh) = (first.velocity(axis), last.velocity(axis))
    var best = Nullcline.Vertex(x: first.x, y: first.y, residual: atLow)
    var wasLow: Bool?
    for _ in 0..<100 where high - low > 1e-12 && best.residual != 0 {
      var part = (low * atHigh - high * atLow) / (atHigh - atLow)
      if !(part > low && part < high) { part = (low + high) / 2 }
      let x = first.x + part * (last.x - first.x)
      let y = first.y + part * (last.y - first.y)
      let near = part < 0.5 ? first : last
      guard let here = evaluator.point(x, y, from: near.parameters)?.velocity(axis) else {
        return nil
      }
      let isLow = (here >= 0) == (first.velocity(axis) >= 0)
      if abs(here) < abs(best.residual) { best = .init(x: x, y: y, residual: here) }
      // Illinois: an end that stays put twice counts half, so that both ends move.
      if isLow {
        (low, atLow) = (part, here)
        if wasLow == true { atHigh /= 2 }
      } else {
        (high, atHigh) = (part, here)
        if wasLow == false { atLow /= 2 }
      }
      wasLow = isLow
    }
    // Where slaved parameters jump to another rest, the velocity changes its sign without a zero.
    let largest = max(abs(first.velocity(axis)), abs(last.velocity(axis)))
    guard abs(best.residual) <= 1e-6 * largest else { return nil }
    vertices[joint] = best
    return joint
  }

  private mutating func node(_ column: Int, _ row: Int, _ point: PlanePoint) -> Joint {
    let joint = Joint.node(column: column, row: row)
    vertices[joint] = .init(x: point.x, y: point.y, residual: point.velocity(axis))
    return joint
  }

  /// Edges with zeros at both ends, unless a curve runs along them already.
  private mutating func addVanishingEdges() {
    for row in grid.y.indices {
      for column in grid.x.indices where value(column, row) == 0 {
        for end in [(column + 1, row), (column, row + 1)] where value(end.0, end.1) == 0 {
          guard let first = grid[column, row], let last = grid[end.0, end.1] else { continue }
          join(node(column, row, first), node(end.0, end.1, last))
        }
      }
    }
  }

  private mutating func join(_ a: Joint, _ b: Joint) {
    guard a != b, !neighbours[a, default: []].contains(b) else { return }
    for (one, other) in [(a, b), (b, a)] {
      if neighbours[one] == nil { order.append(one) }
      neighbours[one, default: []].append(other)
    }
  }

  /// Follows joints from their ends, and then around closed curves.
  private mutating func joined() -> [Nullcline] {
    var curves: [Nullcline] = []
    for start in order.filter({ neighbours[$0]?.count != 2 }) + order {
      while let next = neighbours[start]?.first {
        var path = [start]
        var (here, step): (Joint, Joint?) = (start, next)
        while let there = step {
          neighbours[here]?.removeAll { $0 == there }
          neighbours[there]?.removeAll { $0 == here }
          path.append(there)
          here = there
          // A joint of several curves ends this one.
          step = neighbours[here]?.count == 1 ? neighbours[here]?.first : nil
        }
        curves.append(Nullcline(axis: axis, vertices: path.compactMap { vertices[$0] }))
      }
    }
    return curves
  }
}
