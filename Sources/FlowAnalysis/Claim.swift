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
  /// Evaluated on other lengths and priors, the loss falls with the length.
  case lengths = "G9"
  /// Trained all at once: selection, then classification, then concentration.
  case order = "G10"
  /// Figures that were published, or are expected, of gradient descent or the flow.
  case figures
  /// Gradient descent converges to the flow at first order in its learning rate.
  case descentOrder = "D1"
  /// A step of gradient descent breaks the conservation of C_D by η²‖∇_c L‖².
  case descentDrift = "D2"
  /// Full transformer: the set of lags with the largest share at the end is argmax Ĩ.
  case learnedLags = "F1"
  /// Mixed target: L_G4 ~ 1/(4t).
  case fourGramTail = "M1"
  /// Mixed target: when L_G4 is 1 % of its start.
  case partialLearning = "M2"
  /// Mixed target: the early drop of L_IH to its plateau.
  case earlyDrop = "M3"
  /// Mixed target: the time at which L_IH leaves its plateau.
  case emergence = "M4"
  /// Mixed target: v overshoots its limit, k is monotone.
  case overshoot = "M5"
  /// Mixed target: the exponential rate at last.
  case convergenceRate = "M6"
  /// Mixed target: whether the first layer is learnt, and how fast.
  case firstLayer = "M7"
  /// Mixed target: the power of IH₂ where w*⁴ > ½.
  case targetPower = "M8"

  /// Whether it is about the mixed target.
  public var isAboutMixedTarget: Bool { rawValue.hasPrefix("M") }

  /// Whether it is about discrete training beside the flow.
  public var isAboutTraining: Bool {
    switch self {
    case .figures, .descentOrder, .descentDrift: true
    default: false
    }
  }

  /// Whether it is about the trained model on fresh data.
  public var isAboutEvaluation: Bool { self == .lengths }

  /// Whether its constants come from the expansion of the loss in a.
  public var needsExpansion: Bool {
    switch self {
    case .selectionRate, .selectionTime, .copying, .bystanders, .order: true
    default: false
    }
  }

  /// Whether its constants hold for the transformer of the paper's theory alone; see
  /// `GIHTransformer.isPaperForm`.
  public var needsPaperForm: Bool {
    switch self {
    case .conservation, .finiteOptimum, .lengths: false
    default: true
    }
  }

  /// Where the law comes from.
  public var reference: String {
    let paper = "arXiv 2409.10559"
    let mixed = "arXiv 2410.11474"
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
    case .lengths: "\(paper), Figure 7"
    case .order: "derived"
    case .figures: "figures in the experiment file"
    case .descentOrder: "Euler's method"
    case .descentDrift: "derived"
    case .learnedLags: "\(paper) (open question)"
    case .fourGramTail, .partialLearning: "\(mixed) (partial learning); constant derived"
    case .earlyDrop, .overshoot: "derived"
    case .emergence: "\(mixed) (plateau and emergence); constants derived"
    case .convergenceRate: "\(mixed) (convergence); rate derived"
    case .firstLayer: "\(mixed) (first stage); threshold derived"
    case .targetPower: "derived"
    }
  }
}
