/// A local minimum of a function without derivatives, by the simplex of Nelder and Mead.
///
/// Deterministic. The function may be infinite where it is not defined, but not at the start.
///
/// Reference: Nelder, Mead, *The Computer Journal* 7 (1965) 308–313.
package enum NelderMead {
  /// The best point found.
  ///
  /// - Parameters:
  ///   - start: a point.
  ///   - step: the size of the first simplex, in every coordinate.
  ///   - limit: the most evaluations.
  ///   - tolerance: the spread of the values at which it ends.
  ///   - function: what is minimised.
  /// - Returns: point and value.
  package static func minimum(
    from start: [Double], step: Double, limit: Int, tolerance: Double,
    of function: ([Double]) -> Double
  ) -> (point: [Double], value: Double) {
    let n = start.count
    var simplex = [(point: start, value: function(start))]
    guard n > 0 else { return simplex[0] }
    for c in 0..<n {
      var point = start
      point[c] += step
      simplex.append((point, function(point)))
    }
    var evaluations = n + 1
    while evaluations < limit {
      simplex.sort { $0.value < $1.value }
      if simplex[n].value - simplex[0].value <= tolerance { break }
      let centre = (0..<n).map { c in
        simplex[..<n].reduce(0) { $0 + $1.point[c] } / Double(n)
      }
      func trial(_ factor: Double) -> (point: [Double], value: Double) {
        let point = (0..<n).map { centre[$0] + factor * (simplex[n].point[$0] - centre[$0]) }
        evaluations += 1
        return (point, function(point))
      }
      let reflected = trial(-1)
      if reflected.value < simplex[0].value {
        let expanded = trial(-2)
        simplex[n] = expanded.value < reflected.value ? expanded : reflected
      } else if reflected.value < simplex[n - 1].value {
        simplex[n] = reflected
      } else {
        let contracted = trial(reflected.value < simplex[n].value ? -0.5 : 0.5)
        if contracted.value < min(reflected.value, simplex[n].value) {
          simplex[n] = contracted
        } else {
          for vertex in 1...n {
            for c in 0..<n {
              simplex[vertex].point[c] = (simplex[vertex].point[c] + simplex[0].point[c]) / 2
            }
            simplex[vertex].value = function(simplex[vertex].point)
          }
          evaluations += n
        }
      }
    }
    return simplex.min { $0.value < $1.value } ?? simplex[0]
  }
}
