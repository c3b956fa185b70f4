public import Objectives

/// A plane through the parameters of an objective, spanned by two coordinates.
///
/// What the coordinates leave open is held at a base point θ⁰, or slaved: at every (x, y) the other trained parameters
/// are where L is stationary in them. Derived in *Phase planes*.
public struct PhasePlane: Sendable {
  /// What becomes of the trained parameters that the coordinates leave open.
  public enum Others: String, Sendable, CaseIterable {
    /// They stay where the base point has them.
    case held
    /// They are relaxed to a minimum of L at the given coordinates.
    case slaved
  }

  /// A coordinate with the interval that is looked at.
  public struct Axis: Sendable, Equatable {
    /// The coordinate.
    public let coordinate: PlaneCoordinate
    /// The interval, of positive length.
    public let range: ClosedRange<Double>

    /// Describes an axis.
    public init(_ coordinate: PlaneCoordinate, over range: ClosedRange<Double>) {
      precondition(range.upperBound > range.lowerBound, "an axis has a length")
      self.coordinate = coordinate
      self.range = range
    }

    var length: Double { range.upperBound - range.lowerBound }

    /// Evenly spaced values from one end to the other.
    func values(_ count: Int) -> [Double] {
      (0..<count).map {
        let part = Double($0) / Double(count - 1)
        return range.lowerBound * (1 - part) + range.upperBound * part
      }
    }
  }

  /// L.
  public let objective: any Objective
  /// θ⁰.
  public let base: [Double]
  /// The positions in θ that are trained, ascending.
  public let trained: [Int]
  /// The first axis.
  public let x: Axis
  /// The second axis.
  public let y: Axis
  /// What becomes of the other trained parameters.
  public let others: Others
  /// Coordinates of which the flow conserves what they hold: Σ θ_i of a gap, Σ θ_i² of a share, θ_i² − θ_j² of a product.
  let symmetries: [PlaneCoordinate]

  /// Spans a plane.
  ///
  /// - Parameters:
  ///   - objective: L.
  ///   - base: θ⁰, one value per parameter.
  ///   - groups: those that are trained; all parameters of both coordinates are among them.
  ///   - x: the first axis.
  ///   - y: the second axis; its coordinate shares no parameter with the first one's, unless both are shares of one
  ///     group in which θ⁰ leaves others a part.
  ///   - others: what becomes of the other trained parameters.
  ///   - symmetries: coordinates of which the flow conserves what they hold, beside the axes' own products and shares;
  ///     where the others are slaved, no
  ///     direction along which L is the same everywhere then counts in a Hessian.
  public init(
    _ objective: any Objective, at base: [Double], training groups: [String], x: Axis, y: Axis,
    others: Others, symmetries: [PlaneCoordinate] = []
  ) {
    precondition(base.count == objective.layout.count, "the base point has the wrong dimension")
    let trained = objective.layout.indices(ofGroups: groups)
    for coordinate in [x.coordinate, y.coordinate] {
      precondition(
        coordinate.positions.allSatisfy(trained.contains),
        "\(coordinate.name) moves a parameter that is not trained")
    }
    precondition(
      Self.areIndependent(x.coordinate, y.coordinate, at: base), "the axes span no plane")
    self.objective = objective
    self.base = base
    self.trained = trained
    self.x = x
    self.y = y
    self.others = others
    self.symmetries = symmetries.filter { $0.positions.allSatisfy(trained.contains) }
  }

  /// Whether two coordinates can be given values independently of each other.
  ///
  /// - Parameters:
  ///   - x: a coordinate.
  ///   - y: another one.
  ///   - base: θ⁰; what shares leave over is divided as there, so it has to hold something.
  /// - Returns: whether they span a plane.
  public static func areIndependent(
    _ x: PlaneCoordinate, _ y: PlaneCoordinate, at base: [Double]
  ) -> Bool {
    if case .share(let first, let group) = x.kind, case .share(let second, let other) = y.kind,
      group == other
    {
      let rest = group.filter { $0 != first && $0 != second }
      return first != second && PlaneCoordinate.squares(of: base, rest) > 0
    }
    for case .share(let own, let group) in [x.kind, y.kind]
    where PlaneCoordinate.squares(of: base, group.filter { $0 != own }) == 0 { return false }
    return Set(x.positions).isDisjoint(with: y.positions)
  }

