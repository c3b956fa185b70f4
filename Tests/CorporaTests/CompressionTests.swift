import Corpora
import MarkovChains
import Testing

@Suite struct CompressionTests {
  static func source(count: Int = 50, length: Int = 40, start: SequenceSampler.Start = .stationary)
    -> SampledSequences
  {
    let prior = DirichletPrior(vocabulary: 3, parents: [1, 2], concentration: 0.3)
    return SampledSequences(
      SequenceSampler(source: .prior(prior), start: start, seed: 5), count: count, length: length)
  }

  static let shapes = [
    WindowShape(vocabulary: 3, lags: [1, 2, 3], reach: 3, range: .fullWindow),
    WindowShape(vocabulary: 3, lags: [1, 2, 3], reach: 3, range: .allPositions),
    WindowShape(vocabulary: 3, lags: [2, 5], reach: 6, range: .fullWindow),
    WindowShape(vocabulary: 3, lags: [0, 1, 4], reach: 4, range: .fullWindow),
    WindowShape(vocabulary: 3, lags: Array(1...10), reach: 10, range: .allPositions),
  ]

  /// Counts by going through positions, with windows as arrays.
  @Test(
    arguments: shapes,
    [
      (CompressedCorpus.Targets.sampled, PairIdentity.distinct), (.expected, .distinct),
      (.sampled, .upToRelabelling), (.expected, .upToRelabelling),
    ])
  func countsAreThoseOfTheDefinition(
    shape: WindowShape, form: (targets: CompressedCorpus.Targets, pairs: PairIdentity)
  ) {
    let targets = form.targets
    let source = Self.source()
    let corpus = CompressedCorpus(source, shape: shape, targets: targets, pairs: form.pairs)
    /// The windows of a pair, one after the other, in the names that they are counted under.
    func named(_ pair: [Int]) -> [Int] {
      if form.pairs == .distinct { return pair }
      var names = [shape.vocabulary: shape.vocabulary]
      for token in pair where names[token] == nil { names[token] = names.count - 1 }
      return pair.compactMap { names[$0] }
    }
    let stored = StoredSequences(source)
    let width = stored.length + 1
    #expect(corpus.sequenceCount == 50)
    #expect(corpus.sourceIndices.sorted() == Array(0..<50))
    for group in corpus.groups {
      for s in group.sequences {
        let row = Array(
          stored.tokens[corpus.sourceIndices[s] * width..<(corpus.sourceIndices[s] + 1) * width])
        func window(_ position: Int) -> [Int] {
          shape.lags.map { lag in
            let place = position - lag
            return place >= 1 && place <= stored.length ? Int(row[place - 1]) : shape.vocabulary
          }
        }
        func read(_ index: Int) -> [Int] { shape.lags.indices.map { corpus.windows[index, $0] } }
        let query = window(stored.length + 1)
        #expect(read(group.query) == named(query))
        var counts: [[Int]: [Double]] = [:]
        for l in shape.firstPosition...stored.length {
          let key = Array(named(query + window(l)).dropFirst(query.count))
          counts[key, default: [0, 0, 0]][Int(row[l - 1])] += 1
        }
        let entries = corpus.entryOffsets[s]..<corpus.entryOffsets[s + 1]
        #expect(entries.count == counts.count)
        for e in entries {
          let slot = Int(corpus.entrySlots[e])
          let key = group.isDense ? slot : Int(corpus.keyWindows[group.keys.lowerBound + slot])
          #expect(corpus.keyWindows[group.keys].contains(UInt32(key)))
          let expected = counts[read(key)] ?? []
          #expect(Double(corpus.entryCounts[e]) == expected.reduce(0, +))
          if targets == .sampled {
            #expect(Double(corpus.entryTargetCounts[e]) == expected[Int(row[width - 1])])
          } else {
            #expect(
              corpus.entryTargetCounts[e * 3..<e * 3 + 3].map(Double.init) == expected)
          }
        }
        let weights = corpus.targetWeights[s * corpus.columns..<(s + 1) * corpus.columns]
        #expect(abs(weights.reduce(0, +) - 1) < 1e-12)
      }
    }
  }

  /// Also with so many sequences that those of one query are sorted in several parts.
  @Test(arguments: shapes, [(300, PairIdentity.distinct), (12_000, .upToRelabelling)])
  func threadsChangeNothing(shape: WindowShape, form: (count: Int, pairs: PairIdentity)) {
    let source = Self.source(count: form.count)
    let one = CompressedCorpus(source, shape: shape, targets: .expected, pairs: form.pairs)
    let many = CompressedCorpus(
      source, shape: shape, targets: .expected, pairs: form.pairs, threads: 3)
    #expect(one.entrySlots == many.entrySlots && one.entryCounts == many.entryCounts)
    #expect(one.keyWindows == many.keyWindows && one.targetWeights == many.targetWeights)
    #expect(one.windows == many.windows && one.groups == many.groups)
  }

  @Test func storedTokensGiveTheSameCounts() {
    let source = Self.source(start: .uniform)
    let direct = CompressedCorpus(source, shape: Self.shapes[0], targets: .sampled)
    let stored = CompressedCorpus(
      StoredSequences(source), shape: Self.shapes[0], targets: .sampled)
    #expect(direct.entrySlots == stored.entrySlots)
    #expect(direct.entryTargetCounts == stored.entryTargetCounts)
  }

  @Test func expectedTargetsAreTheKernelsRows() {
    let source = Self.source()
    let corpus = CompressedCorpus(source, shape: Self.shapes[0], targets: .expected)
    let stored = StoredSequences(source)
    guard case .prior(let prior) = source.sampler.source else { return }
    for s in 0..<corpus.sequenceCount {
      let index = corpus.sourceIndices[s]
      let chain = prior.chain(seed: 5, index: UInt64(index))
      let row = stored.tokens[index * 41..<index * 41 + 40]
      let (last, before) = (Int(row[row.endIndex - 1]), Int(row[row.endIndex - 2]))
      let law = Array(chain.law(ofRow: last + 3 * before))
      #expect(Array(corpus.targetWeights[s * 3..<s * 3 + 3]) == law)
    }
  }

  @Test func tooManyWindowsAreTold() {
    let lags = Array(1...64)
    #expect(
      WindowShape(vocabulary: 2, lags: lags, reach: 64, range: .allPositions).codeCount == nil)
    #expect(
      WindowShape(vocabulary: 2, lags: [1, 2], reach: 64, range: .allPositions).codeCount == 9)
  }

  @Test func longWindowsAreNumberedWithoutATable() {
    // 3^20 codes are far beyond any table; the counts still come out.
    let shape = WindowShape(vocabulary: 3, lags: Array(1...20), reach: 20, range: .fullWindow)
    let corpus = CompressedCorpus(Self.source(), shape: shape, targets: .sampled)
    #expect(corpus.entryCounts.reduce(0, +) == 50 * 20)
    #expect(
      Set(
        (0..<corpus.windows.count).map { w in
          (0..<20).map { corpus.windows[w, $0] }
        }
      ).count == corpus.windows.count)
  }
}

