import Corpora
import Foundation
import InductionHeads
import Objectives
import TestSupport
import Testing

/// One choice of the options of the full transformer.
struct FullCase: CustomTestStringConvertible, Sendable {
  var name: String
  var vocabulary = 3
  var attention: [FullTransformer.Attention]
  var comparison: FullTransformer.Comparison
  var readOut = WindowShape.ReadOutRange.fullWindow
  var loss = OutputLoss.logProbability(floor: 1e-3)
  var expected = false
  var length = 20

  var testDescription: String { name }

  static func heads(_ lags: [[Int]]) -> [GIHTransformer.Head] {
    lags.map { GIHTransformer.Head(lags: $0, ownLag: $0[0]) }
  }

  static let polynomial = FullTransformer.Comparison.polynomial(
    degree: 2, hasEmptySet: false, isNormalised: true, isRectified: false)

  static func network(
    _ activation: Activation, floor: Double? = 1e-2, isBilinear: Bool = false
  ) -> FullTransformer.Comparison {
    .innerProduct(
      .init(hidden: 5, features: 4, activation: activation, normFloor: floor),
      isBilinear: isBilinear)
  }

  static let all: [FullCase] = [
    FullCase(
      name: "content", attention: [.init(heads: heads([[1, 2, 3], [2, 1], [3, 1]]))],
      comparison: polynomial),
    FullCase(
      name: "positions alone, as in the simplified model",
      attention: [.init(heads: heads([[1, 2], [2, 1]]), hasContent: false, hasValues: false)],
      comparison: polynomial),
    FullCase(
      name: "content at positions without a full window, expected",
      attention: [.init(heads: heads([[1, 2], [2, 3]]), hasValues: false)],
      comparison: polynomial, readOut: .allPositions, expected: true),
    FullCase(
      name: "public code",
      attention: [
        .init(
          heads: heads([[1, 2, 3], [2, 3, 4], [3, 4, 5]]), seesItself: true, normFloor: 1e-2)
      ],
      comparison: .polynomial(
        degree: 2, hasEmptySet: true, isNormalised: true, isRectified: false),
      readOut: .allPositions, loss: .crossEntropyOfLogits),
    FullCase(
      name: "GELU and layer normalisation", attention: [.init(heads: heads([[1, 2], [2, 1]]))],
      comparison: network(.gelu)),
    FullCase(
      name: "tanh, trained second attention, all positions",
      attention: [.init(heads: heads([[1, 2], [2, 1]]), seesItself: true)],
      comparison: network(.tanh, floor: nil, isBilinear: true), readOut: .allPositions),
    FullCase(
      name: "softplus behind heads without content",
      attention: [.init(heads: heads([[1, 2, 3], [2]]), hasContent: false, hasValues: false)],
      comparison: network(.softplus), expected: true),
    FullCase(
      name: "attention alone",
      attention: [.init(heads: heads([[1, 2], [2, 1]]), normFloor: 1e-2)],
      comparison: .innerProduct(nil, isBilinear: true)),
    FullCase(
      name: "three attention layers", vocabulary: 2,
      attention: [
        .init(heads: heads([[1, 2], [2, 1]])),
        .init(heads: heads([[1], [2, 1]]), seesItself: true, normFloor: 1e-2),
      ],
      comparison: network(.gelu, isBilinear: true), readOut: .allPositions),
    FullCase(
      name: "three attention layers, full windows", vocabulary: 2,
      attention: [
        .init(heads: heads([[1, 2], [2, 1]]), normFloor: 1e-2),
        .init(heads: heads([[1], [2, 1]]), hasContent: false, hasValues: false),
      ],
      comparison: polynomial),
  ]

  var model: FullTransformer {
    FullTransformer(
      vocabulary: vocabulary, attention: attention, comparison: comparison, readOut: readOut,
      loss: loss)
  }

  /// The data, the objective over it, and random parameters away from any symmetry.
  func prepared(
    seed: UInt64
  ) -> (data: LawfulSequences, objective: FullObjective, theta: [Double]) {
    let data = Case(name: name, vocabulary: vocabulary, length: length).data(seed: seed)
    let model = model
    let targets: CompressedCorpus.Targets =
      expected ? .expected : loss.seesEveryToken ? .sampledAmongAll : .sampled
    let corpus = CompressedCorpus(data, shape: model.windowShape, targets: targets)
    var random = SeededRandom(seed &+ 1)
    var theta = (0..<model.layout.count).map { _ in Double.random(in: -1...1, using: &random) }
    // Large enough that no group's gradient drowns in the rounding of the loss.
    theta[theta.count - 1] = 3
    return (data, FullObjective(model: model, corpus: corpus, length: length), theta)
  }
}

