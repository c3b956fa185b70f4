import Corpora
import InductionHeads
import Objectives
import TestSupport
import Testing

@Suite struct DerivativeTests {
  @Test(arguments: Case.all)
  func theCompressedLossIsTheSumOverPositions(choice: Case) {
    for seed in UInt64(1)...3 {
      let (data, objective, theta) = choice.prepared(seed: seed)
      let naive = choice.naive.loss(theta, data.rows, laws: choice.expected ? data.laws : nil)
      let compressed = objective.makeEvaluator(threads: 1).loss(at: theta)
      #expect(abs(compressed - naive) <= 1e-13 * abs(naive), "seed \(seed)")
    }
  }

  @Test(arguments: Case.all.filter { $0.scale == 1 })
  func theGradientHasTheErrorOfCentralDifferences(choice: Case) {
    let (_, objective, theta) = choice.prepared(seed: 7)
    checkGradient(of: objective, at: theta)
  }

  @Test(arguments: Case.all.filter { $0.scale == 1 })
  func hessianProductsHaveTheErrorOfCentralDifferences(choice: Case) {
    let (_, objective, theta) = choice.prepared(seed: 9)
    var random = SeededRandom(3)
    let direction = theta.map { _ in Double.random(in: -1...1, using: &random) }
    checkHessianProduct(of: objective, at: theta, along: direction)
  }

  /// At a = 3000 the read-out is saturated: what is left of the Hessian is the rounding of terms
  /// 10¹² times larger, and nothing relative can be asked of it.
  @Test(arguments: Case.all.filter { $0.scale == 1 })
  func theHessianIsTheMatrixOfItsProducts(choice: Case) {
    let (_, objective, theta) = choice.prepared(seed: 11)
    checkHessian(of: objective, at: theta)
  }

  /// What is computed for some parameters alone is what it is among all; in the Hessian up to the
  /// rounding of matrix products of another shape, of terms that a² can make large.
  @Test(arguments: Case.all, [["c"], ["w"], ["a"], ["c", "a"], ["w", "a"], ["c", "w"]])
  func someParametersAlone(choice: Case, groups: [String]) {
    let (_, objective, theta) = choice.prepared(seed: 13)
    let positions = objective.layout.indices(ofGroups: groups)
    let evaluator = objective.makeEvaluator(threads: 1)
    let (loss, gradient) = evaluator.lossAndGradient(at: theta)
    var part = [Double](repeating: .nan, count: positions.count)
    var span = part.mutableSpan
    #expect(evaluator.gradient(at: theta.span, among: positions, into: &span) == loss)
    #expect(part == positions.map { gradient[$0] })
    let whole = evaluator.hessian(at: theta)
    let some = evaluator.hessian(at: theta, among: positions)
    let wanted = positions.flatMap { i in positions.map { j in whole[i * theta.count + j] } }
    // ∂z/∂θ is of the order of a for c and w, and of one for a.
    let sizes = positions.map { $0 == theta.count - 1 ? 1 : choice.scale }
    let products = sizes.flatMap { size in sizes.map { size * $0 } }
    for (size, (some, wanted)) in zip(products, zip(some, wanted)) {
      #expect(abs(some - wanted) <= 1e-14 * size)
    }
  }

  /// The path for exponents that differ too much for one shift gives what the common path gives.
  @Test(arguments: Case.all.filter { $0.scale == 1 })
  func shiftsOfTheirOwnChangeNothing(choice: Case) {
    let (_, objective, theta) = choice.prepared(seed: 15)
    let shared = objective.makeEvaluator(threads: 1)
    let own = choice.prepared(seed: 15, sharedRange: 0).objective.makeEvaluator(threads: 1)
    func agree(_ x: [Double], _ y: [Double]) -> Bool {
      let largest = x.map(abs).max() ?? 0
      return zip(x, y).allSatisfy { abs($0 - $1) <= 1e-12 * largest }
    }
    #expect(abs(shared.loss(at: theta) / own.loss(at: theta) - 1) < 1e-13)
    #expect(
      agree(
        shared.lossAndGradient(at: theta).gradient, own.lossAndGradient(at: theta).gradient))
    #expect(agree(shared.hessian(at: theta), own.hessian(at: theta)))
    #expect(
      agree(
        shared.hessianVectorProduct(at: theta, direction: theta),
        own.hessianVectorProduct(at: theta, direction: theta)))
  }

  @Test(arguments: Case.all)
  func threadsChangeNothing(choice: Case) {
    let (_, objective, theta) = choice.prepared(seed: 13)
    checkThreads(
      objective.makeEvaluator(threads: 1), objective.makeEvaluator(threads: 3), at: theta)
  }
}