@Suite struct TokenTextTests {
  func read(_ text: String, vocabulary: Int = 3, limit: Int? = nil) throws(TokenText.Fault)
    -> TokenText
  {
    try TokenText(Array(text.utf8), vocabulary: vocabulary, limit: limit)
  }

  @Test func separatorsMayMix() throws {
    let text = try read("0 1 2\n2,1,0\r\n 1\t1, 1 \n\n")
    #expect(text.width == 3)
    #expect(text.tokens == [0, 1, 2, 2, 1, 0, 1, 1, 1])
    let two = try read("0 1\n1 1\n0 0", limit: 2)
    #expect(two.tokens == [0, 1, 1, 1])
  }

  @Test func faultsNameTheirPlace() {
    func fault(_ text: String) -> TokenText.Fault? {
      do throws(TokenText.Fault) {
        _ = try read(text)
        return nil
      } catch {
        return error
      }
    }
    #expect(fault("0 1\n1 3\n").map { [$0.line, $0.column] } == [2, 3])
    #expect(fault("0 1 2\n0 1\n").map { [$0.line, $0.column] } == [2, 1])
    #expect(fault("0 1\n0 x\n").map { [$0.line, $0.column] } == [2, 3])
    #expect(fault("0 1\n\n0 1\n").map { [$0.line, $0.column] } == [2, 1])
    #expect(fault("0 -1\n").map { [$0.line, $0.column] } == [1, 3])
    #expect(fault("") != nil)
    #expect(fault("99999999999999999999999 0\n").map { [$0.line, $0.column] } == [1, 1])
  }
}
