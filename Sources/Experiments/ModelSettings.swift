public import DeclaredKeys

/// The transformer TF(M, H, d, D).
public struct ModelSettings: Sendable, Hashable {
  /// The number of heads H.
  public var heads: Int
  /// The window M.
  public var window: Int
  /// For each head the lags it may look at, ascending.
  public var lags: [[Int]]
  /// For each head the lag where its attention sits at the start.
  public var ownLags: [Int]
  /// The degree D: the size of the largest subset of heads.
  public var degree: Int
  /// Whether the empty set of heads is among the subsets.
  public var hasEmptySet: Bool
  /// The positions that the second layer reads.
  public var readout: Readout
  /// Whether a head's weights are the same at every position.
  public var positions: PositionalWeights
  /// Whether every head's output is divided by its norm.
  public var normalisesHeads: Bool
  /// Whether the kernel is divided by C_D.
  public var normalisesKernel: Bool
  /// What a full transformer has beside; nil of TF(M, H, d, D).
  public var layers: LayerSettings?

  /// The number of heads whose inner products are compared: those of the last layer in front of the read-out.
  var comparedHeads: Int { layers?.upper?.heads ?? heads }

  /// Whether positions are compared by the polynomial kernel.
  var isPolynomial: Bool { layers.map { $0.comparison == .polynomial } ?? true }

  /// The number of subsets of heads, Σ_k (H choose k) over k from 0 or 1 to D.
  public var subsetCount: Int {
    var count = 0
    var binomial = 1
    for size in 0...min(degree, comparedHeads) {
      if size > 0 || hasEmptySet { count += binomial }
      binomial = binomial * (comparedHeads - size) / (size + 1)
    }
    return count
  }

  /// Whether a name such as `c.1+2`, `c.0`, `w.1.3` or `a` belongs to a parameter of this model.
  ///
  /// The heads of a subset are counted from 1 and written in ascending order.
  public func hasParameter(named name: String) -> Bool {
    if name == "a" { return true }
    let parts = name.split(separator: ".", omittingEmptySubsequences: false)
    func number(_ text: Substring) -> Int? {
      // One way of writing each number, so that no parameter has two names.
      Int(text).flatMap { String($0) == text ? $0 : nil }
    }
    if parts.count == 2, parts[0] == "c" {
      if parts[1] == "0" { return hasEmptySet }
      let subset = parts[1].split(separator: "+", omittingEmptySubsequences: false).map(number)
      let members = subset.compactMap(\.self)
      return members.count == subset.count && members.count <= degree
        && members.allSatisfy { $0 >= 1 && $0 <= heads }
        && zip(members, members.dropFirst()).allSatisfy(<)
    }
    if positions == .relative, parts.count == 3, parts[0] == "w", let head = number(parts[1]),
      let lag = number(parts[2])
    {
      return lags.indices.contains(head - 1) && lags[head - 1].contains(lag)
    }
    return false
  }
}

/// What the weights of a head depend on.
public enum PositionalWeights: String, KeyChoice {
  /// The lag alone.
  case relative
  /// The lag and the position; such a model is for sequences of one length.
  case absolute
}

/// The positions that the second layer reads.
public enum Readout: String, KeyChoice {
  /// The positions with a full window, l = M+1…L.
  case fullWindow = "full-window"
  /// All positions, l = 1…L.
  case allPositions = "all-positions"
}
