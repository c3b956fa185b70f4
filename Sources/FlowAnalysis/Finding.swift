/// What came of holding one statement against a flow.
public struct Finding: Sendable, Equatable {
  /// How the derived value fares.
  public enum Verdict: Sendable, Equatable {
    /// The derived value lies in the interval, widened by the model error.
    case holds
    /// It does not.
    case rejected
    /// The statement says nothing about this flow, and why.
    case notApplicable(String)
  }

  /// How the measured value is to stand to the derived one.
  public enum Relation: String, Sendable, Equatable {
    /// The two are equal.
    case equal
    /// The derived value is an upper bound.
    case atMost = "at most"
    /// The derived value is a lower bound.
    case atLeast = "at least"
  }

  /// The claim, for instance `G2`.
  public let claim: Claim
  /// What is compared, for instance `ln(c_S*/c_S) slope, S={2}`.
  public let statement: String
  /// Which flow of a sweep it is about, for instance `initial.scale=0.01`; empty for a single one.
  public let flow: String
  /// What theory says, computed from the data.
  public let derived: Double
  /// What the flow shows.
  public let measured: Double
  /// Half the width of the interval of the measured value.
  public let uncertainty: Double
  /// How far the derived value may be off, because the law is asymptotic; what `claim` states.
  public let modelError: Double
  /// How the two are to stand to each other.
  public let relation: Relation
  /// What belongs to this flow alone, for instance the range of a fit; may be empty.
  public let detail: String
  /// The reason why nothing was compared, if nothing was.
  public let reason: String?

  /// A comparison.
  ///
  /// - Parameters:
  ///   - claim: the claim.
  ///   - statement: what is compared.
  ///   - derived: what theory says.
  ///   - measured: what the flow shows.
  ///   - uncertainty: half the width of its interval, ≥ 0.
  ///   - modelError: how far `derived` may be off, ≥ 0, in the same unit.
  ///   - relation: equality by default.
  ///   - detail: what belongs to this flow alone.
  public init(
    _ claim: Claim, _ statement: String, derived: Double, measured: Double, uncertainty: Double,
    modelError: Double, relation: Relation = .equal, detail: String = ""
  ) {
    self.claim = claim
    self.statement = statement
    flow = ""
    self.derived = derived
    self.measured = measured
    self.uncertainty = uncertainty
    self.modelError = modelError
    self.relation = relation
    self.detail = detail
    reason = nil
  }

  /// A statement that says nothing about this flow.
  public init(_ claim: Claim, _ statement: String, notApplicable reason: String) {
    self.claim = claim
    self.statement = statement
    flow = ""
    derived = .nan
    measured = .nan
    uncertainty = .nan
    modelError = .nan
    relation = .equal
    detail = ""
    self.reason = reason
  }

  /// The same finding about a flow of a sweep.
  public func labelled(_ flow: String) -> Finding { Finding(copying: self, flow: flow) }

  private init(copying other: Finding, flow: String) {
    claim = other.claim
    statement = other.statement
    self.flow = flow
    derived = other.derived
    measured = other.measured
    uncertainty = other.uncertainty
    modelError = other.modelError
    relation = other.relation
    detail = other.detail
    reason = other.reason
  }

  /// The lower end of the measured value's interval.
  public var lower: Double { measured - uncertainty }
  /// The upper end.
  public var upper: Double { measured + uncertainty }

  /// The verdict; a number that is not finite is rejected.
  public var verdict: Verdict {
    if let reason { return .notApplicable(reason) }
    let low = lower - modelError
    let high = upper + modelError
    let holds =
      switch relation {
      case .equal: derived >= low && derived <= high
      case .atMost: low <= derived
      case .atLeast: high >= derived
      }
    return holds && measured.isFinite && derived.isFinite ? .holds : .rejected
  }

  /// One finding for several replicates of the same experiment: the worst of them, of figures the mean.
  ///
  /// Derived and measured values of a replicate belong to the same data set, so each is judged alone,
  /// and the claim is rejected when one of them is. The detail has the mean of measured/derived with
  /// Student's 95 % interval over the replicates.
  ///
  /// - Parameter replicates: findings with the same claim and statement, at least one.
  /// - Returns: the finding over all of them: rejected if one of them is, else not applicable if one
  ///   of them is.
  public static func combined(_ replicates: [Finding]) -> Finding {
    guard let first = replicates.first else { preconditionFailure("there is a replicate") }
    if replicates.count == 1 { return first }
    if first.claim == .figures { return mean(of: replicates) }
    if let reason = replicates.lazy.compactMap(\.reason).first {
      let judged = replicates.filter { $0.reason == nil }
      // What one replicate contradicts, another that says nothing does not restore.
      if judged.contains(where: { $0.verdict == .rejected }) { return combined(judged) }
      return Finding(first.claim, first.statement, notApplicable: "in a replicate: \(reason)")
    }
    let worst = replicates.max { $0.excess < $1.excess } ?? first
    let rejected = replicates.count { $0.verdict == .rejected }
    var parts = ["worst of \(replicates.count) replicates"]
    if rejected > 0 { parts.append("\(rejected) rejected") }
    if first.relation == .equal, replicates.allSatisfy({ abs($0.derived) > 10 * $0.uncertainty }) {
      let ratios = Sample(replicates.map { $0.measured / $0.derived })
      parts.append("mean ratio \(Float(ratios.mean)) ± \(Float(ratios.halfWidth))")
    }
    if !worst.detail.isEmpty { parts.append(worst.detail) }
    return Finding(
      worst.claim, worst.statement, derived: worst.derived, measured: worst.measured,
      uncertainty: worst.uncertainty, modelError: worst.modelError, relation: worst.relation,
      detail: parts.joined(separator: ", "))
  }

  /// Figures are of means over data sets: the mean, held against the figure without its own interval, which the
  /// detail names.
  private static func mean(of replicates: [Finding]) -> Finding {
    let first = replicates[0]
    if let reason = replicates.lazy.compactMap(\.reason).first {
      return Finding(first.claim, first.statement, notApplicable: "in a replicate: \(reason)")
    }
    let sample = Sample(replicates.map(\.measured))
    return Finding(
      first.claim, first.statement, derived: first.derived, measured: sample.mean, uncertainty: 0,
      modelError: first.modelError, relation: first.relation,
      detail: "mean of \(replicates.count) replicates, ± \(Float(sample.halfWidth))")
  }

  /// By how much what was measured lies outside what is allowed; negative inside, larger is worse.
  private var excess: Double {
    let gap =
      switch relation {
      case .equal: abs(measured - derived)
      case .atMost: measured - derived
      case .atLeast: derived - measured
      }
    let excess = gap - uncertainty - modelError
    return excess.isNaN ? .infinity : excess
  }

  /// This finding, or that it says nothing because what is known of both sides is too little.
  ///
  /// An error of more than half of the value itself leaves nothing to be judged.
  func orTooCoarse() -> Finding {
    guard reason == nil, relation == .equal, derived != 0 else { return self }
    if modelError > abs(derived) / 2 {
      return Finding(
        claim, statement,
        notApplicable: "what the law neglects is \(percent(modelError / abs(derived))) of it: a is "
          + "too large, or it is too early")
    }
    if uncertainty > max(abs(measured), abs(derived)) / 2 {
      return Finding(
        claim, statement,
        notApplicable: "it is no larger than what the tolerances or samples leave open, ± "
          + "\(Float(uncertainty))")
    }
    return self
  }

  private func percent(_ fraction: Double) -> String {
    fraction < 100 ? "\(Int((100 * fraction).rounded())) %" : "many times the size"
  }
}
