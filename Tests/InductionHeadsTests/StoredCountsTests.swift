import Corpora
import InductionHeads
import Objectives
import TestSupport
import Testing

#if canImport(Glibc)
  import Glibc
#endif

/// How counts are stored for the read-out must not matter: in one, two or four bytes, in one piece or
/// several (more than 512 different sequences of a query), with equal and constant sequences set aside.
///
/// With one head that sees lag 1 alone, z = a where the key's token is the query's and 0 elsewhere, so
/// that the loss has the closed form y_e = (N(q,e) eᵃ + N(q',e))/(N(q) eᵃ + N(q')).
struct StoredCountsTests {
  struct Data: CustomTestStringConvertible, Sendable {
    let testDescription: String
    let sequences: Int
    let length: Int
  }

  static let data = [
    Data(testDescription: "equal and constant sequences", sequences: 400, length: 5),
    Data(testDescription: "several pieces", sequences: 5000, length: 90),
    Data(testDescription: "counts above 255", sequences: 40, length: 1200),
    Data(testDescription: "counts above 65535", sequences: 5, length: 200_000),
  ]

  @Test(arguments: data, [false, true])
  func theLossHasItsClosedForm(data: Data, expected: Bool) {
    let source = Case(
      name: "", vocabulary: 2, expected: expected, sequences: data.sequences, length: data.length
    ).data(seed: 5)
    let model = GIHTransformer(
      vocabulary: 2, heads: [GIHTransformer.Head(lags: [1], ownLag: 1)], window: 1, degree: 1,
      loss: .logProbability(floor: 1e-3))
    let corpus = CompressedCorpus(
      source, shape: model.windowShape, targets: expected ? .expected : .sampled,
      pairs: .upToRelabelling)
    let objective = GIHObjective(model: model, corpus: corpus, length: data.length)
    let a = 1.3
    var (loss, slope) = (0.0, 0.0)
    for (row, law) in zip(source.rows, source.laws) {
      let query = row[data.length - 1]
      var (same, other) = ([0.0, 0.0], [0.0, 0.0])
      for l in 1..<data.length {
        if row[l - 1] == query { same[Int(row[l])] += 1 } else { other[Int(row[l])] += 1 }
      }
      let z = (same[0] + same[1]) * exp(a) + other[0] + other[1]
      for e in 0..<2 {
        let weight = expected ? law[e] : e == Int(row[data.length]) ? 1 : 0
        let y = (same[e] * exp(a) + other[e]) / z
        loss -= weight * log(y + 1e-3)
        // ∂y/∂a = (N(q,e) − y N(q)) eᵃ/Z
        slope -= weight * (same[e] - y * (same[0] + same[1])) * exp(a) / z / (y + 1e-3)
      }
    }
    for threads in [1, 3] {
      let (value, gradient) = objective.makeEvaluator(threads: threads)
        .lossAndGradient(at: [0.7, 0, a])
      let n = Double(data.sequences)
      #expect(abs(value - loss / n) < 1e-13 * abs(loss / n))
      // Its terms are of order one each and nearly cancel where a sequence is long.
      #expect(abs(gradient[2] - slope / n) < 1e-14)
      #expect(gradient[0] == 0 && gradient[1] == 0, "one subset and one lag have nothing to move")
    }
  }

  /// More windows than sixteen bits number, all of them keys of one query; the head that sees them all
  /// looks at lag 1 alone, to the last digit.
  @Test func moreSlotsThanSixteenBitsCount() {
    let length = 110_000
    let choice = Case(
      name: "", vocabulary: 200, heads: [[1, 2, 3]], own: [1], degree: 1, sequences: 1,
      length: length, pairs: .distinct)
    let (data, objective, _) = choice.prepared(seed: 3)
    guard case .corpus(let corpus) = objective.data else { return }
    let slots = corpus.groups.map { corpus.slotCount(of: $0) }.max() ?? 0
    #expect(slots > 1 << 16)
    let row = data.rows[0]
    var (hits, total) = (0.0, 0.0)
    for l in 3..<length {
      let power = row[l - 1] == row[length - 1] ? exp(1.3) : 1
      total += power
      if row[l] == row[length] { hits += power }
    }
    let expected = -log(hits / total + (choice.loss.floor ?? .nan))
    let loss = objective.makeEvaluator(threads: 1).loss(at: [1, 60, 0, 0, 1.3])
    #expect(abs(loss - expected) <= 1e-13 * abs(expected))
  }
}
