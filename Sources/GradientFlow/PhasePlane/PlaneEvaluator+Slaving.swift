// Slaved parameters: at given coordinates the others are where L is least around them.

extension PlaneEvaluator {
  /// Iterations after which slaved parameters are taken to have no rest.
  private static let mostIterations = 200

  /// Curvatures below this share of the largest one count as none: there is nothing to relax along a symmetry of L.
  static let flatness = 1e-12

  /// θ with the same coordinates at which L is stationary, and least nearby, in all other trained parameters.
  ///
  /// Newton's method with the eigenvalues of ∇²L taken by their size, so that every step descends, halved until L or
  /// the slope falls.
  ///
  /// - Parameters:
  ///   - start: θ with these coordinates.
  ///   - x: the first coordinate.
  ///   - y: the second one.
  /// - Returns: θ with ‖∇L‖ ≤ 1e−10 over the slaved directions; nil if none was found.
  func relaxed(_ start: [Double], _ x: Double, _ y: Double) -> [Double]? {
    var parameters = start
    for _ in 0..<Self.mostIterations {
      let directions = plane.slavedDirections(at: parameters)
      if directions.isEmpty { return parameters }
      let (loss, whole) = lossAndGradient(at: parameters)
      let slope = norm(directions.map { dot($0, whole) })
      guard loss.isFinite, slope.isFinite,
        let (values, vectors) = spectrum(
          at: parameters, along: directions, adding: plane.sphereCurvature(at: parameters, whole)),
        values.contains(where: { abs($0) > leastCurvature })
      else { return nil }
      let step = step(values, vectors, whole) { abs($0) }
      let size = norm(step)
      if slope <= StationaryPoint.largestGradient, size <= 1e-8 * (1 + length(of: parameters)) {
        guard let downhill = vectors.first, let lowest = values.first, lowest < -leastCurvature
        else { return parameters }
        // A saddle of the others is no place where they stay: off it, to the side where L is lower.
        let sides = [1e-3, -1e-3].compactMap { side in
          plane.parameters(
            x, y, from: moved(parameters, by: downhill, side * (1 + length(of: parameters))))
        }
        let losses = sides.map { lossAndGradient(at: $0).loss }
        guard let lower = losses.indices.min(by: { losses[$0] < losses[$1] }),
          losses[lower] < loss
        else { return nil }
        parameters = sides[lower]
        continue
      }
      var factor = min(1, (1 + length(of: parameters)) / size)
      var next: [Double]?
      while next == nil, factor > 1e-12 {
        let trial = moved(parameters, by: step, factor)
        if let placed = plane.parameters(x, y, from: trial) {
          let (after, gradient) = lossAndGradient(at: placed)
          let slopeAfter = norm(plane.slavedDirections(at: placed).map { dot($0, gradient) })
          // Near the minimum L is flat to its last bit, and the slope alone tells.
          let falls = after < loss || (after <= loss + 1e-14 * abs(loss) && slopeAfter < slope)
          if after.isFinite, falls { next = placed }
        }
        factor /= 2
      }
      guard let next else {
        return slope <= StationaryPoint.largestGradient ? parameters : nil
      }
      parameters = next
    }
    return nil
  }

  /// −Σ v (v·∇L)/f(λ) over the eigenvectors whose λ is not negligible.
  func step(
    _ values: [Double], _ vectors: [[Double]], _ gradient: [Double],
    dividingBy size: (Double) -> Double
  ) -> [Double] {
    var result = [Double](repeating: 0, count: gradient.count)
    let floor = Self.flatness * (values.map { abs($0) }.max() ?? 0)
    for (value, vector) in zip(values, vectors) where abs(value) > floor {
      let factor = -dot(vector, gradient) / size(value)
      for i in result.indices { result[i] += factor * vector[i] }
    }
    return result
  }

  /// ‖θ‖ over the trained parameters.
  func length(of parameters: [Double]) -> Double {
    PlaneCoordinate.squares(of: parameters, plane.trained).squareRoot()
  }
}
