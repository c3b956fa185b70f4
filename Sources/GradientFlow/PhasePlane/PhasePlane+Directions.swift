// The directions in which a plane, and what is slaved to it, can move. Vectors have one component for each trained
// parameter.

extension PhasePlane {
  /// Orthonormal directions of the linear space around θ⁰ in which the flow on the plane lives.
  ///
  /// Held: those of the coordinates, at most four. Slaved: all trained parameters.
  var directions: [[Double]] {
    if others == .slaved { return trained.map { unit([($0, 1)]) } }
    return spanning(at: base)
  }

  /// Orthonormal directions at θ that leave what the coordinates hold unchanged, to first order.
  ///
  /// With the others held, what the whole flow conserves beside that is conserved no longer, and takes no direction away.
  func freeDirections(at parameters: [Double], within directions: [[Double]]) -> [[Double]] {
    complement(
      of: gauges(at: parameters, of: others == .slaved ? symmetries : []), within: directions)
  }

  /// Orthonormal directions at θ that change neither a coordinate nor what it holds, nor what the flow conserves, to
  /// first order.
  func slavedDirections(at parameters: [Double]) -> [[Double]] {
    complement(
      of: spanning(at: parameters) + gauges(at: parameters, of: symmetries),
      within: trained.map { unit([($0, 1)]) })
  }

  /// The directions of the coordinates: e_i; e_i and e_j; own less the mean of others; for shares e_i each, and
  /// that of all others together.
  private func spanning(at parameters: [Double]) -> [[Double]] {
    var vectors: [[Double]] = []
    var shared: [Int] = []
    var group: [Int] = []
    for coordinate in [x.coordinate, y.coordinate] {
      switch coordinate.kind {
      case .parameter(let i): vectors.append(unit([(i, 1)]))
      case .product: vectors += coordinate.positions.map { unit([($0, 1)]) }
      case .gap(let own, let above):
        vectors.append(unit([(own, Double(above.count))] + above.map { ($0, -1) }))
      case .share(let own, let among):
        vectors.append(unit([(own, 1)]))
        shared.append(own)
        group = among
      }
    }
    let rest = group.filter { !shared.contains($0) }
    if !rest.isEmpty {
      let isEmpty = PlaneCoordinate.squares(of: parameters, rest) == 0
      vectors.append(unit(rest.map { ($0, (isEmpty ? base : parameters)[$0]) }))
    }
    return vectors
  }

  /// Factors up to this size are at the origin of their plane, where θ_i² − θ_j² has no slope and every direction is free.
  private static let origin = 1e-8

  /// The gradients of what the axes' products and shares hold, θ_i² − θ_j² and a group's sum of squares, and of what
  /// further coordinates do, the sum over a gap's parameters too.
  private func gauges(
    at parameters: [Double], of further: [PlaneCoordinate]
  ) -> [[Double]] {
    // The sum over a gap's parameters is conserved by some losses only.
    let axes = [x.coordinate, y.coordinate].filter {
      if case .gap = $0.kind { false } else { true }
    }
    var seen: Set<[Int]> = []
    return (axes + further).compactMap { coordinate in
      guard seen.insert(coordinate.positions).inserted else { return nil }
      switch coordinate.kind {
      case .parameter: return nil
      case .product(let i, let j):
        guard i != j, max(abs(parameters[i]), abs(parameters[j])) > Self.origin else { return nil }
        return unit([(i, parameters[i]), (j, -parameters[j])])
      case .share(_, let group): return unit(group.map { ($0, parameters[$0]) })
      case .gap: return unit(coordinate.positions.map { ($0, 1) })
      }
    }
  }

  /// The vector with these components, at length 1.
  private func unit(_ components: [(position: Int, value: Double)]) -> [Double] {
    let length = components.reduce(0) { $0 + $1.value * $1.value }.squareRoot()
    var vector = [Double](repeating: 0, count: trained.count)
    for (position, value) in components {
      if let index = trained.firstIndex(of: position) { vector[index] = value / length }
    }
    return vector
  }

  /// An orthonormal basis of what is orthogonal to some vectors within the span of orthonormal ones.
  ///
  /// - Parameters:
  ///   - normals: of any number; each one lies in that span or is orthogonal to it.
  ///   - directions: orthonormal.
  /// - Returns: as many vectors as there are directions beyond the normals' part of the span.
  private func complement(of normals: [[Double]], within directions: [[Double]]) -> [[Double]] {
    let inside = normals.map { normal in
      directions.reduce([Double](repeating: 0, count: trained.count)) { sum, direction in
        let part = dot(direction, normal)
        return zip(sum, direction).map { $0 + part * $1 }
      }
    }
    let excluded = orthonormal(inside, besides: [], atMost: inside.count)
    return orthonormal(directions, besides: excluded, atMost: directions.count - excluded.count)
  }

  /// Gram–Schmidt, the longest remainder first, so that no direction is what rounding left of another.
  ///
  /// - Parameters:
  ///   - vectors: of length 1 at most.
  ///   - others: orthonormal vectors that the result is orthogonal to.
  ///   - count: the most vectors wanted.
  /// - Returns: an orthonormal basis of the span of what is left of the vectors.
  private func orthonormal(
    _ vectors: [[Double]], besides others: [[Double]], atMost count: Int
  ) -> [[Double]] {
    func project(_ vector: inout [Double], outOf other: [Double]) {
      let part = dot(vector, other)
      for k in vector.indices { vector[k] -= part * other[k] }
    }
    var rest = vectors
    var basis: [[Double]] = []
    for other in others { for i in rest.indices { project(&rest[i], outOf: other) } }
    while basis.count < count {
      let lengths = rest.map { dot($0, $0) }
      guard let longest = lengths.indices.max(by: { lengths[$0] < lengths[$1] }),
        lengths[longest] > 1e-12
      else { break }
      var vector = rest.remove(at: longest)
      // A second time, against the rounding errors of the first.
      for other in others + basis { project(&vector, outOf: other) }
      let length = dot(vector, vector).squareRoot()
      vector = vector.map { $0 / length }
      basis.append(vector)
      for i in rest.indices { project(&rest[i], outOf: vector) }
    }
    return basis
  }

  /// How much the second derivatives by slaved parameters change because shares keep them on a sphere.
  ///
  /// On ‖r‖ = const the Hessian is ∇²L − (r·∇L/‖r‖²) I along the others' coefficients r.
  ///
  /// - Parameters:
  ///   - parameters: θ.
  ///   - gradient: ∂L/∂θ, one value per trained parameter.
  /// - Returns: what is added to the diagonal of the Hessian, one value per trained parameter.
  func sphereCurvature(at parameters: [Double], _ gradient: [Double]) -> [Double] {
    var result = [Double](repeating: 0, count: trained.count)
    var (shared, group): ([Int], [Int]) = ([], [])
    for case .share(let own, let among) in [x.coordinate.kind, y.coordinate.kind] {
      shared.append(own)
      group = among
    }
    let rest = group.filter { !shared.contains($0) }
    let square = PlaneCoordinate.squares(of: parameters, rest)
    if square == 0 { return result }
    let indices = rest.compactMap { trained.firstIndex(of: $0) }
    let radial = indices.reduce(0) { $0 + parameters[trained[$1]] * gradient[$1] } / square
    for index in indices { result[index] = -radial }
    return result
  }
}

func dot(_ a: [Double], _ b: [Double]) -> Double {
  var sum = 0.0
  for i in a.indices { sum += a[i] * b[i] }
  return sum
}
