import Foundation
import MarkovChains
import Testing

@Suite struct InformationSurveyTests {
  static let subsets = LagSets.all(window: 3, largest: 3)

  static func survey(
    _ concentration: Double, chains: Int, seed: UInt64 = 1, threads: Int = 2
  ) throws -> InformationSurvey {
    let prior = DirichletPrior(vocabulary: 3, parents: [1, 2], concentration: concentration)
    return try #require(
      InformationSurvey.survey(
        prior, seed: seed, chains: chains, lagSets: subsets, threads: threads
      ) { _, _ in true })
  }

  /// Ĩ from two sources: a table of 20 000 chains (rounded to .001, with its standard error), and
  /// two independent programs of 400 000 chains each that agree.
  struct Reference: Sendable, CustomTestStringConvertible {
    let concentration: Double
    let table: [Double]
    let tableError: Double
    let precise: [Double]
    /// The share of chains with a relaxation time above 100, rounded to a percent.
    let slow: Double
    var testDescription: String { "α = \(concentration)" }
  }

  static let references = [
    Reference(
      concentration: 0.05, table: [0.157, 0.179, 0.179, 0.212, 0.183, 0.194, 0.199],
      tableError: 0.001, precise: [0.1553, 0.1784, 0.1777, 0.2112, 0.1817, 0.1929, 0.1984],
      slow: 0.54),
    Reference(
      concentration: 0.1, table: [0.146, 0.166, 0.147, 0.198, 0.158, 0.168, 0.176],
      tableError: 0.001, precise: [0.1460, 0.1634, 0.1459, 0.1967, 0.1576, 0.1661, 0.1746],
      slow: 0.29),
    Reference(
      concentration: 0.2, table: [0.123, 0.133, 0.100, 0.166, 0.119, 0.123, 0.134],
      tableError: 0.003, precise: [0.1248, 0.1347, 0.0998, 0.1665, 0.1190, 0.1238, 0.1343],
      slow: 0.07),
    Reference(
      concentration: 1, table: [0.046, 0.045, 0.014, 0.060, 0.028, 0.027, 0.033],
      tableError: 0.003, precise: [0.0460, 0.0460, 0.0144, 0.0606, 0.0278, 0.0278, 0.0332],
      slow: 0),
  ]

  @Test(arguments: references)
  func averagesAndSlowChainsAgreeWithTheReferences(reference: Reference) throws {
    let survey = try Self.survey(reference.concentration, chains: 20_000)
    for (s, set) in survey.ranking.sets.enumerated() {
      let error = set.modified.standardError
      print(
        "α = \(reference.concentration) \(set.lags)",
        String(format: "Ĩ = %.4f ± %.4f", set.modified.value, error))
      #expect(
        abs(set.modified.value - reference.table[s]) < 3 * hypot(error, reference.tableError))
      #expect(abs(set.modified.value - reference.precise[s]) < 3 * hypot(error, 3e-4))
    }
    #expect(survey.ranking.bestSet.lags == [1, 2])
    #expect(survey.ranking.isDecided)
    // The share is a binomial mean; half a percent is the rounding of the reference, and the
    // third of the same size its own error.
    let slow = survey.fractionSlower(than: 100)
    print("α = \(reference.concentration): \(slow) slower than 100")
    let error = (reference.slow * (1 - reference.slow) / 20_000).squareRoot()
    #expect(abs(slow - reference.slow) < 3 * hypot(error, error) + 0.005)
    #expect(survey.reducibleCount == 0 && survey.periodicCount == 0)
  }

  @Test(arguments: [0.001, 0.1])
  func resultAndRowsDoNotDependOnTheThreads(concentration: Double) throws {
    let prior = DirichletPrior(vocabulary: 3, parents: [1, 2], concentration: concentration)
    var reference: (InformationSurvey, [ChainFacts])?
    for threads in [1, 2, 5] {
      var rows: [ChainFacts] = []
      let survey = try #require(
        InformationSurvey.survey(
          prior, seed: 9, chains: 300, lagSets: Self.subsets, threads: threads
        ) { index, facts in
          #expect(index == rows.count)
          rows.append(facts)
          return true
        })
      #expect(rows.count == 300)
      if let reference { #expect(reference == (survey, rows)) } else { reference = (survey, rows) }
    }
  }

  /// Every statistic again, from the rows, by the textbook.
  @Test func statisticsAreThoseOfTheRows() throws {
    let prior = DirichletPrior(vocabulary: 3, parents: [1, 2], concentration: 0.01)
    var rows: [ChainFacts] = []
    let survey = try #require(
      InformationSurvey.survey(
        prior, seed: 3, chains: 500, lagSets: Self.subsets, threads: 2
      ) { _, facts in
        rows.append(facts)
        return true
      })
    func check(_ estimate: Estimate, _ value: (ChainFacts) -> Double) {
      let mean = rows.reduce(0) { $0 + value($1) } / 500
      let square = rows.reduce(0) { $0 + value($1) * value($1) } / 500
      #expect(abs(estimate.value - mean) < 1e-13)
      #expect(abs(estimate.standardError - ((square - mean * mean) / 499).squareRoot()) < 1e-12)
    }
    let best = survey.ranking.best
    for (s, set) in survey.ranking.sets.enumerated() {
      check(set.modified) { $0.informations[s].modified }
      check(set.standard) { $0.informations[s].standard }
      check(set.deficit) { $0.informations[best].modified - $0.informations[s].modified }
    }
    check(survey.entropyRate) { $0.entropyRate }
    let times = rows.map(\.relaxationTime).sorted()
    #expect(survey.relaxationQuantile(0.5) == times[249])
    #expect(survey.relaxationQuantile(0.95) == times[474])
    #expect(survey.relaxationQuantile(0) == times[0])
    #expect(survey.relaxationQuantile(1) == times[499])
    #expect(survey.gapQuantile(0.25) == rows.map(\.spectralGap).sorted()[124])
    #expect(survey.fractionSlower(than: 100) == Double(times.count { $0 > 100 }) / 500)
  }

  @Test func reducibleAndPeriodicChainsAreCounted() throws {
    let prior = DirichletPrior(vocabulary: 3, parents: [1, 2], concentration: 1e-3)
    var (reducible, periodic, infinite) = (0, 0, 0)
    let survey = try #require(
      InformationSurvey.survey(
        prior, seed: 3, chains: 500, lagSets: [[1]], threads: 1
      ) { _, facts in
        reducible += facts.recurrentClassCount > 1 ? 1 : 0
        periodic += facts.recurrentClassCount == 1 && facts.period > 1 ? 1 : 0
        infinite += facts.relaxationTime == .infinity ? 1 : 0
        return true
      })
    #expect(reducible > 0 && periodic > 0 && infinite == reducible + periodic)
    #expect(survey.reducibleCount == reducible && survey.periodicCount == periodic)
    #expect(survey.relaxationQuantile(1) == .infinity)
  }

  @Test func fewChainsLeaveTheBestSetUndecided() throws {
    #expect(try !Self.survey(0.1, chains: 3).ranking.isDecided)
    let survey = try Self.survey(0.1, chains: 4000)
    let gap = try #require(survey.ranking.gap)
    let runnerUp = try #require(survey.ranking.runnerUp)
    #expect(survey.ranking.sets[runnerUp].lags == [1, 2, 3])
    // Paired: a tenth of what two independent means would have.
    #expect(gap.standardError < 0.2 * survey.ranking.bestSet.modified.standardError)
    #expect(survey.ranking.sets[runnerUp].separation == gap.value / gap.standardError)
  }

  @Test func anObserverStopsTheSurvey() {
    let prior = DirichletPrior(vocabulary: 3, parents: [1], concentration: 1)
    var seen = 0
    let survey = InformationSurvey.survey(
      prior, seed: 1, chains: 1000, lagSets: [[1]], threads: 2
    ) { index, _ in
      seen += 1
      return index < 10
    }
    #expect(survey == nil && seen == 11)
  }

  @Test func oneChainIsExact() {
    let chain = NGramChain(vocabulary: 2, parents: [1], rows: [0.7, 0.3, 0.6, 0.4])
    let survey = InformationSurvey(of: chain, lagSets: [[1], [2]])
    #expect(survey.ranking.bestSet.lags == [1] && survey.ranking.isDecided)
    #expect(survey.ranking.sets.allSatisfy { $0.modified.standardError == 0 })
    let same = NGramChain(vocabulary: 2, parents: [1], rows: [0.7, 0.3, 0.7, 0.3])
    #expect(!InformationSurvey(of: same, lagSets: [[1], [2]]).ranking.isDecided)
  }
}
