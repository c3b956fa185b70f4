/// A stationary law and what to know about the chain that has it.
public struct StationaryLaw: Sendable, Equatable {
  /// The probability of each state, shape (n); sums to 1 within rounding.
  public let probabilities: [Double]

  /// How many recurrent classes the chain has; with more than one the law is not unique.
  public let recurrentClassCount: Int

  /// The least common multiple of the periods of the recurrent classes.
  public let period: Int

  /// Whether every start leads to this law: one recurrent class, aperiodic.
  public var isLimit: Bool { recurrentClassCount == 1 && period == 1 }
}

extension StochasticMatrix {
  /// The law of the state in the long run, averaged over time, from a uniform start.
  ///
  /// For a chain with one recurrent class it is the stationary law πP = π. With several, each
  /// class gets the probability with which a uniform start is absorbed by it. Transient states
  /// get zero. Nothing is ever subtracted, so each component keeps its relative accuracy; where
  /// intermediate numbers leave the range of a Double the computation is repeated with a wider
  /// exponent. Diagonal entries stand for one minus the rest of their row. Cost O(n³).
  ///
  /// References: Grassmann, Taksar, Heyman, *Operations Research* 33 (1985) 1107–1116, per
  /// class; the absorption by censoring is derived.
  public func stationaryDistribution() -> StationaryLaw {
    let classes = communicatingClasses()
    let shares = classes.recurrent.count == 1 ? [1] : absorption(by: classes)
    var probabilities = [Double](repeating: 0, count: size)
    for (members, share) in zip(classes.recurrent, shares) {
      let law = irreducibleLaw(on: members.states)
      for (state, probability) in zip(members.states, law) {
        probabilities[state] = share * probability
      }
    }
    return StationaryLaw(
      probabilities: probabilities, recurrentClassCount: classes.recurrent.count,
      period: classes.period)
  }

  /// The stationary law of the chain on one recurrent class.
  private func irreducibleLaw(on states: [Int]) -> [Double] {
    let block = states.flatMap { i in states.map { j in self[i, j] } }
    return Elimination.law(block, size: states.count, in: Double.self)
      ?? Elimination.law(block, size: states.count, in: WideDouble.self) ?? []
  }

  /// The probability with which a uniform start ends in each recurrent class.
  ///
  /// Transient states are censored one by one; a censored state's mass moves on to where its
  /// visitors go, mass_j += mass_t p_tj / s_t with s_t = Σ_{j≠t} p_tj over what is left.
  private func absorption(by classes: CommunicatingClasses) -> [Double] {
    let transient = classes.transient
    let targets = classes.recurrent
    let width = transient.count + targets.count
    // Columns: the transient states, then the classes as wholes.
    var p = transient.map { i in
      transient.map { WideDouble(self[i, $0]) }
        + targets.map { $0.states.reduce(.zero) { $0 + WideDouble(self[i, $1]) } }
    }
    var mass =
      transient.map { _ in WideDouble(1) } + targets.map { WideDouble(Double($0.states.count)) }
    for t in transient.indices {
      let left = t + 1..<width
      let s = left.reduce(WideDouble.zero) { $0 + p[t][$1] }
      for j in left where !p[t][j].isZero {
        let share = p[t][j] / s
        mass[j] = mass[j] + mass[t] * share
        for i in t + 1..<max(transient.count, t + 1) { p[i][j] = p[i][j] + p[i][t] * share }
      }
    }
    return mass[transient.count...].map { $0.double / Double(size) }
  }
}

extension Elimination {
  /// The stationary law of an irreducible matrix, or nil if `Scalar` is too narrow for it.
  static func law<Scalar: EliminationScalar>(
    _ entries: [Double], size: Int, in: Scalar.Type
  ) -> [Double]? {
    var p = entries.map { Scalar($0) }
    var weights = [Scalar](repeating: .zero, count: size)
    var columns = [Int32](repeating: 0, count: size)
    let solved = unsafe p.withUnsafeMutableBufferPointer { p in
      unsafe weights.withUnsafeMutableBufferPointer { weights in
        unsafe columns.withUnsafeMutableBufferPointer { columns in
          unsafe solve(p, weights: weights, columns: columns)
        }
      }
    }
    return solved ? weights.map(\.double) : nil
  }
}
