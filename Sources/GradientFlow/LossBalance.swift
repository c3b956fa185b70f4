/// ∫ f dt from the first time to `end`, from values at uneven times.
///
/// On each interval f is the polynomial through the six nearest points (fewer when there are
/// fewer), integrated exactly: an error of seventh order in the spacing. Points behind `end` only
/// serve as neighbours.
///
/// - Parameters:
///   - values: f at `times`.
///   - times: strictly ascending; `end` is one of them.
///   - end: the upper limit.
/// - Returns: the integral; 0 when there is one point.
package func integral(of values: [Double], at times: [Double], upTo end: Double) -> Double {
  // Gauss–Legendre with three nodes integrates polynomials of degree five exactly.
  let offset = (0.6).squareRoot()
  let nodes: [(position: Double, weight: Double)] = [
    (-offset, 5.0 / 9), (0, 8.0 / 9), (offset, 5.0 / 9),
  ]
  var total = 0.0
  for i in 0..<max(0, times.count - 1) where times[i + 1] <= end {
    let first = max(0, min(i - 2, times.count - 6))
    let stencil = first..<min(times.count, first + 6)
    let half = (times[i + 1] - times[i]) / 2
    let middle = (times[i + 1] + times[i]) / 2
    for node in nodes {
      let t = middle + half * node.position
      var value = 0.0
      for j in stencil {
        var basis = values[j]
        for k in stencil where k != j { basis *= (t - times[k]) / (times[j] - times[k]) }
        value += basis
      }
      total += half * node.weight * value
    }
  }
  return total
}