@Suite struct FullTransformerTests {
  @Test(arguments: FullCase.all)
  func theCompressedLossIsTheSumOverPositions(choice: FullCase) {
    for seed in UInt64(1)...2 {
      let (data, objective, theta) = choice.prepared(seed: seed)
      let naive = NaiveFullTransformer(model: choice.model, theta: theta)
        .loss(data.rows, laws: choice.expected ? data.laws : nil)
      let compressed = objective.makeEvaluator(threads: 1).loss(at: theta)
      #expect(abs(compressed - naive) <= 1e-13 * abs(naive), "seed \(seed)")
    }
  }

  @Test(arguments: FullCase.all)
  func theGradientHasTheErrorOfCentralDifferences(choice: FullCase) {
    let (_, objective, theta) = choice.prepared(seed: 8)
    checkGradient(of: objective, at: theta)
  }

  @Test(arguments: FullCase.all)
  func hessianProductsHaveTheErrorOfCentralDifferences(choice: FullCase) {
    let (_, objective, theta) = choice.prepared(seed: 9)
    var random = SeededRandom(3)
    let direction = theta.map { _ in Double.random(in: -1...1, using: &random) }
    checkHessianProduct(of: objective, at: theta, along: direction)
  }

  @Test(arguments: FullCase.all)
  func hessianProductsAreSymmetric(choice: FullCase) {
    let (_, objective, theta) = choice.prepared(seed: 11)
    let evaluator = objective.makeEvaluator(threads: 1)
    var random = SeededRandom(5)
    for _ in 0..<5 {
      let (u, v) = (
        theta.map { _ in Double.random(in: -1...1, using: &random) },
        theta.map { _ in Double.random(in: -1...1, using: &random) }
      )
      func product(_ x: [Double], _ y: [Double]) -> Double {
        zip(x, evaluator.hessianVectorProduct(at: theta, direction: y)).reduce(0) {
          $0 + $1.0 * $1.1
        }
      }
      func norm(_ x: [Double]) -> Double { x.reduce(0) { $0 + $1 * $1 }.squareRoot() }
      let size = norm(u) * norm(evaluator.hessianVectorProduct(at: theta, direction: v))
      #expect(abs(product(u, v) - product(v, u)) <= 1e-11 * size)
    }
  }

