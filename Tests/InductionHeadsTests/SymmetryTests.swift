import Corpora
import Foundation
import InductionHeads
import Objectives
import Testing

/// Laws of theory section 13 that hold for the loss itself.
@Suite struct SymmetryTests {
  private func evaluator(_ choice: Case, _ data: LawfulSequences) -> any ObjectiveEvaluator {
    let model = choice.model
    let corpus = CompressedCorpus(
      data, shape: model.windowShape, targets: choice.targets,
      pairs: choice.pairs)
    return GIHObjective(model: model, corpus: corpus, length: choice.length)
      .makeEvaluator(threads: 1)
  }

  private func agree(_ x: [Double], _ y: [Double], _ tolerance: Double = 1e-12) -> Bool {
    let scale = x.map(abs).max() ?? 0
    return zip(x, y).allSatisfy { abs($0 - $1) <= tolerance * scale }
  }

  static let cases = Case.all.filter { $0.scale == 1 }

  @Test(arguments: cases) func sequencesMayBeReorderedAndDoubled(choice: Case) {
    let (data, _, theta) = choice.prepared(seed: 21)
    let (rows, laws) = (data.rows, data.laws)
    let reversed = LawfulSequences(
      vocabulary: data.vocabulary, rows: rows.reversed(), laws: laws.reversed())
    let doubled = LawfulSequences(
      vocabulary: data.vocabulary, rows: rows + rows, laws: laws + laws)
    let gradient = evaluator(choice, data).lossAndGradient(at: theta).gradient
    #expect(agree(gradient, evaluator(choice, reversed).lossAndGradient(at: theta).gradient))
    #expect(agree(gradient, evaluator(choice, doubled).lossAndGradient(at: theta).gradient))
  }

  @Test(arguments: cases) func theVocabularyMayBePermuted(choice: Case) {
    let (data, _, theta) = choice.prepared(seed: 22)
    let d = data.vocabulary
    let permuted = LawfulSequences(
      vocabulary: d, rows: data.rows.map { $0.map { UInt8((Int($0) + 1) % d) } },
      laws: data.laws.map { law in (0..<d).map { law[($0 + d - 1) % d] } })
    #expect(
      agree(
        evaluator(choice, data).lossAndGradient(at: theta).gradient,
        evaluator(choice, permuted).lossAndGradient(at: theta).gradient))
  }

  @Test func headsMayBePermutedTogetherWithTheirParameters() {
    var choice = Case(name: "three heads", heads: [[1], [2, 4], [1, 3, 4]], own: [1, 4, 3])
    choice.window = 5
    choice.degree = 3
    let (data, objective, theta) = choice.prepared(seed: 23)
    let order = [2, 0, 1]  // new head h is old head order[h]
    var other = choice
    other.heads = order.map { choice.heads[$0] }
    other.own = order.map { choice.own[$0] }
    let names = objective.layout.names
    func oldName(_ name: String) -> String {
      let parts = name.split(separator: ".").map(String.init)
      func old(_ head: String) -> Int { order[(Int(head) ?? 1) - 1] + 1 }
      switch parts[0] {
      case "c":
        return "c."
          + parts[1].split(separator: "+").map { old(String($0)) }.sorted()
          .map(String.init).joined(separator: "+")
      case "w": return "w.\(old(parts[1])).\(parts[2])"
      default: return name
      }
    }
    let places = other.model.layout.names.compactMap { names.firstIndex(of: oldName($0)) }
    #expect(places.count == theta.count)
    let gradient = evaluator(choice, data).lossAndGradient(at: theta).gradient
    let permuted = evaluator(other, data).lossAndGradient(at: places.map { theta[$0] }).gradient
    #expect(agree(places.map { gradient[$0] }, permuted))
  }

  @Test(arguments: cases) func theGradientIsOrthogonalToScalesAndShifts(choice: Case) {
    let (_, objective, theta) = choice.prepared(seed: 24)
    let gradient = objective.makeEvaluator(threads: 1).lossAndGradient(at: theta).gradient
    let largest = gradient.map(abs).max() ?? 0
    let c = objective.layout.groups[0].range
    // Without C_D the loss is a function of a c_S²: c → λc goes with a → a/λ².
    let a = theta.count - 1
    let scaled = choice.normalisesKernel ? 0 : 2 * theta[a] * gradient[a]
    #expect(abs(c.reduce(-scaled) { $0 + theta[$1] * gradient[$1] }) <= 1e-13 * largest)
    // Names without the lag at their end: one softmax each.
    let blocks = Dictionary(grouping: objective.layout.groups[1].range) { index in
      objective.layout.names[index].split(separator: ".").dropLast()
    }
    for weights in blocks.values {
      #expect(abs(weights.reduce(0) { $0 + gradient[$1] }) <= 1e-13 * largest)
    }
  }

  /// Kernels at tiny α have entries that are subnormal; the Hessian must not divide by them.
  @Test func subnormalTargetWeightsLeaveTheHessianFinite() {
    let choice = Case(name: "subnormal", expected: true)
    var data = choice.data(seed: 25)
    data = LawfulSequences(
      vocabulary: 3, rows: data.rows, laws: data.laws.map { _ in [.leastNonzeroMagnitude, 1, 0] })
    let (_, objective, theta) = choice.prepared(seed: 25)
    #expect(objective.layout.count == theta.count)
    let hessian = evaluator(choice, data).hessian(at: theta)
    #expect(hessian.allSatisfy { $0.isFinite })
  }
}
