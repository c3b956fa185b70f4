public import Objectives
import Synchronization

#if canImport(Glibc)
  import Glibc
#endif

/// The population loss ½ E‖target − TF‖² of the mixed target, or its mean over a sample.
///
/// The in-context part comes in three ways: to leading order in 1/N, from a table of means at finite N (both for
/// the 4-gram part in closed form), or with all of the transformer on a fixed sample.
public struct MixedObjective: Objective {
  /// Where the in-context part comes from.
  public enum Induction: Sendable {
    /// Leading order in 1/N; needs w* below ``MixedTarget/thresholdWeight``, and none for infinite length.
    case reduced
    /// Means at finite N with the true softmax; needs p₁ = ∞.
    case tabulated(InductionTable)
    /// The transformer itself, both parts, on a fixed sample.
    case sampled(GaussianSample)
  }

  /// What is learnt.
  public let target: MixedTarget
  /// What learns it.
  public let transformer: MixedTransformer
  /// Where the in-context part comes from.
  public let induction: Induction
  /// θ(0), which some phases are defined by.
  public let origin: [Double]
  /// L_IH where the head that compares tokens has learnt their mean alone: the plateau.
  public let plateau: Double

  let loss: any MixedLoss
  private let initialParts: MixedLossParts
  private let memory: LastParts

  /// Poses a loss.
  ///
  /// - Parameters:
  ///   - target: what is learnt.
  ///   - transformer: of the same dimension.
  ///   - induction: a table or sample of the same target.
  ///   - origin: θ(0); phases are fractions of the losses there.
  ///   - threads: threads to use; the result does not depend on it.
  public init(
    _ target: MixedTarget, _ transformer: MixedTransformer, induction: Induction,
    origin: [Double], threads: Int = 1
  ) {
    precondition(target.dimension == transformer.dimension, "the tokens have other dimensions")
    precondition(origin.count == transformer.layout.count, "the start has the wrong dimension")
    self.target = target
    self.transformer = transformer
    self.induction = induction
    self.origin = origin
    loss =
      switch induction {
      case .reduced: PopulationMixedLoss(target, table: nil)
      case .tabulated(let table): PopulationMixedLoss(target, table: table)
      case .sampled(let sample): SampledLoss(target, sample, threads: threads)
      }
    plateau = loss.plateau
    memory = LastParts()
    initialParts =
      loss.derivatives(
        at: transformer.point(origin.span), order: 0, byFirstRate: false, threads: threads
      ).parts
  }

  /// How many parts ``parts(threads:)`` has.
  public var partCount: Int {
    switch induction {
    case .reduced: 0
    case .tabulated(let table): table.parts.count
    case .sampled(let sample): GaussianSample.parts(of: sample.count, into: Self.sampleParts).count
    }
  }

  private static let sampleParts = 8

  /// The losses of disjoint parts of the sample or table, for what sampling leaves open; none where nothing is
  /// sampled.
  public func parts(threads: Int) -> [MixedObjective] {
    let inductions: [Induction] =
      switch induction {
      case .reduced: []
      case .tabulated(let table): table.parts.map { .tabulated($0) }
      case .sampled(let sample):
        GaussianSample.parts(of: sample.count, into: Self.sampleParts).map {
          .sampled(GaussianSample(sample, range: $0))
        }
      }
    return inductions.map {
      MixedObjective(target, transformer, induction: $0, origin: origin, threads: threads)
    }
  }

  /// The groups `p1`, `p`, `v1`, `v`, `w`.
  public var layout: ParameterLayout { transformer.layout }

  /// `loss.g4`, `loss.ih`, for the sum target `loss.cross`, and for one dimension `k` = w_K w_Q.
  public var observableNames: [String] { Self.observableNames(of: target) }

  /// The same of any objective of a target.
  public static func observableNames(of target: MixedTarget) -> [String] {
    ["loss.g4", "loss.ih"] + (target.form == .sum ? ["loss.cross"] : [])
      + (target.dimension == 1 ? ["k"] : [])
  }

