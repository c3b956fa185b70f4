/// The mixed target: a 4-gram part and an in-context 2-gram part of Gaussian tokens.
///
/// Tokens x₁…x_L are independent N(0, I_d). The target has the component a x_{L−2} (4-gram) and the component
/// c Σ_s softmax_s(w*² ⟨x_L, x_{s−1}⟩) x_s, s = 2…L−1 (in-context 2-gram, IH₂), with a = α*/(1 + α*) and
/// c = 1/(1 + α*).
///
/// Reference: arXiv 2410.11474; the square of w*, the read-out range and both shares as in *The mixed target and its laws*.
public struct MixedTarget: Sendable, Hashable {
  /// How the two parts make up the target.
  public enum Form: String, Sendable, Hashable, CaseIterable {
    /// Two components, each learnt by a head of its own.
    case vector
    /// Their sum.
    case sum
  }

  /// α*, the ratio of the 4-gram part to the in-context part, > 0.
  public let proportion: Double
  /// w*, > 0; tokens are compared with the weight w*².
  public let weight: Double
  /// How the two parts make up the target.
  public let form: Form
  /// d, the dimension of a token, ≥ 1.
  public let dimension: Int
  /// L, at least 4; nil for infinite length.
  public let length: Int?

  /// Describes a target.
  public init(
    proportion: Double, weight: Double, form: Form = .vector, dimension: Int = 1, length: Int?
  ) {
    precondition(proportion > 0 && weight > 0, "α* and w* are positive")
    precondition(dimension >= 1 && (length ?? 4) >= 4, "tokens have a dimension, and L ≥ 4")
    self.proportion = proportion
    self.weight = weight
    self.form = form
    self.dimension = dimension
    self.length = length
  }

  /// a = α*/(1 + α*), the share of the 4-gram part.
  public var fourGramShare: Double { proportion / (1 + proportion) }
  /// c = 1/(1 + α*), the share of the in-context part.
  public var inductionShare: Double { 1 / (1 + proportion) }
  /// m = w*², what k = w_K w_Q becomes.
  public var product: Double { weight * weight }
  /// N = L − 2, over how many positions the second layer looks.
  public var terms: Double { length.map { Double($0 - 2) } ?? .infinity }

  /// w* from which on the power of IH₂ falls more slowly than 1/N: 2^{−1/4}, where m² = ½.
  public static let thresholdWeight = 0.840_896_415_253_714_5
}

/// What the losses of the mixed target are functions of: z = (p₁, p, v₁, v, K) with K = W_Qᵀ W_K.
struct MixedPoint {
  /// p₁, the rate of the first layer's positional attention; +∞ copies the previous token.
  var firstRate: Double
  /// p, the rate of the positional head of the second layer.
  var rate: Double
  /// v₁, the value of that head.
  var firstValue: Double
  /// v, the value of the head that compares tokens.
  var value: Double
  /// K, shape (d, d) by rows: a logit is x_Lᵀ K y_s.
  var product: [Double]

  static let firstRate = 0
  static let rate = 1
  static let firstValue = 2
  static let value = 3
  static let product = 4

  var count: Int { Self.product + product.count }
}

/// A loss at z, part by part, with its derivatives.
struct MixedDerivatives {
  /// The 4-gram part, the in-context part, and what the sum target adds.
  var parts = MixedLossParts()
  /// ∂L/∂z.
  var gradient: [Double]
  /// ∂²L/∂z², shape (n, n); zero unless it was wanted.
  var hessian: [Double]

  init(count: Int, order: Int) {
    gradient = Array(repeating: 0, count: count)
    hessian = order > 1 ? Array(repeating: 0, count: count * count) : []
  }

  /// Adds to ∂²L/∂z_i∂z_j and its mirror image.
  mutating func add(_ value: Double, _ i: Int, _ j: Int) {
    if hessian.isEmpty { return }
    hessian[i * gradient.count + j] += value
    if i != j { hessian[j * gradient.count + i] += value }
  }
}

/// The parts of a loss.
public struct MixedLossParts: Sendable, Equatable {
  /// L_G4.
  public var fourGram = 0.0
  /// L_IH.
  public var induction = 0.0
  /// What the parts of the sum target have to do with each other; 0 for the vector target.
  public var cross = 0.0

  /// L.
  public var total: Double { fourGram + induction + cross }
}

/// A loss as a function of z.
protocol MixedLoss: Sendable {
  /// The loss with its derivatives.
  ///
  /// - Parameters:
  ///   - point: z.
  ///   - order: 0, 1 or 2: how many derivatives are wanted.
  ///   - byFirstRate: whether those by p₁ are wanted.
  ///   - threads: threads to use; the result does not depend on it.
  /// - Returns: L part by part, ∂L/∂z and, for order 2, ∂²L/∂z².
  func derivatives(at point: MixedPoint, order: Int, byFirstRate: Bool, threads: Int)
    -> MixedDerivatives

  /// L_IH at K = 0 with the best v: the saddle that the flow lingers at.
  var plateau: Double { get }
}
