/// min over v of Σ_r c_r |b_r − ⟨a_r, v⟩|, by exchange.
///
/// A minimum is attained where n of the residuals vanish, n the number of unknowns. From one such
/// vertex the method goes to a better neighbour along the edge on which the sum falls fastest, as far
/// as it falls, until no edge goes down: the simplex method for this problem.
///
/// Reference: Barrodale, Roberts, *SIAM Journal on Numerical Analysis* 10 (1973) 839–848.
package enum LeastAbsoluteDeviations {
  /// The minimiser.
  ///
  /// - Parameters:
  ///   - rows: a, shape (rows, n); the first n rows are the identity, and the start.
  ///   - targets: b, one for each row.
  ///   - costs: c ≥ 0, one for each row.
  ///   - n: the number of unknowns, ≥ 1.
  /// - Returns: v, n values.
  package static func minimiser(
    rows: [Double], targets: [Double], costs: [Double], unknowns n: Int
  ) -> [Double] {
    let count = targets.count
    precondition(rows.count == count * n && costs.count == count && count >= n, "shapes differ")
    // Row r in terms of the rows of the vertex: a_r = Σ_c table[r, c] a_{vertex[c]}.
    var table = rows
    var vertex = Array(0..<n)
    var isVertex = [Bool](repeating: false, count: count)
    for row in vertex { isVertex[row] = true }
    var moved = targets
    var isMoved = false
    for _ in 0..<(50 * n + 200) {
      let residuals = residuals(table, moved, vertex, isVertex)
      guard
        let edge = steepestEdge(table, residuals, costs, vertex, isVertex),
        let entering = end(of: edge, table, residuals, costs, isVertex, n)
      else {
        // Where further residuals vanish, the edges are not all ways down. Targets that are moved a
        // little have vertices without that; their best one is also one of the targets themselves.
        let ties = residuals.indices.filter { !isVertex[$0] && residuals[$0] == 0 }
        if isMoved || ties.isEmpty { break }
        isMoved = true
        for row in ties {
          let share = (Double(row + 1) * 0.6180339887498949).truncatingRemainder(dividingBy: 1)
          moved[row] += 1e-10 * (share - 0.5)
        }
        continue
      }
      isVertex[vertex[edge.column]] = false
      isVertex[entering] = true
      vertex[edge.column] = entering
      exchange(&table, column: edge.column, entering: entering, n)
    }
    return (0..<n).map { row in
      (0..<n).reduce(0) { $0 + table[row * n + $1] * targets[vertex[$1]] }
    }
  }

  /// Along an edge the residual of one row of the vertex grows, with a sign.
  private struct Edge {
    let column: Int
    let sign: Double
    let slope: Double
  }

  private static func residuals(
    _ table: [Double], _ targets: [Double], _ vertex: [Int], _ isVertex: [Bool]
  ) -> [Double] {
    let n = vertex.count
    return targets.indices.map { row in
      if isVertex[row] { return 0 }
      var residual = targets[row]
      for c in 0..<n { residual -= table[row * n + c] * targets[vertex[c]] }
      return residual
    }
  }

  private static func steepestEdge(
    _ table: [Double], _ residuals: [Double], _ costs: [Double], _ vertex: [Int],
    _ isVertex: [Bool]
  ) -> Edge? {
    let n = vertex.count
    var gains = [Double](repeating: 0, count: n)
    var losses = vertex.map { costs[$0] }
    for (row, residual) in residuals.enumerated() where !isVertex[row] {
      for c in 0..<n {
        let change = costs[row] * table[row * n + c]
        if residual == 0 {
          losses[c] += abs(change)
        } else {
          gains[c] += residual > 0 ? change : -change
        }
      }
    }
    var best: Edge?
    for c in 0..<n {
      let slope = losses[c] - abs(gains[c])
      // Rounding of the sums must not send the method round in circles.
      if slope < -1e-12 * (losses[c] + abs(gains[c])), slope < best?.slope ?? 0 {
        best = Edge(column: c, sign: gains[c] > 0 ? 1 : -1, slope: slope)
      }
    }
    return best
  }

  /// The row whose residual vanishes where the sum stops falling.
  private static func end(
    of edge: Edge, _ table: [Double], _ residuals: [Double], _ costs: [Double],
    _ isVertex: [Bool], _ n: Int
  ) -> Int? {
    var breaks: [(row: Int, distance: Double, change: Double)] = []
    for (row, residual) in residuals.enumerated() where !isVertex[row] && residual != 0 {
      let change = edge.sign * table[row * n + edge.column]
      let distance = residual / change
      if distance > 0, distance.isFinite {
        breaks.append((row, distance, 2 * costs[row] * abs(change)))
      }
    }
    breaks.sort { ($0.distance, $0.row) < ($1.distance, $1.row) }
    var slope = edge.slope
    for next in breaks {
      slope += next.change
      if slope >= 0 { return next.row }
    }
    // A sum of absolute values rises in the end; only rounding can hide it.
    return breaks.last?.row
  }

  /// Writes all rows in terms of the vertex with `entering` in place of the row at `column`.
  private static func exchange(
    _ table: inout [Double], column: Int, entering: Int, _ n: Int
  ) {
    let pivotRow = Array(table[(entering * n)..<((entering + 1) * n)])
    let pivot = pivotRow[column]
    for start in stride(from: 0, to: table.count, by: n) {
      let factor = table[start + column] / pivot
      for c in 0..<n where c != column { table[start + c] -= factor * pivotRow[c] }
      table[start + column] = factor
    }
    for c in 0..<n { table[entering * n + c] = c == column ? 1 : 0 }
  }
}