  /// θ where shares are 0 or 1: invariant corners that a grid may miss.
  var cornerStarts: [[Double]] {
    func corners(_ axis: Axis) -> [Double] {
      guard case .share = axis.coordinate.kind else { return axis.values(3) }
      return [0, 1].filter { axis.range.contains($0) }
    }
    let hasShares = [x, y].contains { if case .share = $0.coordinate.kind { true } else { false } }
    guard hasShares else { return [] }
    return corners(x).flatMap { x in corners(y).compactMap { y in parameters(x, y) } }
  }

  /// x and y at θ.
  public func coordinates(of parameters: [Double]) -> (x: Double, y: Double) {
    (x.coordinate.value(at: parameters), y.coordinate.value(at: parameters))
  }

  /// θ with given coordinates, on the leaf of θ⁰: what the coordinates hold has the value that it has there.
  ///
  /// - Parameters:
  ///   - x: the first coordinate.
  ///   - y: the second one.
  ///   - start: whatever the coordinates leave open is taken from here; nil for θ⁰.
  /// - Returns: θ; nil where nothing has these coordinates, such as shares with a sum above 1.
  public func parameters(_ x: Double, _ y: Double, from start: [Double]? = nil) -> [Double]? {
    var parameters = start ?? base
    var shares: [(position: Int, value: Double)] = []
    var group: [Int] = []
    for (coordinate, value) in [(self.x.coordinate, x), (self.y.coordinate, y)] {
      switch coordinate.kind {
      case .parameter(let i): parameters[i] = value
      case .product(let i, let j):
        guard let factors = factors(of: value, i, j) else { return nil }
        (parameters[i], parameters[j]) = factors
      case .gap(let own, let above):
        let step = (value - coordinate.value(at: parameters)) / Double(above.count + 1)
        parameters[own] += Double(above.count) * step
        for i in above { parameters[i] -= step }
      case .share(let own, let among):
        shares.append((own, value))
        group = among
      }
    }
    if !shares.isEmpty, !divide(group, shares, &parameters) { return nil }
    return parameters
  }

  /// θ_i and θ_j with a given product and the difference of squares of θ⁰.
  ///
  /// The larger one, √((|D| + √(D² + 4k²))/2), keeps the sign that it has in θ⁰.
  private func factors(of product: Double, _ i: Int, _ j: Int) -> (Double, Double)? {
    if i == j {
      if product < 0 { return nil }
      let root = base[i] < 0 ? -product.squareRoot() : product.squareRoot()
      return (root, root)
    }
    let difference = base[i] * base[i] - base[j] * base[j]
    let root = (difference * difference + 4 * product * product).squareRoot()
    let isFirst = difference >= 0
    let size = ((abs(difference) + root) / 2).squareRoot()
    let larger = base[isFirst ? i : j] < 0 ? -size : size
    let smaller = size > 0 ? product / larger : 0
    return isFirst ? (larger, smaller) : (smaller, larger)
  }

  /// Gives some of a group their shares of its squares in θ⁰, and the others what is left, in the proportions that they
  /// have; whether there is such a division.
  private func divide(
    _ group: [Int], _ shares: [(position: Int, value: Double)], _ parameters: inout [Double]
  ) -> Bool {
    let total = PlaneCoordinate.squares(of: base, group)
    let left = 1 - shares.reduce(0) { $0 + $1.value }
    // Values on a grid add up to 1 with a rounding error.
    guard shares.allSatisfy({ $0.value >= 0 }), left > -1e-12 else { return false }
    let rest = group.filter { position in !shares.contains { $0.position == position } }
    if PlaneCoordinate.squares(of: parameters, rest) == 0 {
      for i in rest { parameters[i] = base[i] }
    }
    let scale =
      (max(0, left) * total / PlaneCoordinate.squares(of: parameters, rest)).squareRoot()
    for i in rest { parameters[i] *= scale }
    for (position, value) in shares {
      let size = (value * total).squareRoot()
      parameters[position] = base[position] < 0 ? -size : size
    }
    return true
  }
}
