import Corpora
import InductionHeads
import Objectives
import TestSupport
import Testing

/// One choice of all the options of the model, with data to go with it.
struct Case: CustomTestStringConvertible, Sendable {
  var name: String
  var vocabulary = 3
  var heads = [[1, 2, 3], [1, 2, 3], [1, 2, 3]]
  var own = [1, 2, 3]
  var window = 3
  var degree = 2
  var emptySet = false
  var readOut = WindowShape.ReadOutRange.fullWindow
  var loss = OutputLoss.logProbability(floor: 1e-3)
  var normalisesHeads = false
  var normalisesKernel = true
  var hasOwnPositions = false
  var expected = false
  var sequences = 40
  var length = 30
  var scale = 1.0
  var pairs = PairIdentity.upToRelabelling

  var testDescription: String { name }

  static let all: [Case] = [
    Case(name: "paper's form"),
    Case(name: "pairs as they are", pairs: .distinct),
    Case(
      name: "pairs as they are, all positions, expected", readOut: .allPositions, expected: true,
      pairs: .distinct),
    Case(name: "thirty letters", vocabulary: 30, readOut: .allPositions),
    Case(name: "empty set", emptySet: true),
    Case(name: "expected targets", expected: true),
    Case(name: "all positions", readOut: .allPositions),
    Case(
      name: "all positions, expected, empty set, degree 3", degree: 3, emptySet: true,
      readOut: .allPositions, expected: true),
    Case(
      name: "lag sets of their own", heads: [[1], [2, 4], [1, 3, 4]], own: [1, 4, 3], window: 5),
    Case(
      name: "more heads than lags", heads: [[1, 2], [1, 2], [2], [1, 2]], own: [1, 2, 2, 1],
      window: 2, degree: 4),
    Case(
      name: "shorter than the window", heads: [[1, 2, 3, 4, 5], [2, 5]], own: [1, 5], window: 5,
      degree: 2, readOut: .allPositions, length: 3),
    Case(name: "one token before the target", readOut: .allPositions, length: 1),
    Case(
      name: "five letters, window five", vocabulary: 5, heads: [[1, 2, 3, 4, 5], [1, 5]],
      own: [1, 5], window: 5),
    Case(name: "logits", loss: .crossEntropyOfLogits),
    Case(
      name: "logits, expected, pairs as they are", loss: .crossEntropyOfLogits, expected: true,
      sequences: 6,
      pairs: .distinct),
    Case(name: "normalised heads", normalisesHeads: true),
    Case(
      name: "normalised heads, all positions", heads: [[1, 2], [2, 3], [3, 4, 5]], own: [1, 2, 3],
      window: 5, degree: 3, readOut: .allPositions, normalisesHeads: true),
    Case(name: "kernel without C_D", normalisesKernel: false),
    Case(
      name: "kernel without C_D, empty set, expected", emptySet: true, normalisesKernel: false,
      expected: true),
    Case(
      name: "public code of the paper", heads: [[1, 2, 3], [2, 3, 4], [3, 4, 5]], own: [1, 2, 3],
      window: 5, emptySet: true, readOut: .allPositions, loss: .crossEntropyOfLogits,
      normalisesHeads: true),
    Case(
      name: "everything at once", vocabulary: 5, heads: [[1, 2, 3], [2, 3, 4], [3, 4, 5]],
      own: [1, 2, 3], window: 5, degree: 3, emptySet: true, readOut: .allPositions,
      loss: .crossEntropyOfLogits, normalisesHeads: true, normalisesKernel: false, expected: true),
    Case(
      name: "weights of their own at every position", heads: [[1, 2], [1, 3]], own: [1, 3],
      hasOwnPositions: true, length: 7),
    Case(
      name: "positions and all else", heads: [[1, 2], [2, 3]], own: [1, 2], emptySet: true,
      readOut: .allPositions, loss: .crossEntropyOfLogits, normalisesHeads: true,
      hasOwnPositions: true, expected: true, length: 6),
    Case(name: "large a, logits", loss: .crossEntropyOfLogits, scale: 3000),
    Case(name: "large a, kernel without C_D", normalisesKernel: false, scale: 3000),
    Case(name: "large a: shifts of their own", scale: 3000),
    Case(name: "large a, expected", expected: true, scale: 3000),
  ]