  @Test(arguments: FullCase.all)
  func threadsChangeNothing(choice: FullCase) {
    let (_, objective, theta) = choice.prepared(seed: 13)
    let evaluators = [1, 3].map { objective.makeEvaluator(threads: $0) }
    #expect(
      evaluators[0].lossAndGradient(at: theta) == evaluators[1].lossAndGradient(at: theta))
    #expect(
      evaluators[0].hessianVectorProduct(at: theta, direction: theta)
        == evaluators[1].hessianVectorProduct(at: theta, direction: theta))
  }

  /// Without content, values and networks it is the simplified model, to the last digits.
  @Test func theSimplifiedModelIsASpecialCase() {
    let lags = [[1, 2, 3], [1, 2, 3], [1, 2, 3]]
    let heads = zip(lags, 1...3).map { GIHTransformer.Head(lags: $0, ownLag: $1) }
    let simple = GIHTransformer(
      vocabulary: 3, heads: heads, window: 3, degree: 2, loss: .logProbability(floor: 1e-3))
    let full = FullTransformer(
      vocabulary: 3,
      attention: [.init(heads: heads, hasContent: false, hasValues: false)],
      comparison: FullCase.polynomial, loss: .logProbability(floor: 1e-3))
    #expect(full.layout == simple.layout && full.windowShape == simple.windowShape)
    let data = Case(name: "").data(seed: 3)
    let corpus = CompressedCorpus(data, shape: simple.windowShape, targets: .sampled)
    var random = SeededRandom(4)
    let theta = (0..<simple.layout.count).map { _ in Double.random(in: -1...1, using: &random) }
    let evaluators: [any ObjectiveEvaluator] = [
      GIHObjective(model: simple, corpus: corpus, length: 30).makeEvaluator(threads: 1),
      FullObjective(model: full, corpus: corpus, length: 30).makeEvaluator(threads: 1),
    ]
    let results = evaluators.map { $0.lossAndGradient(at: theta) }
    #expect(abs(results[0].loss - results[1].loss) < 1e-15)
    for (a, b) in zip(results[0].gradient, results[1].gradient) { #expect(abs(a - b) < 1e-15) }
    let products = evaluators.map { $0.hessianVectorProduct(at: theta, direction: theta) }
    for (a, b) in zip(products[0], products[1]) { #expect(abs(a - b) < 1e-14) }
  }

  /// Where an inner product is zero the rectified loss has two one-sided slopes; elsewhere it is as smooth as any.
  @Test func aRectifiedKernelHasTheGradientOfTheNaiveLoss() {
    var choice = FullCase.all[3]
    choice.comparison = .polynomial(
      degree: 2, hasEmptySet: true, isNormalised: true, isRectified: true)
    let (data, objective, theta) = choice.prepared(seed: 5)
    let (loss, gradient) = objective.makeEvaluator(threads: 2).lossAndGradient(at: theta)
    func naive(_ theta: [Double]) -> Double {
      NaiveFullTransformer(model: choice.model, theta: theta).loss(data.rows, laws: nil)
    }
    #expect(abs(loss - naive(theta)) < 1e-13)
    for i in stride(from: 0, to: theta.count, by: 7) {
      let difference = (naive(theta.shifted(i, 1e-6)) - naive(theta.shifted(i, -1e-6))) / 2e-6
      #expect(abs(gradient[i] - difference) < 1e-8, "\(choice.model.layout.names[i])")
    }
    // The Hessian, everywhere but at the kinks.
    let evaluator = objective.makeEvaluator(threads: 1)
    var random = SeededRandom(6)
    let direction = theta.map { _ in Double.random(in: -1...1, using: &random) }
    let product = evaluator.hessianVectorProduct(at: theta, direction: direction)
    let sides = [1e-6, -1e-6].map { h in
      evaluator.lossAndGradient(at: zip(theta, direction).map { $0 + h * $1 }).gradient
    }
    for i in theta.indices {
      #expect(abs(product[i] - (sides[0][i] - sides[1][i]) / 2e-6) < 1e-7)
    }
    let smooth = choice.model.smoothed
    #expect(smooth == FullCase.all[3].model && smooth.smoothed == smooth)
  }

  /// What the flow conserves: the gradient is orthogonal to every direction that changes no output.
  @Test(arguments: FullCase.all)
  func conservedQuantitiesHaveNoFirstVariation(choice: FullCase) {
    let given = choice
    var choice = choice
    // At ε = 0 layer normalisation forgets the scale of what it gets.
    choice.attention = choice.attention.map { layer in
      var layer = layer
      if layer.normFloor != nil { layer.normFloor = 0 }
      return layer
    }
    if case .innerProduct(var network?, let isBilinear) = choice.comparison {
      if network.normFloor != nil { network.normFloor = 0 }
      choice.comparison = .innerProduct(network, isBilinear: isBilinear)
    }
    // Where a head sees nothing it has equal features, and then there is no derivative at ε = 0.
    let isSingular = choice.prepared(seed: 17).objective.makeEvaluator(threads: 1)
      .loss(at: choice.prepared(seed: 17).theta).isNaN
    #expect(isSingular == (choice.name == "three attention layers"))
    let (_, objective, theta) = (isSingular ? given : choice).prepared(seed: 17)
    let gradient = objective.makeEvaluator(threads: 1).lossAndGradient(at: theta).gradient
    let h = 1e-6
    func moved(_ sign: Double) -> [Double] { zip(theta, gradient).map { $0 - sign * h * $1 } }
    for law in objective.conservationLaws {
      // Second order in the step, where an unconserved quantity changes by the first.
      let change = law.departure(moved(1).span, moved(-1).span)
      #expect(change <= 1e-10, "\(law.name): \(change)")
    }
    // A quantity that is not conserved shows.
    let broken = theta.enumerated().map { $1 + 1e-3 * Double(1 + $0 % 3) }
    for law in objective.conservationLaws where law.name != "signs of c kept" {
      #expect(law.departure(broken.span, theta.span) > 1e-6, "\(law.name)")
    }
  }
}
