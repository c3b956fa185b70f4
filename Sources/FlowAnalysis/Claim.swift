/// A law of theory that a flow can be held against.
///
/// What each one says, needs and leaves open, with its derivation, is in the article *Claims*.
public enum Claim: String, Sendable, CaseIterable {
  /// The loss's slope at a = 0 with the subset S alone is Ĩ(S), and the flow selects argmax Ĩ.
  case information
  /// C_D and every Σ_i w_i^h are conserved, no c_S changes its sign.
  case conservation = "G1"
  /// ln(c_S*/c_S) grows at the rate 2a (Ĩ(S*) − Ĩ(S))/C_D.
  case selectionRate = "G2"
  /// The time at which the selection of S* is complete.
  case selectionTime = "G3"
  /// 1 − σ of the heads in S* falls as the gap ODE says, and asymptotically like 1/t.
  case copying = "G4"
  /// Heads outside S* move as the same ODE says, not at all when p_S* = 1.
  case bystanders = "G5"
  /// ȧ ~ e^{−ra}: logarithmic growth of a in infinite context.
  case classifierGrowth = "G6"
  /// At finite length a stops at the zero of ∂_a L.
  case finiteOptimum = "G7"
  /// The trained model is close to the generalised induction head GIH(S*).
  case limitModel = "G8"
  /// Trained all at once: selection, then classification, then concentration.
  case order = "G10"

  /// Whether its constants come from the expansion of the loss in a.
  public var needsExpansion: Bool {
    switch self {
    case .selectionRate, .selectionTime, .copying, .bystanders, .order: true
    default: false
    }
  }

  /// Where the law comes from.
  public var reference: String {
    let paper = "arXiv 2409.10559"
    return switch self {
    case .information: "\(paper) (modified chi-squared information); slope derived"
    case .conservation: "derived"
    case .selectionRate: "\(paper) (exponential); prefactor derived"
    case .selectionTime: "\(paper) (order of magnitude); equation derived"
    case .copying: "\(paper) (polynomial); ODE and prefactor derived"
    case .bystanders: "derived"
    case .classifierGrowth: "\(paper) (logarithmic); exponent derived"
    case .finiteOptimum: "derived"
    case .limitModel: "\(paper) (limit); bound and rate derived"
    case .order: "derived"
    }
  }
}