  var model: GIHTransformer {
    GIHTransformer(
      vocabulary: vocabulary,
      heads: zip(heads, own).map { GIHTransformer.Head(lags: $0, ownLag: $1) }, window: window,
      degree: degree, hasEmptySet: emptySet, readOut: readOut, loss: loss,
      normalisesHeads: normalisesHeads, normalisesKernel: normalisesKernel,
      length: hasOwnPositions ? length : nil)
  }

  var naive: NaiveTransformer {
    NaiveTransformer(
      vocabulary: vocabulary, heads: model.heads, window: window, degree: degree,
      emptySet: emptySet, allPositions: readOut == .allPositions, loss: loss,
      normalisesHeads: normalisesHeads, normalisesKernel: normalisesKernel,
      hasOwnPositions: hasOwnPositions)
  }

  var targets: CompressedCorpus.Targets {
    expected ? .expected : loss.seesEveryToken ? .sampledAmongAll : .sampled
  }

  /// Sequences in which a token often repeats the one two places before it.
  func data(seed: UInt64) -> LawfulSequences {
    var random = SeededRandom(seed)
    let rows = (0..<sequences).map { _ -> [UInt8] in
      var row: [UInt8] = []
      for l in 0...length {
        let copies = l >= 2 && Double.random(in: 0..<1, using: &random) < 0.6
        row.append(copies ? row[l - 2] : UInt8.random(in: 0..<UInt8(vocabulary), using: &random))
      }
      return row
    }
    let laws = (0..<sequences).map { _ -> [Double] in
      let weights = (0..<vocabulary).map { _ in Double.random(in: 0..<1, using: &random) }
      return weights.map { $0 / weights.reduce(0, +) }
    }
    return LawfulSequences(vocabulary: vocabulary, rows: rows, laws: laws)
  }

  /// The data, the objective over it, and random parameters away from any symmetry.
  func prepared(
    seed: UInt64, sharedRange: Double = 600
  ) -> (data: LawfulSequences, objective: GIHObjective, theta: [Double]) {
    let data = data(seed: seed)
    let model = model
    let corpus = CompressedCorpus(
      data, shape: model.windowShape,
      targets: targets,
      pairs: pairs)
    var random = SeededRandom(seed &+ 1)
    var theta = (0..<model.layout.count).map { _ in Double.random(in: -1...1, using: &random) }
    theta[theta.count - 1] = scale * Double.random(in: 0.5...1.5, using: &random)
    let objective = GIHObjective(
      model: model, corpus: corpus, length: length, sharedRange: sharedRange)
    return (data, objective, theta)
  }
}

/// Sequences in memory with a made-up law for each target.
struct LawfulSequences: SequenceSource {
  let vocabulary: Int
  let rows: [[UInt8]]
  let laws: [[Double]]

  var sequenceCount: Int { rows.count }
  var length: Int { rows[0].count - 1 }
  var knowsTargetLaw: Bool { true }
  func makeReader() -> any SequenceReader { Reader(self) }

  final class Reader: SequenceReader {
    let source: LawfulSequences
    var last = 0
    init(_ source: LawfulSequences) { self.source = source }
    func read(_ index: Int, into tokens: UnsafeMutableBufferPointer<UInt8>) {
      last = index
      for (i, token) in source.rows[index].enumerated() { tokens[i] = token }
    }
    func targetLaw(into law: UnsafeMutableBufferPointer<Double>) {
      for (i, value) in source.laws[last].enumerated() { law[i] = value }
    }
  }
}
