import DeclaredKeys
import Experiments
import Foundation
import Testing

struct GridTests {
  private func ensemble(_ text: String, _ overrides: String...) throws -> Ensemble {
    try Ensemble(text: Example.minimal + "\n" + text, file: "/folder/x.yaml", overrides: overrides)
  }

  @Test func theLastAxisVariesFastestAndReplicatesFollowEachOther() throws {
    let grid = try ensemble(
      """
      replicates: 2
      sweep:
        - {key: data.length, values: [30, 100, 300]}
        - {key: initial.scale, values: [0.01, 0.1]}
      """
    ).grid
    #expect(grid.flowCount == 6 && grid.count == 12 && !grid.isSingle)
    let points = (0..<grid.count).map { grid[$0] }
    #expect(points.map(\.index) == Array(0..<12))
    #expect(points.map(\.flow) == [1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6])
    #expect(points.map(\.replicate) == [1, 2, 1, 2, 1, 2, 1, 2, 1, 2, 1, 2])
    #expect(
      stride(from: 0, to: 12, by: 2).map { points[$0].values } == [
        ["30", "0.01"], ["30", "0.1"], ["100", "0.01"], ["100", "0.1"], ["300", "0.01"],
        ["300", "0.1"],
      ])
    #expect(points[0].path == "flows/000001/replicates/001")
    #expect(points[11].path == "flows/000006/replicates/002")
  }

  /// Runs with the same data are neighbours, whichever axis stands first.
  @Test func runsWithTheSameDataFollowEachOther() throws {
    let grid = try ensemble(
      """
      replicates: 2
      sweep:
        - {key: initial.scale, values: [0.01, 0.1, 0.2]}
        - {key: data.length, values: [30, 100]}
      """
    ).grid
    let order = grid.sharing(Array(0..<grid.count))
    #expect(order.sorted() == Array(0..<12))
    let data = order.map { grid[$0].values[1] + " " + String(grid[$0].replicate) }
    #expect(
      data == ["30 1", "30 2", "100 1", "100 2"].flatMap { Array(repeating: $0, count: 3) })
    #expect(grid.sharing([1, 5, 9]) == [1, 5, 9])
    let others = try ensemble("sweep: [{key: initial.scale, values: [0.01, 0.1]}]").grid
    #expect(others.sharing([0, 1]) == [0, 1])
  }

  @Test func theLayoutFollowsWhatThereIs() throws {
    let single = try ensemble("").grid
    #expect(single.isSingle && single.count == 1 && single[0].path == "")
    let trivial = try ensemble("replicates: 1\nsweep: []").grid
    #expect(trivial == single)
    #expect(try ensemble("replicates: 3").grid[2].path == "replicates/003")
    let one = try ensemble("sweep: [{key: data.length, values: [30]}]").grid
    #expect(!one.isSingle && one[0].path == "flows/000001")
    #expect(try ensemble("replicates: 1000").grid[999].path == "replicates/1000")
  }

  @Test func aRangeIsEvenInTheLogarithmAndExactAtItsEnds() {
    for (from, to) in [(0.001, 0.1), (1.0 / 3, 7e5), (300, 30), (1e-300, 1e300), (1, 1 + 1e-9)] {
      for count in [2, 3, 4, 17] {
        let values = SweepAxis.logarithmicValues(from: from, to: to, count: count)
        #expect(values.count == count && values[0] == from && values[count - 1] == to)
        let ratio = (values[1] / values[0]).magnitude
        for (left, right) in zip(values, values.dropFirst()) where to / from < 1e300 {
          // Both numbers of a ratio are rounded to twelve digits, by at most 5e-12 of themselves.
          #expect(abs(right / left / ratio - 1) < 2.1e-11)
        }
      }
    }
    #expect(SweepAxis.logarithmicValues(from: 0.001, to: 0.1, count: 3) == [0.001, 0.01, 0.1])
    #expect(
      SweepAxis.logarithmicValues(from: 1e3, to: 1e8, count: 6) == [1e3, 1e4, 1e5, 1e6, 1e7, 1e8])
  }

  @Test func rangesOfIntegersAreRounded() throws {
    let range = "sweep: [{key: data.length, from: 30, to: 3000, count: 5}]"
    #expect(try ensemble(range).grid.axes[0].values == ["30", "95", "300", "949", "3000"])
    let reals = "sweep: [{key: stages.one.until, from: 1e3, to: 10, count: 3}]"
    #expect(try ensemble(reals).grid.axes[0].values == ["1000.0", "100.0", "10.0"])
  }

  @Test func everyRunHasItsValuesAndSeeds() throws {
    let ensemble = try ensemble(
      """
      replicates: 3
      sweep:
        - {key: stages.one.until, values: [1e3, 2e3]}
        - {key: model.lags, values: ["[[1, 2, 3], [2], [3]]", [[1], [2], [3, 1]]]}
      """, "data.seed=7", "model.own_lags=[1, 2, 3]", "initial.noise=0.1")
    let last = try ensemble.experiment(at: ensemble.grid[11]).experiment
    #expect(last.stages[0].duration == 2e3)
    #expect(last.model.lags == [[1], [2], [1, 3]])
    #expect(last.data.seed == 9 && last.initial.seed == 9)
    let first = try ensemble.experiment(at: ensemble.grid[0]).experiment
    #expect(first.stages[0].duration == 1e3 && first.model.lags == [[1, 2, 3], [2], [3]])
    #expect(first.data.seed == 7 && first.initial.seed == 7)
    // A flow is an experiment of its own.
    #expect(!last.resolved.contains("sweep") && !last.resolved.contains("replicates"))
    #expect(try Experiment(text: last.resolved, file: "y.yaml") == last)
  }

  @Test func seedsOfTheirOwnMoveToo() throws {
    let ensemble = try ensemble("replicates: 2", "data.seed=7", "initial.seed=20")
    let second = try ensemble.experiment(at: ensemble.grid[1]).experiment
    #expect(second.data.seed == 8 && second.initial.seed == 21)
  }

  @Test func anAxisMayGiveWhatTheFileLeavesOut() throws {
    let text =
      Example.minimal("length: 100", "") + "\nsweep: [{key: data.length, values: [50, 60]}]"
    let ensemble = try Ensemble(text: text, file: "x.yaml")
    #expect(try EnsemblePlan(ensemble).first.size.extent.hasSuffix("length 50"))
    #expect(try EnsemblePlan(ensemble).largest.extent.hasSuffix("length 60"))
  }

  @Test func pathsOfFilesAreThoseOfTheExperimentsFolder() throws {
    let ensemble = try Ensemble(
      text: Example.tokens + "\nsweep: [{key: data.file, values: [a.txt, ../b.npy]}]",
      file: "/folder/x.yaml")
    #expect(ensemble.grid.axes[0].values == ["/folder/a.txt", "/b.npy"])
  }

  /// Defaults that depend on what is swept must not be fixed by being written out.
  @Test(arguments: [
    "sweep: [{key: model.window, values: [3, 4]}, {key: data.seed, values: [1, 5]}]",
    "replicates: 2\nsweep: [{key: model.degree, values: [1, 2]}]",
    "replicates: 3", "sweep: [{key: initial.seed, from: 1, to: 100, count: 3}]",
    "sweep: [{key: initial.coefficient, values: [0.5, 1]}, {key: data.length, values: [50, 60]}]",
    "sweep: [{key: initial.values.c.1+2, values: [0.5, -1.0e-3, \"1\"]}]",
    "sweep: [{key: stages, values: [\"[{name: x, train: [a], until: 1}]\", "
      + "[{name: y, train: [c, a], until: 2}]]}]",
  ])
  func theResolvedFileIsTheSameGrid(text: String) throws {
    let plan = try EnsemblePlan(ensemble(text))
    let again = try EnsemblePlan(Ensemble(text: plan.resolved, file: "/elsewhere/y.yaml"))
    #expect(again.grid == plan.grid)
    #expect(again.resolved == plan.resolved)
    for index in 0..<plan.grid.count {
      let point = plan.grid[index]
      #expect(try again.plan(at: point).experiment == plan.plan(at: point).experiment, "\(index)")
    }
  }

  @Test func aSingleFlowIsResolvedAsBefore() throws {
    let plan = try EnsemblePlan(ensemble(""))
    #expect(plan.resolved == (try Example.read(Example.minimal).resolved))
  }

  @Test func memoryLimitsHowManyRunAtATime() throws {
    let ensemble = try ensemble("replicates: 8")
    let bytes = try EnsemblePlan(ensemble).largest.bytes
    #expect(try EnsemblePlan(ensemble).concurrency(threads: 4) == 4)
    #expect(try EnsemblePlan(ensemble).concurrency(threads: 20) == 8)
    for (factor, expected) in [(1.5, 1), (3.5, 3), (50.0, 4)] {
      let plan = try EnsemblePlan(ensemble, memoryLimit: Int(factor * bytes))
      #expect(plan.concurrency(threads: 4) == expected)
    }
    #expect(throws: DocumentError.self) {
      try EnsemblePlan(ensemble, memoryLimit: Int(bytes / 2))
    }
  }

  private static let pairs = """
    sweep:
      - {key: data.length, values: [30, 100, 100], pair: size}
      - {key: initial.scale, values: [0.01, 0.1]}
      - {key: data.sequences, values: [10, 10, 20], pair: size}
    """

  @Test func pairedAxesVaryTogether() throws {
    let whole = try ensemble(Self.pairs)
    let grid = whole.grid
    #expect(grid.flowCount == 6)
    #expect(
      (0..<6).map { grid[$0].values } == [
        ["30", "0.01", "10"], ["30", "0.1", "10"], ["100", "0.01", "10"], ["100", "0.1", "10"],
        ["100", "0.01", "20"], ["100", "0.1", "20"],
      ])
    let plan = try EnsemblePlan(whole)
    #expect(try Ensemble(text: plan.resolved, file: "/folder/y.yaml").grid == grid)
    #expect(try plan.plan(at: grid[5]).experiment.resolved.contains("length: 100"))
  }

  @Test(arguments: [
    ("values: [10, 10, 20]", "values: [10, 20]", "sweep[2].pair"),
    ("values: [10, 10, 20]", "values: [10, 10, 10]", "sweep[0].values[2]"),
    ("values: [0.01, 0.1]", "values: [0.1, 0.1]", "sweep[1].values[1]"),
    ("values: [0.01, 0.1]", "from: 0.1, to: 1", "sweep[1]"),
    ("values: [0.01, 0.1]", "from: -1, to: 1, count: 3", "sweep[1].from"),
  ])
  func unevenPairsAreRefused(old: String, new: String, key: String) {
    let text = Self.pairs.replacingOccurrences(of: old, with: new)
    #expect(throws: DocumentError.self) { try ensemble(text) }
    do {
      _ = try ensemble(text)
    } catch let error as DocumentError {
      #expect(error.problems.map(\.key) == [key], "\(error)")
    } catch {
      Issue.record(error)
    }
  }

  private static let draws = """
    draws: {count: 50, seed: 3}
    sweep:
      - {key: initial.scale, from: 0.001, to: 1}
      - {key: loss.floor, values: [0.001, 0.01]}
      - {key: initial.own_weight, from: -1, to: 3, spacing: linear}
    """

  @Test(arguments: ["latin-hypercube", "random"])
  func pointsAreDrawnInTheBox(method: String) throws {
    let whole = try ensemble(Self.draws, "draws.method=\(method)")
    let grid = whole.grid
    #expect(grid.flowCount == 100)
    let points = (0..<50).map { grid[2 * $0].values.compactMap(Double.init) }
    let fractions = points.map { (log10($0[0]) / 3 + 1, ($0[2] + 1) / 4) }
    for (one, other) in fractions { #expect((0...1).contains(one) && (0...1).contains(other)) }
    for axis in [fractions.map(\.0), fractions.map(\.1)] {
      let slices = Set(axis.map { Int($0 * 50) })
      #expect(method == "random" ? slices.count < 45 : slices.count == 50)
    }
    // Neighbours along one axis are anywhere along the other.
    let product = fractions.reduce(0) { $0 + ($1.0 - 0.5) * ($1.1 - 0.5) } / 50
    #expect(abs(product) < 0.04)
    let text = try EnsemblePlan(whole).resolved
    #expect(try Ensemble(text: text, file: "/folder/y.yaml").grid == grid)
    #expect(try ensemble(Self.draws, "draws.method=\(method)", "draws.seed=4").grid != grid)
  }

  /// Draws of whole numbers coincide, and the resolved experiment still reads back.
  @Test func wholeNumbersAreDrawn() throws {
    let whole = try ensemble(
      "draws: {count: 50}\nsweep: [{key: data.length, from: 30, to: 40}]")
    let values = whole.grid.axes[0].values.compactMap(Int.init)
    #expect(values.count == 50 && Set(values).isSubset(of: Set(30...40)) && Set(values).count > 5)
    let text = try EnsemblePlan(whole).resolved
    #expect(try Ensemble(text: text, file: "/folder/y.yaml").grid == whole.grid)
  }

  @Test func drawsNeedSomethingToDraw() {
    #expect(throws: DocumentError.self) {
      try ensemble("draws: {count: 5}\nsweep: [{key: data.length, values: [30]}]")
    }
  }
}
