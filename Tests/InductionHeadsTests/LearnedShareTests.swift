import Corpora
import Foundation
import InductionHeads
import Objectives
import TestSupport
import Testing

@Suite struct LearnedShareTests {
  private func observed(
    _ model: FullTransformer, _ theta: [Double]
  ) -> [String: Double] {
    let data = Case(name: "", vocabulary: model.vocabulary, length: 20).data(seed: 3)
    let corpus = CompressedCorpus(data, shape: model.windowShape, targets: .sampled)
    let objective = FullObjective(model: model, corpus: corpus, length: 20)
    var values = [Double](repeating: 0, count: objective.observableNames.count)
    var span = values.mutableSpan
    objective.observe(theta.span, into: &span)
    return Dictionary(uniqueKeysWithValues: zip(objective.observableNames, values))
  }

  /// With one-hot heads the shares are c_S²/C_D, of whatever the lags of the heads are.
  @Test func ofOneHotHeadsTheyAreTheSharesOfTheKernel() {
    let model = FullTransformer(
      vocabulary: 3,
      attention: [
        .init(
          heads: FullCase.heads([[1, 2, 3], [2, 1, 3], [3, 1, 2]]), hasContent: true,
          hasValues: false)
      ],
      comparison: FullCase.polynomial, loss: .logProbability(floor: 1e-3))
    let c = [0.3, -0.2, 0.5, 0.7, 0.1, 0.4]
    let theta = model.layout.names.map { name -> Double in
      if let i = ["c.1", "c.2", "c.3", "c.1+2", "c.1+3", "c.2+3"].firstIndex(of: name) {
        return c[i]
      }
      if ["w.1.1", "w.2.2", "w.3.3"].contains(name) { return 800 }
      return name == "a" ? 2 : 0
    }
    let values = observed(model, theta)
    let total = c.reduce(0) { $0 + $1 * $1 }
    for (set, c) in zip(["1", "2", "3", "1+2", "1+3", "2+3"], c) {
      #expect(abs((values["share.\(set)"] ?? .nan) - c * c / total) < 1e-14, "\(set)")
    }
    #expect(abs(values["share.1+2+3"] ?? .nan) < 1e-14)
    #expect(abs(values["unexplained"] ?? .nan) < 1e-13)
    #expect(abs((values["attention.1.1"] ?? .nan) - 1) < 1e-14 && values["attention.3.1"] == 0)
  }

  /// Lags that no head looks at are in no set with a share: k = ½ 1[1] + ½ 1[1, 3].
  @Test func lagsThatNobodySeesHaveNone() {
    let model = FullTransformer(
      vocabulary: 3,
      attention: [
        .init(
          heads: [.init(lags: [1], ownLag: 1), .init(lags: [3], ownLag: 3)], hasContent: false,
          hasValues: false)
      ],
      comparison: FullCase.polynomial, loss: .logProbability(floor: 1e-3))
    let theta = model.layout.names.map { ["c.1", "c.1+2", "a"].contains($0) ? 1.0 : 0 }
    let values = observed(model, theta)
    for (set, share) in [("1", 0.5), ("1+3", 0.5), ("2", 0), ("1+2", 0), ("1+2+3", 0), ("3", 0)] {
      #expect(abs((values["share.\(set)"] ?? .nan) - share) < 1e-14, "\(set)")
    }
  }

  /// Layer-normalised one-hot heads have the inner products 3 and −1.5: a product of two is no matter of the pair
  /// alone, unless it is rectified.
  @Test(arguments: [false, true])
  func rectifiedScoresHaveTheirOwnShares(isRectified: Bool) {
    let model = FullTransformer(
      vocabulary: 3,
      attention: [
        .init(
          heads: [.init(lags: [1], ownLag: 1), .init(lags: [2], ownLag: 2)], hasContent: false,
          hasValues: false, normFloor: 0)
      ],
      comparison: .polynomial(
        degree: 2, hasEmptySet: false, isNormalised: true, isRectified: isRectified),
      loss: .logProbability(floor: 1e-3))
    let theta = model.layout.names.map { name in
      name == "c.1+2" || name == "a" || name.hasPrefix("ln.gain") ? 1.0 : 0
    }
    let values = observed(model, theta)
    for (set, share) in [("1", 0.2), ("2", 0.2), ("1+2", 0.6)] {
      let expected = isRectified ? (set == "1+2" ? 1 : 0) : share
      #expect(abs((values["share.\(set)"] ?? .nan) - expected) < 1e-12, "\(set)")
    }
  }

  /// The definition, pair by pair and set by set, of a network's scores.
  @Test func theyAreTheInverseOfMeansByAgreement() {
    let choice = FullCase.all[4]
    let model = choice.model
    var random = SeededRandom(2)
    let theta = (0..<model.layout.count).map { _ in Double.random(in: -1...1, using: &random) }
    let values = observed(model, theta)
    // k of a key (own token, then lags 1 and 2) and a query, from a sequence that has both.
    func score(_ key: [Int], _ query: [Int]) -> Double {
      let naive = NaiveFullTransformer(model: model, theta: theta)
      return naive.score(key: key, query: query)
    }
    var sums = [0: (0.0, 0.0), 1: (0.0, 0.0), 2: (0.0, 0.0), 3: (0.0, 0.0)]
    var scores: [(Int, Double)] = []
    for key in 0..<27 {
      for query in 0..<9 {
        let (k, q) = ([key / 9, key / 3 % 3, key % 3], [query / 3, query % 3])
        let agreement = (k[1] == q[0] ? 1 : 0) + (k[2] == q[1] ? 2 : 0)
        let value = score(k, q)
        scores.append((agreement, value))
        sums[agreement]?.0 += value
        sums[agreement]?.1 += 1
      }
    }
    let m = sums.mapValues { $0.0 / $0.1 }
    let p = [m[1]! - m[0]!, m[2]! - m[0]!, m[3]! - m[2]! - m[1]! + m[0]!]
    let size = p.reduce(0) { $0 + abs($1) }
    for (set, p) in zip(["1", "2", "1+2"], p) {
      #expect(abs((values["share.\(set)"] ?? .nan) - abs(p) / size) < 1e-12, "\(set)")
    }
    let mean = scores.reduce(0) { $0 + $1.1 } / Double(scores.count)
    let rest = scores.reduce(0) { $0 + ($1.1 - m[$1.0]!) * ($1.1 - m[$1.0]!) }
    let all = scores.reduce(0) { $0 + ($1.1 - mean) * ($1.1 - mean) }
    #expect(abs((values["unexplained"] ?? .nan) - rest / all) < 1e-12)
  }
}