  /// W_K W_Kᵀ − W_Q W_Qᵀ, unless they are tied.
  public var conservationLaws: [ConservationLaw] { [transformer.conservation].compactMap(\.self) }

  /// The phases, as losses that fall to a level.
  ///
  /// `partial-learning`: L_G4 at 1 % of its start. `plateau-entry`: 1 % of the early drop of L_IH still to come;
  /// `plateau-exit`: L_IH at 99 % of the plateau; `emergence`: at half of it; `convergence`: at 1 %.
  public var phaseEvents: [PhaseEvent] {
    func event(
      _ name: String, _ groups: [String], _ level: Double,
      _ part: @escaping @Sendable (MixedLossParts) -> Double
    ) -> PhaseEvent {
      PhaseEvent(name: name, groups: groups) { parameters in
        log(level / max(part(self.lossParts(at: parameters)), .leastNormalMagnitude))
      }
    }
    let fourGram = event(
      "partial-learning", ["p1", "p", "v1"], 0.01 * initialParts.fourGram, \.fourGram)
    guard plateau > 0, initialParts.induction > plateau else { return [fourGram] }
    let head = ["v", "w"]
    let drop = initialParts.induction - plateau
    return [
      fourGram,
      // As a share of the drop: where the plateau is most of the loss, the loss itself hardly moves.
      event("plateau-entry", head, 0.01 * drop) { [plateau] in $0.induction - plateau },
      event("plateau-exit", head, 0.99 * plateau, \.induction),
      event("emergence", head, 0.5 * plateau, \.induction),
      event("convergence", head, 0.01 * plateau, \.induction),
    ]
  }

  /// None: the phases are fractions of known losses.
  public var lossDropEvents: [LossDropEvent] { [] }

  /// Writes the observables.
  public func observe(_ parameters: Span<Double>, into values: inout MutableSpan<Double>) {
    let parts = lossParts(at: parameters)
    var all = [parts.fourGram, parts.induction]
    if target.form == .sum { all.append(parts.cross) }
    if target.dimension == 1 { all += transformer.product(parameters) }
    for (i, value) in all.enumerated() { values[i] = value }
  }

  /// L at θ, part by part.
  public func lossParts(at parameters: Span<Double>) -> MixedLossParts {
    if let known = memory.parts(at: parameters) { return known }
    let parts = loss.derivatives(
      at: transformer.point(parameters), order: 0, byFirstRate: false, threads: 1
    ).parts
    memory.keep(parts, at: parameters)
    return parts
  }

  /// An evaluator.
  ///
  /// - Parameter threads: at least 1; the results do not depend on it.
  /// - Returns: an evaluator for one thread at a time.
  public func makeEvaluator(threads: Int) -> any ObjectiveEvaluator {
    MixedEvaluator(self, memory: memory, threads: threads)
  }
}

/// The 4-gram part in closed form, and the in-context part to leading order or from a table.
struct PopulationMixedLoss: MixedLoss {
  private let target: MixedTarget
  private let fourGram: FourGramLoss
  private let reduced: ReducedInduction
  private let table: InductionTable?

  init(_ target: MixedTarget, table: InductionTable?) {
    self.target = target
    fourGram = FourGramLoss(target)
    reduced = ReducedInduction(target: target)
    self.table = table
  }

  func derivatives(at z: MixedPoint, order: Int, byFirstRate: Bool, threads: Int)
    -> MixedDerivatives
  {
    var result = MixedDerivatives(count: z.count, order: order)
    fourGram.add(to: &result, at: z, order: order)
    if let table {
      table.add(to: &result, at: z, order: order)
    } else {
      reduced.add(to: &result, at: z, order: order)
    }
    crossTerm(&result, z, order)
    return result
  }

