/// A function of θ along an axis of a ``PhasePlane``.
///
/// Each kind comes with what stands still while it moves; for the product and the share that is what the flow conserves.
/// Derived in *Phase planes*.
public struct PlaneCoordinate: Sendable, Equatable {
  /// What the coordinate is of θ; numbers are positions in θ.
  public enum Kind: Sendable, Equatable {
    /// θ_i.
    case parameter(Int)
    /// θ_i θ_j with θ_i² − θ_j² held; θ_i² ≥ 0 where both are one parameter.
    case product(Int, Int)
    /// θ_i²/Σ_j θ_j² in 0…1 over j in a group that holds i, with the sum held.
    case share(of: Int, among: [Int])
    /// θ_i less the mean of others, with the sum of all and the differences among the others held.
    case gap(of: Int, above: [Int])
  }

  /// What it is called in records, for instance `share.1+2`.
  public let name: String
  /// What it is of θ.
  public let kind: Kind

  /// Describes a coordinate.
  ///
  /// - Parameters:
  ///   - name: what it is called in records.
  ///   - kind: positions in θ; a share's group holds it and others, and a gap is above at least one other.
  public init(_ name: String, _ kind: Kind) {
    switch kind {
    case .share(let own, let group):
      precondition(group.contains(own) && group.count > 1, "a share is one of several")
    case .gap(let own, let others):
      precondition(!others.isEmpty && !others.contains(own), "a gap is above others")
    case .parameter, .product: break
    }
    self.name = name
    self.kind = kind
  }

  /// The positions in θ that it depends on, ascending.
  public var positions: [Int] {
    switch kind {
    case .parameter(let i): [i]
    case .product(let i, let j): Set([i, j]).sorted()
    case .share(_, let group): group.sorted()
    case .gap(let own, let others): ([own] + others).sorted()
    }
  }

  /// Its value at θ.
  public func value(at parameters: [Double]) -> Double {
    switch kind {
    case .parameter(let i): parameters[i]
    case .product(let i, let j): parameters[i] * parameters[j]
    case .share(let own, let group):
      parameters[own] * parameters[own] / Self.squares(of: parameters, group)
    case .gap(let own, let others): parameters[own] - Self.mean(of: parameters, others)
    }
  }

  /// How fast it moves where θ moves with θ′: the derivative of ``value(at:)`` along θ′.
  ///
  /// - Parameters:
  ///   - parameters: θ.
  ///   - derivative: θ′, as many values.
  /// - Returns: Σ_i (∂/∂θ_i) θ′_i.
  public func velocity(at parameters: [Double], moving derivative: [Double]) -> Double {
    switch kind {
    case .parameter(let i): return derivative[i]
    case .product(let i, let j):
      return parameters[i] * derivative[j] + parameters[j] * derivative[i]
    case .share(let own, let group):
      // p′ = (2 c c′ − p Σ 2 c_j c_j′)/C.
      let total = Self.squares(of: parameters, group)
      let growth = group.reduce(0) { $0 + 2 * parameters[$1] * derivative[$1] }
      let share = parameters[own] * parameters[own] / total
      return (2 * parameters[own] * derivative[own] - share * growth) / total
    case .gap(let own, let others): return derivative[own] - Self.mean(of: derivative, others)
    }
  }

  static func squares(of values: [Double], _ positions: some Sequence<Int>) -> Double {
    positions.reduce(0) { $0 + values[$1] * values[$1] }
  }

  private static func mean(of values: [Double], _ positions: [Int]) -> Double {
    positions.reduce(0) { $0 + values[$1] } / Double(positions.count)
  }
}
