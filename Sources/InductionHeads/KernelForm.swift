import Objectives

/// How the score of a window pair comes from what its windows have in common: k = Σ_S p_S ∏_{h∈S} g^h.
///
/// The weights p_S are c_S²/C_D with C_D = Σ c_S², or c_S², of coefficients c that stand first in θ; or, where
/// there are no coefficients, constants. The logit is a k, with the scalar a last in θ.
struct KernelForm: Sendable, Equatable {
  /// The subsets S of blocks of features.
  let subsets: HeadSubsets
  /// H, how many blocks of features are compared.
  let blocks: Int
  /// For each subset: the position of its coefficient in θ, or −1.
  let coefficientOfSubset: [Int]
  /// Whether the squares c_S² are divided by C_D.
  let isNormalised: Bool
  /// For each subset: its weight where it has no coefficient.
  let constants: [Double]
  /// Whether g^h is replaced by max(g^h, 0), which has no classical flow.
  let isRectified: Bool
  /// Number of coefficients, which stand first in θ.
  let coefficientCount: Int
  /// The position of a in θ.
  let scaleIndex: Int

  /// The kernel of all subsets of at most `degree` blocks.
  ///
  /// - Parameters:
  ///   - blocks: H.
  ///   - degree: D in 1…H.
  ///   - hasEmptySet: whether the empty set has a coefficient.
  ///   - isNormalised: whether the squares are divided by C_D.
  ///   - isRectified: whether g^h passes max(·, 0).
  ///   - count: the length of θ, from the number of coefficients.
  init(
    blocks: Int, degree: Int, hasEmptySet: Bool, isNormalised: Bool, isRectified: Bool = false,
    count: (Int) -> Int
  ) {
    let subsets = HeadSubsets(heads: blocks, degree: degree)
    self.subsets = subsets
    self.blocks = blocks
    coefficientOfSubset = (0..<subsets.count).map { hasEmptySet ? $0 : $0 - 1 }
    self.isNormalised = isNormalised
    constants = subsets.members.map { _ in 0 }
    self.isRectified = isRectified
    coefficientCount = subsets.count - (hasEmptySet ? 0 : 1)
    scaleIndex = count(coefficientCount) - 1
  }

  /// The inner product of one block of features, k = ⟨u_ω, u_q⟩ · `factor`, without coefficients.
  init(innerProduct factor: Double, count: Int) {
    subsets = HeadSubsets(heads: 1, degree: 1)
    blocks = 1
    coefficientOfSubset = [-1, -1]
    isNormalised = false
    constants = [0, factor]
    isRectified = false
    coefficientCount = 0
    scaleIndex = count - 1
  }

  /// The subsets that have a coefficient, in their order in θ; blocks from 0.
  var coefficientSubsets: [[Int]] {
    zip(subsets.members, coefficientOfSubset).filter { $0.1 >= 0 }.map(\.0)
  }

  /// C_D = Σ c_S² at θ.
  func sumOfSquares(_ parameters: Span<Double>) -> Double {
    var total = 0.0
    for i in 0..<coefficientCount { total += parameters[i] * parameters[i] }
    return total
  }

  /// What the squares c_S² are divided by: C_D, or 1.
  func norm(_ parameters: Span<Double>) -> Double {
    isNormalised ? sumOfSquares(parameters) : 1
  }

  /// p_S of every subset, the empty set first.
  func weights(_ parameters: Span<Double>) -> [Double] {
    let norm = norm(parameters)
    return zip(coefficientOfSubset, constants).map { index, constant in
      index < 0 ? constant : parameters[index] * parameters[index] / norm
    }
  }

  /// How much of Σ_T p_T A_T the derivatives by c_S have less: all of it if the kernel is divided by C_D.
  var pull: Double { isNormalised ? 1 : 0 }
}

extension KernelForm {
  /// Bounds of k.
  ///
  /// - Parameters:
  ///   - weights: p_S of every subset, not negative.
  ///   - overlaps: bounds of every g^h.
  /// - Returns: a range with room for every k; from 0 on where no g^h is negative.
  func range(
    weights: UnsafePointer<Double>, overlaps: ClosedRange<Double>
  ) -> ClosedRange<Double> {
    let lowest = isRectified ? max(overlaps.lowerBound, 0) : overlaps.lowerBound
    let size = max(abs(lowest), abs(overlaps.upperBound))
    // Shares sum to one; what their sum is in floating point must not matter.
    if isNormalised, size == 1 { return (lowest < 0 ? -1 : 0)...1 }
    var largest = 0.0
    for (subset, members) in subsets.members.enumerated() {
      largest += members.reduce(weights[subset]) { product, _ in product * size }
    }
    // Where c has overflowed, nothing is known.
    guard largest.isFinite else { return -.infinity ... .infinity }
    return (lowest < 0 ? -largest : 0)...largest
  }
}

extension KernelForm {
  /// C_D, or ‖c‖² against a²; and the sign of every c_S.
  ///
  /// Outputs do not change with c → λc if the kernel is divided by C_D, nor otherwise with a → a/λ² besides, so the
  /// gradient is orthogonal to these directions; and ċ_S is a multiple of c_S, which therefore never reaches zero
  /// (derived).
  var conservationLaws: [ConservationLaw] {
    guard coefficientCount > 0 else { return [] }
    let signs = ConservationLaw(
      name: "signs of c kept",
      explanation: "largest |c_S|/‖c‖ on the other side of zero over all samples"
    ) { now, start in
      var largest = 0.0
      for i in 0..<coefficientCount { largest = max(largest, start[i] < 0 ? now[i] : -now[i]) }
      return largest / sumOfSquares(now).squareRoot()
    }
    let scale =
      isNormalised
      ? ConservationLaw(
        name: "C_D conserved", explanation: "largest |C_D − C_D(0)|/C_D(0) over all samples"
      ) { now, start in abs(sumOfSquares(now) / sumOfSquares(start) - 1) }
      : ConservationLaw(
        name: "‖c‖² − 2a² conserved",
        explanation: "largest change, relative to ‖c‖² + 2a², over all samples",
        groups: ["c", "a"]
      ) { now, start in
        let (after, before) = (now[scaleIndex], start[scaleIndex])
        let (squares, then) = (sumOfSquares(now), sumOfSquares(start))
        return abs(squares - then - 2 * (after * after - before * before))
          / (squares + 2 * after * after)
      }
    return [scale, signs]
  }
}
