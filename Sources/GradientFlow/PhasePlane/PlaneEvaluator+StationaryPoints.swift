/// A point of a plane at which the flow stands still.
public struct StationaryPoint: Sendable, Equatable {
  /// ‖∇L‖ up to which a point counts as stationary.
  public static let largestGradient = 1e-10

  /// Eigenvalues up to this share of the largest one count as 0: well above what rounding leaves of a Hessian, and far
  /// below any eigenvalue that moves something within a run.
  public static let degeneracy = 1e-9

  /// What the Hessian makes of it.
  public enum Kind: String, Sendable {
    /// All eigenvalues are positive.
    case minimum
    /// Some are positive, some negative.
    case saddle
    /// All are negative.
    case maximum
    /// One of them, or all, count as 0.
    case degenerate
  }

  /// The first coordinate.
  public let x: Double
  /// The second coordinate.
  public let y: Double
  /// θ.
  public let parameters: [Double]
  /// L.
  public let loss: Double
  /// ‖∇L‖ over the directions in which the flow on the plane lives.
  public let gradientNorm: Double
  /// The eigenvalues of ∇²L over the directions that keep what the flow conserves, ascending; the flow nearby has
  /// their negatives as rates.
  public let eigenvalues: [Double]

  /// What kind of point it is.
  public var kind: Kind {
    let largest = eigenvalues.map { abs($0) }.max() ?? 0
    if eigenvalues.contains(where: { abs($0) <= Self.degeneracy * largest }) { return .degenerate }
    if eigenvalues.allSatisfy({ $0 > 0 }) { return .minimum }
    return eigenvalues.allSatisfy { $0 < 0 } ? .maximum : .saddle
  }
}

extension PlaneEvaluator {
  private static let mostIterations = 200

  /// The stationary point that Newton's method finds from a start.
  ///
  /// Each step is −H⁺∇L over the directions that keep what the flow conserves, halved until ‖∇L‖ falls, and the result
  /// is put back onto the leaf of θ⁰. It goes on until rounding stops it.
  ///
  /// - Parameter start: θ near the plane.
  /// - Returns: a point with ‖∇L‖ ≤ 1e−10, inside the plane's ranges; nil where the method leads elsewhere, or to a place
  ///   where L only becomes flatter and flatter, by less than a millionth of the curvature at θ⁰.
  public func stationaryPoint(near start: [Double]) -> StationaryPoint? {
    var parameters = start
    var slope = slope(at: parameters)
    for _ in 0..<Self.mostIterations where slope > 0 {
      guard slope.isFinite, let step = newtonStep(at: parameters) else { return nil }
      var factor = min(1, (1 + length(of: parameters)) / norm(step))
      var next: [Double]?
      while next == nil, factor > 1e-9 {
        if let trial = onLeaf(moved(parameters, by: step, factor)) {
          let slopeAfter = self.slope(at: trial)
          if slopeAfter < slope {
            next = trial
            slope = slopeAfter
          }
        }
        factor /= 2
      }
      guard let next else { break }
      parameters = next
    }
    guard slope <= StationaryPoint.largestGradient, let step = newtonStep(at: parameters),
      norm(step) <= 1e-6 * (1 + length(of: parameters))
    else { return nil }
    return found(parameters)
  }

  /// All stationary points that are found from corners of cells in which both velocities change sign, from a coarse
  /// grid, and from the corners of what shares can be; in the order of x, then of y.
  ///
  /// - Parameters:
  ///   - grid: the flow on a grid.
  ///   - coarse: how many further starts there are along each axis.
  ///   - goesOn: asked before every start.
  /// - Returns: each point once.
  public func stationaryPoints(
    _ grid: PlaneGrid, coarse: Int = 7, goesOn: () -> Bool = { true }
  ) -> [StationaryPoint] {
    var points: [StationaryPoint] = []
    for start in grid.promisingStarts + grid.coarseStarts(coarse) + plane.cornerStarts {
      if !goesOn() { break }
      guard let point = stationaryPoint(near: start) else { continue }
      if !points.contains(where: { isSame($0, point) }) { points.append(point) }
    }
    return points.sorted { ($0.x, $0.y) < ($1.x, $1.y) }
  }

  private func isSame(_ a: StationaryPoint, _ b: StationaryPoint) -> Bool {
    abs(a.x - b.x) <= 1e-6 * plane.x.length && abs(a.y - b.y) <= 1e-6 * plane.y.length
      && abs(a.loss - b.loss) <= 1e-9 * max(abs(a.loss), abs(b.loss))
  }

  private func found(_ parameters: [Double]) -> StationaryPoint? {
    let (x, y) = plane.coordinates(of: parameters)
    func isInside(_ value: Double, _ axis: PhasePlane.Axis) -> Bool {
      let margin = 1e-9 * axis.length
      return value >= axis.range.lowerBound - margin && value <= axis.range.upperBound + margin
    }
    let free = plane.freeDirections(at: parameters, within: directions)
    guard isInside(x, plane.x), isInside(y, plane.y),
      let (values, _) = spectrum(at: parameters, along: free),
      values.contains(where: { abs($0) > leastCurvature })
    else { return nil }
    return StationaryPoint(
      x: x, y: y, parameters: parameters, loss: lossAndGradient(at: parameters).loss,
      gradientNorm: slope(at: parameters), eigenvalues: values)
  }

  /// θ with the coordinates that it has, and all they hold as in θ⁰.
  private func onLeaf(_ parameters: [Double]) -> [Double]? {
    let (x, y) = plane.coordinates(of: parameters)
    return plane.parameters(x, y, from: plane.others == .slaved ? parameters : nil)
  }

  private func slope(at parameters: [Double]) -> Double {
    let slope = norm(gradient(at: parameters, along: directions))
    return slope.isFinite ? slope : .infinity
  }

  private func newtonStep(at parameters: [Double]) -> [Double]? {
    let gradient = lossAndGradient(at: parameters).gradient
    let free = plane.freeDirections(at: parameters, within: directions)
    guard let (values, vectors) = spectrum(at: parameters, along: free) else { return nil }
    return step(values, vectors, gradient) { $0 }
  }
}
