/// The flow on a grid of a plane.
public struct PlaneGrid: Sendable {
  /// The values of x, ascending.
  public let x: [Double]
  /// The values of y, ascending.
  public let y: [Double]
  /// The points, those of the first y first; nil where there is no flow.
  public let points: [PlanePoint?]

  /// The point at a node.
  public subscript(column: Int, row: Int) -> PlanePoint? { points[row * x.count + column] }

  /// θ of the corners of cells in which both velocities change sign or vanish somewhere: one corner each.
  var promisingStarts: [[Double]] {
    cells.compactMap { column, row in
      let corners = corners(column, row)
      guard corners.count == 4 else { return nil }
      func changes(_ axis: PlaneAxisName) -> Bool {
        let values = corners.map { $0.velocity(axis) }
        return values.contains { $0 <= 0 } && values.contains { $0 >= 0 }
      }
      return changes(.x) && changes(.y) ? corners[0].parameters : nil
    }
  }

  /// θ of up to `count` nodes along each axis, evenly spread, the borders among them.
  func coarseStarts(_ count: Int) -> [[Double]] {
    func spread(_ nodes: Int) -> [Int] {
      Set((0..<count).map { $0 * (nodes - 1) / max(1, count - 1) }).sorted()
    }
    return spread(y.count).flatMap { row in
      spread(x.count).compactMap { self[$0, row]?.parameters }
    }
  }

  /// Column and row of the lower left corner of every cell.
  var cells: [(column: Int, row: Int)] {
    (0..<y.count - 1).flatMap { row in (0..<x.count - 1).map { ($0, row) } }
  }

  private func corners(_ column: Int, _ row: Int) -> [PlanePoint] {
    [(0, 0), (1, 0), (1, 1), (0, 1)].compactMap { self[column + $0.0, row + $0.1] }
  }
}

extension PlaneEvaluator {
  /// The flow on a grid that covers the plane's ranges, their ends among it.
  ///
  /// Slaved parameters are relaxed from the neighbours on the left and below and from θ⁰, and the lowest loss counts.
  ///
  /// - Parameters:
  ///   - count: nodes along each axis, ≥ 2.
  ///   - goesOn: asked before every row; a no leaves the rest empty.
  /// - Returns: the grid.
  public func grid(_ count: Int, goesOn: () -> Bool = { true }) -> PlaneGrid {
    precondition(count >= 2, "a grid has two nodes along each axis")
    let (x, y) = (plane.x.values(count), plane.y.values(count))
    var points: [PlanePoint?] = []
    for row in 0..<count {
      if !goesOn() { break }
      for column in 0..<count {
        var starts: [[Double]?] = []
        if plane.others == .slaved {
          if column > 0 { starts.append(points[row * count + column - 1]?.parameters) }
          if row > 0 { starts.append(points[(row - 1) * count + column]?.parameters) }
        }
        let found = (starts.filter { $0 != nil } + [nil]).compactMap {
          point(x[column], y[row], from: $0)
        }
        points.append(found.min { $0.loss < $1.loss })
      }
    }
    points += [PlanePoint?](repeating: nil, count: count * count - points.count)
    return PlaneGrid(x: x, y: y, points: points)
  }
}