  /// The sum target adds d (v₁ − a)(v − c)/N, to leading order in 1/N.
  private func crossTerm(_ result: inout MixedDerivatives, _ z: MixedPoint, _ order: Int) {
    guard target.form == .sum, target.terms.isFinite else { return }
    let factor = Double(target.dimension) / target.terms
    let (x, y) = (z.firstValue - target.fourGramShare, z.value - target.inductionShare)
    result.parts.cross += factor * x * y
    if order < 1 { return }
    result.gradient[MixedPoint.firstValue] += factor * y
    result.gradient[MixedPoint.value] += factor * x
    if order > 1 { result.add(factor, MixedPoint.firstValue, MixedPoint.value) }
  }

  var plateau: Double { table?.plateau ?? reduced.plateau }
}

/// The parts of the loss where they were computed last: an accepted step asks for the same ones several times.
final class LastParts: Sendable {
  private let last = Mutex<(parameters: [Double], parts: MixedLossParts)?>(nil)

  func parts(at parameters: Span<Double>) -> MixedLossParts? {
    last.withLock { last in
      guard let last, last.parameters.count == parameters.count,
        parameters.indices.allSatisfy({ last.parameters[$0] == parameters[$0] })
      else { return nil }
      return last.parts
    }
  }

  func keep(_ parts: MixedLossParts, at parameters: Span<Double>) {
    let copy = parameters.indices.map { parameters[$0] }
    last.withLock { $0 = (copy, parts) }
  }
}

/// Evaluates a mixed-target loss and its derivatives.
final class MixedEvaluator: ObjectiveEvaluator {
  private let objective: MixedObjective
  private let memory: LastParts
  private let threads: Int

  init(_ objective: MixedObjective, memory: LastParts, threads: Int) {
    self.objective = objective
    self.memory = memory
    self.threads = threads
  }

  func loss(at parameters: Span<Double>) -> Double {
    if let known = memory.parts(at: parameters) { return known.total }
    return derivatives(parameters, order: 0, byFirstRate: false).parts.total
  }

  func gradient(at parameters: Span<Double>, into gradient: inout MutableSpan<Double>) -> Double {
    self.gradient(at: parameters, among: Array(0..<parameters.count), into: &gradient)
  }

  func gradient(
    at parameters: Span<Double>, among positions: [Int], into gradient: inout MutableSpan<Double>
  ) -> Double {
    let found = derivatives(parameters, order: 1, byFirstRate: positions.contains(0))
    let whole = objective.transformer.gradient(found, at: parameters)
    for (i, position) in positions.enumerated() { gradient[i] = whole[position] }
    return found.parts.total
  }

  func hessianVectorProduct(
    at parameters: Span<Double>, direction: Span<Double>, into product: inout MutableSpan<Double>
  ) {
    let matrix = hessian(parameters, byFirstRate: true)
    let n = parameters.count
    for i in 0..<n { product[i] = (0..<n).reduce(0) { $0 + matrix[i * n + $1] * direction[$1] } }
  }

  func hessian(at parameters: Span<Double>, into hessian: inout MutableSpan<Double>) {
    self.hessian(at: parameters, among: Array(0..<parameters.count), into: &hessian)
  }

  func hessian(
    at parameters: Span<Double>, among positions: [Int], into hessian: inout MutableSpan<Double>
  ) {
    let matrix = self.hessian(parameters, byFirstRate: positions.contains(0))
    let (n, m) = (parameters.count, positions.count)
    for (i, row) in positions.enumerated() {
      for (j, column) in positions.enumerated() { hessian[i * m + j] = matrix[row * n + column] }
    }
  }

  private func hessian(_ parameters: Span<Double>, byFirstRate: Bool) -> [Double] {
    objective.transformer.hessian(
      derivatives(parameters, order: 2, byFirstRate: byFirstRate), at: parameters)
  }

  private func derivatives(_ parameters: Span<Double>, order: Int, byFirstRate: Bool)
    -> MixedDerivatives
  {
    let found = objective.loss.derivatives(
      at: objective.transformer.point(parameters), order: order, byFirstRate: byFirstRate,
      threads: threads)
    memory.keep(found.parts, at: parameters)
    return found
  }
}
